"""What is known of an answer that somebody recorded: its kind, where the grader says what is right. Makes none up.

A `string_check` that compares a part of the answer with the row says it. Scores between right and wrong say nothing:
what is a high score to one grader is a lucky guess to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rftplan.grading import Grader, Multi, Sample, StandInJudge, StringCheck
from rftplan.grading.calls import Spoken, call_links
from rftplan.grading.candidates import Item, Kind, links_of


class Truth:
    """Of one job: its grader, and whether its answers are to be JSON."""

    def __init__(self, grader: Grader | None, response_format: Mapping[str, Any] | None) -> None:
        self._wants_json = has_json(response_format)
        members = grader.members.values() if isinstance(grader, Multi) else (grader,)
        self._checks = [one for one in members if isinstance(one, StringCheck) and _says_what_is_right(one)]
        self._judge = StandInJudge()  # a string_check asks none

    def sample(self, said: Spoken) -> Sample:
        """As the service hands the answer to a grader."""
        made = Sample.of_text if self._wants_json else Sample.of_plain_text
        return made(said.text, tools=[call.as_tool(place) for place, call in enumerate(said.calls, start=1)])

    def kind(self, said: Spoken, item: Item) -> Kind:
        """RIGHT or WRONG where it can be known, MALFORMED where there is nothing to look at, else RECORDED."""
        sample = self.sample(said)
        if not said.calls and (not said.text.strip() or (self._wants_json and _is_no_object(sample))):
            return Kind.MALFORMED
        if not self._checks:
            return Kind.RECORDED
        results = [check.grade(sample, item, self._judge) for check in self._checks]
        return Kind.RIGHT if all(result.reward == 1.0 for result in results) else Kind.WRONG


def has_json(response_format: Mapping[str, Any] | None) -> bool:
    """The service fills `output_json` only for jobs with a response format that is JSON."""
    return (response_format or {}).get("type") in ("json_schema", "json_object")


def _is_no_object(sample: Sample) -> bool:
    return not isinstance(sample.output_json, Mapping)


def _says_what_is_right(check: StringCheck) -> bool:
    return bool(call_links(check)) or any(link.source.references for link in links_of(check))
