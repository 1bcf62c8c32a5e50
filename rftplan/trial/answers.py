"""Answers to rows, right and otherwise, from what the grader and the response format say is right. Grades nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rftplan.canonical import JsonObject
from rftplan.grading import Grader, Sample
from rftplan.grading.candidates import AnswerBook, Kind, item_of
from rftplan.trial.verdict import Answer

_ANSWERS: Final = {
    Kind.RIGHT: Answer.RIGHT,
    Kind.WRONG: Answer.OTHER_ROW,
    Kind.CONSTANT: Answer.CONSTANT,
    Kind.MALFORMED: Answer.MALFORMED,
    Kind.NEAR: Answer.NEAR,
    Kind.VERBOSE: Answer.VERBOSE,
}


@dataclass(frozen=True, slots=True)
class Question:
    """A row, and what may be answered to it."""

    line: int
    item: Mapping[str, Any]
    texts: Mapping[Answer, str]


class Questions:
    """Makes questions of rows. `others` are the rows whose right answers serve as wrong ones, and of which the most
    common one is the constant answer; some of the file are enough."""

    def __init__(self, grader: Grader, response_format: Mapping[str, Any] | None, others: Sequence[JsonObject]) -> None:
        self._book = AnswerBook([item_of(row) for row in others], grader, response_format)
        self._with_json = response_format is not None

    def of_rows(self, rows: Iterator[tuple[int, JsonObject]]) -> Iterator[Question]:
        for turn, (line, row) in enumerate(rows):
            item = item_of(row)
            made = self._book.candidates(item, turn=turn)
            texts = {answer: made[kind] for kind, answer in _ANSWERS.items() if kind in made}
            if texts.get(Answer.MALFORMED) == "":
                del texts[Answer.MALFORMED]
            yield Question(line, item, {**texts, Answer.EMPTY: ""})

    def sample(self, text: str) -> Sample:
        """As the job hands it to its grader: read as JSON only if the job has a response format."""
        return Sample.of_text(text) if self._with_json else Sample.of_plain_text(text)
