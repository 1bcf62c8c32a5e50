"""Answers that somebody recorded, for a simulation to draw from: one `{"sample": …, "item": {…}}` a line. Grades none.

The same file that `rftplan grade --samples` reads. A sample belongs to the rows with its `messages` where it has them,
else to the rows with its `item`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field

from rftplan.grading.calls import Call, Spoken
from rftplan.grading.candidates import item_of
from rftplan.server.datafile import DataError, parsed_lines
from rftplan.server.prompts import digest_of

PARAM: Final = "simulate.candidates"
CODE: Final = "invalid_candidates_file"
MOST_RECORDED: Final = 200_000
_SHAPE: Final = '{"sample": "the answer", "item": {…}}'


def read_recorded(path: Path) -> list[Mapping[str, Any]]:
    """All lines, each with `sample` and `item`. Raises DataError for the first that is none."""
    entries: list[Mapping[str, Any]] = []
    for number, row in parsed_lines(path, invalid=_invalid):
        if (problem := _problem(row)) is not None:
            raise _invalid(f"Line {number}: {problem}")
        if len(entries) == MOST_RECORDED:
            raise _invalid(f"The candidates file has more than the {MOST_RECORDED:,} samples allowed")
        entries.append({key: row[key] for key in ("sample", "item", "messages") if key in row})
    if not entries:
        raise _invalid("The candidates file has no sample")
    return entries


def _invalid(problem: str) -> DataError:
    return DataError(f"The job failed due to an invalid candidates file. {problem}.", code=CODE, param=PARAM)


def _problem(row: Mapping[str, Any]) -> str | None:
    sample, messages = row.get("sample"), row.get("messages")
    if not isinstance(row.get("item"), dict) or sample is None:
        return f"it is not {_SHAPE}"
    if messages is not None and not _are_messages(messages):
        return "'messages' must be an array of messages, each with a role"
    if isinstance(sample, str):
        return None
    if not isinstance(sample, dict) or not sample.keys() & {"output_text", "output_json", "output_tools"}:
        return "'sample' must be a string, or an object with output_text, output_json or output_tools"
    if not isinstance(sample.get("output_text", ""), str | None):
        return "'sample.output_text' must be a string"
    tools = sample.get("output_tools")
    tools = [] if tools is None else tools
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        return "'sample.output_tools' must be an array of objects"
    return None


def _are_messages(messages: object) -> bool:
    return isinstance(messages, list) and all(
        isinstance(one, dict) and isinstance(one.get("role"), str) for one in messages
    )


class Recordings(Struct):
    """What was recorded, by the rows that it belongs to."""

    _by_prompt: dict[str, Counter[Spoken]] = field(default_factory=dict)
    _by_item: dict[str, Counter[Spoken]] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, entries: Sequence[Mapping[str, Any]]) -> Recordings:
        found = cls()
        for entry in entries:
            said = _spoken(entry["sample"])
            if entry.get("messages"):
                found._by_prompt.setdefault(digest_of(entry["messages"]), Counter())[said] += 1
            else:
                found._by_item.setdefault(_key(entry["item"]), Counter())[said] += 1
        return found

    def of_row(self, row: Mapping[str, Any]) -> Mapping[Spoken, int]:
        """The distinct answers to a row, and how often each was recorded; empty if none was."""
        found = Counter[Spoken]()
        for key, recorded in ((digest_of(row["messages"]), self._by_prompt), (_key(item_of(row)), self._by_item)):
            if key in recorded:
                self._used.add(key)
                found.update(recorded[key])
        return found

    @property
    def left_over(self) -> int:
        """The samples of rows that were never asked about."""
        return sum(said.total() for key, said in self._all() if key not in self._used)

    def _all(self) -> Iterator[tuple[str, Counter[Spoken]]]:
        yield from self._by_prompt.items()
        yield from self._by_item.items()


def _key(item: Mapping[str, Any]) -> str:
    return json.dumps(item, sort_keys=True, ensure_ascii=False)


def _spoken(sample: str | Mapping[str, Any]) -> Spoken:
    if isinstance(sample, str):
        return Spoken(sample)
    text = sample.get("output_text")
    if text is None:
        text = json.dumps(sample["output_json"], ensure_ascii=False) if "output_json" in sample else ""
    calls = [_call(tool.get("function")) for tool in sample.get("output_tools") or ()]
    return Spoken(text, calls[0], tuple(calls[1:])) if calls else Spoken(text)


def _call(function: object) -> Call:
    """A call as it was recorded; what it lacks is empty."""
    given = function if isinstance(function, dict) else {}
    arguments = given.get("arguments", "")
    return Call(str(given.get("name", "")), arguments if isinstance(arguments, str) else json.dumps(arguments))
