"""Answers to rows, right and otherwise, from what the grader and the response format say is right. Grades nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from rftplan.grading import ABSENT, Grader, Sample
from rftplan.grading.candidates import AnswerBook, Kind, item_of, links_of
from rftplan.grading.verdict import Answer

ANSWERS: Final = {
    Kind.RIGHT: Answer.RIGHT,
    Kind.WRONG: Answer.OTHER_ROW,
    Kind.CONSTANT: Answer.CONSTANT,
    Kind.MALFORMED: Answer.MALFORMED,
    Kind.NEAR: Answer.NEAR,
    Kind.VERBOSE: Answer.VERBOSE,
}
_LOOKED_AT: Final = 20
"""Other rows, for one whose right answer has nothing right here."""

Path = tuple[str | int, ...]


class Question(Struct, frozen=True):
    """A row, and what may be answered to it. `compared` are the answers that make a pair with the right one."""

    line: int
    item: Mapping[str, Any]
    texts: Mapping[Answer, str]
    compared: frozenset[Answer]
    made_up: bool = False
    """The right answer has parts that nothing names, and the grader may read them."""
    alike: frozenset[Answer] = frozenset()
    """The answers that say the same in those parts."""


class Questions:
    """Makes questions of rows. `others` are the rows whose right answers serve as wrong ones, and of which the most
    common one is the constant answer; some of the file are enough."""

    def __init__(
        self, grader: Grader, response_format: Mapping[str, Any] | None, others: Sequence[Mapping[str, Any]]
    ) -> None:
        items = [item_of(row) for row in others]
        self._book = AnswerBook(items, grader, response_format)
        self._with_json = response_format is not None
        self._rights = [right for item in items if (right := self._book.right(item)) is not ABSENT]
        self._linked = [link.path for link in links_of(grader)]
        self._parts = [path for path in self._linked if path] or _varying(self._rights)

    def of_rows(self, rows: Iterator[tuple[int, Mapping[str, Any]]]) -> Iterator[Question]:
        for turn, (line, row) in enumerate(rows):
            item = item_of(row)
            made = self._book.candidates(item, turn=turn)
            texts = {answer: made[kind] for kind, answer in ANSWERS.items() if kind in made}
            right = self._book.right(item)
            if right is not ABSENT and (other := self._other(right, turn)) is not ABSENT:
                texts[Answer.OTHER_ROW] = _written(other)
            if texts.get(Answer.MALFORMED) == "":
                del texts[Answer.MALFORMED]
            texts[Answer.EMPTY] = ""
            made_up = self._book.made_up(item) if right is not ABSENT else frozenset()
            compared = self._compared(right, texts)
            alike = frozenset(answer for answer in compared if _alike(right, texts[answer], made_up))
            yield Question(line, item, texts, compared, bool(made_up), alike)

    def sample(self, text: str) -> Sample:
        """As the job hands it to its grader: read as JSON only if the job has a response format."""
        return Sample.of_text(text) if self._with_json else Sample.of_plain_text(text)

    def _other(self, right: Any, turn: int) -> Any:
        """Another row's right answer that has nothing right here; ABSENT if none is found."""
        count = len(self._rights)
        for offset in range(min(count, _LOOKED_AT)):
            other = self._rights[(turn + 1 + offset) % count]
            if self._wrong(right, other):
                return other
        return ABSENT

    def _wrong(self, right: Any, other: Any) -> bool:
        """Whether the other answer has nothing right: each part that tells answers apart is another one."""
        if not isinstance(right, Mapping):
            return bool(right != other)
        return bool(self._parts) and all(_at(right, path) != _at(other, path) for path in self._parts)

    def _worse(self, right: Any, other: Any) -> bool:
        """Whether something that the grader compares is another one."""
        if not isinstance(right, Mapping):
            return bool(self._linked) and bool(right != other)
        return any(_at(right, path) != _at(other, path) for path in self._linked if path)

    def _compared(self, right: Any, texts: Mapping[Answer, str]) -> frozenset[Answer]:
        if right is ABSENT:
            return frozenset()
        others = {answer: text for answer, text in texts.items() if text != texts.get(Answer.RIGHT)}
        read = {answer: _read(text, like=right) for answer, text in others.items()}
        counts = {
            **dict.fromkeys((Answer.OTHER_ROW, Answer.CONSTANT), self._wrong),
            **dict.fromkeys((Answer.NEAR, Answer.VERBOSE), self._worse),
        }
        return frozenset(answer for answer in others if answer not in counts or counts[answer](right, read[answer]))


def _alike(right: Any, text: str, parts: Collection[Path]) -> bool:
    other = _read(text, like=right)
    return all(_at(other, part) == _at(right, part) is not ABSENT for part in parts)


def _varying(rights: Sequence[Any]) -> list[Path]:
    """The top parts of right answers that are not the same in every row: what fills a gap always is."""
    objects = [right for right in rights if isinstance(right, Mapping)]
    keys = dict.fromkeys(key for right in objects for key in right)
    return [(key,) for key in keys if any(right.get(key) != objects[0].get(key) for right in objects)]


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value.get(step, ABSENT) if isinstance(value, Mapping) else ABSENT
    return value


def _written(answer: Any) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


def _read(text: str, *, like: Any) -> Any:
    """The text as what the right answer is: an object or a text."""
    if isinstance(like, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return ABSENT
