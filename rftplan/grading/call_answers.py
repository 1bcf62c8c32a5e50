"""Tool calls as answers to rows, right and otherwise, where the grader says which call is right. Grades nothing.

An answer is written as `{"call": {"name": …, "arguments": …}}`, and with its `text` if it has one, so that it is a text
like any other answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from rftplan.grading import Grader, Python, Sample, ScoreModel
from rftplan.grading.answers import ANSWERS, Question, Questions
from rftplan.grading.calls import Call, Spoken, SpokenBook, call_links, tools_of
from rftplan.grading.candidates import item_of
from rftplan.grading.scores import members
from rftplan.grading.verdict import Answer

AnyQuestions: TypeAlias = "Questions | CallQuestions"
_BEGINNING: Final = '{"call": '


def questions_of(
    grader: Grader, response_format: Mapping[str, Any] | None, others: Sequence[Mapping[str, Any]]
) -> AnyQuestions:
    """What makes questions of rows that such a grader is for."""
    calling = call_links(grader) and any(map(tools_of, others))
    return (CallQuestions if calling else Questions)(grader, response_format, others)


class CallQuestions:
    """Makes questions of rows with tools; rows without any are answered with text. `others` as in `Questions`."""

    def __init__(
        self, grader: Grader, response_format: Mapping[str, Any] | None, others: Sequence[Mapping[str, Any]]
    ) -> None:
        self._texts = Questions(grader, response_format, others)
        self._book = SpokenBook([item_of(row) for row in others], grader, response_format)
        self._linked = list(call_links(grader))
        # Code and judges read all of a call, the parts that nothing says with it.
        reads_all = any(isinstance(one, Python | ScoreModel) for one in members(grader).values())
        self._made_up = reads_all and len(self._linked) == 1

    def of_rows(self, rows: Iterator[tuple[int, Mapping[str, Any]]]) -> Iterator[Question]:
        for turn, (line, row) in enumerate(rows):
            if not tools_of(row):
                yield from self._texts.of_rows(iter([(line, row)]))
                continue
            made = self._book.candidates(item_of(row), tools_of(row), turn=turn)
            answers = {ANSWERS[kind]: said for kind, said in made.items() if kind in ANSWERS}
            texts = {answer: _written(said) for answer, said in answers.items()} | {Answer.EMPTY: ""}
            made_up = self._made_up and Answer.RIGHT in answers
            yield Question(line, item_of(row), texts, self._compared(answers), made_up)

    def sample(self, text: str) -> Sample:
        """As the job hands it to its grader."""
        if not text.startswith(_BEGINNING):
            return self._texts.sample(text)
        said = json.loads(text)
        plain = self._texts.sample(said.get("text", ""))
        return Sample(plain.output_text, plain.output_json, [Call(**said["call"]).as_tool()])

    def _compared(self, answers: Mapping[Answer, Spoken]) -> frozenset[Answer]:
        """Those in whose call nothing is right that the grader compares, and no answer at all."""
        right = answers.get(Answer.RIGHT)
        if right is None or right.call is None:
            return frozenset()
        wrong = (answer for answer, said in answers.items() if said.call and self._wrong(answer, right.call, said.call))
        return frozenset({Answer.EMPTY, *wrong})

    def _wrong(self, answer: Answer, right: Call, other: Call) -> bool:
        differs = [getattr(right, part) != getattr(other, part) for part in self._linked]
        return any(differs) if answer is Answer.MALFORMED else all(differs)


def _written(said: Spoken) -> str:
    """The call and the text, as JSON; an answer without a call is its text."""
    if said.call is None:
        return said.text
    call = {"name": said.call.name, "arguments": said.call.arguments}
    return json.dumps({"call": call} | ({"text": said.text} if said.text else {}), ensure_ascii=False)
