"""Answers that a model might give to a row, by kind, built from its references. Grades and learns nothing.

A right answer exists only where the grader or the response format says which field of the row it is; where
they do not, the kinds that need one are left out rather than invented.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from rftplan.grading import (
    ABSENT,
    Grader,
    Multi,
    Namespace,
    Operation,
    Python,
    Reference,
    Sample,
    ScoreModel,
    StringCheck,
    Template,
    TextSimilarity,
    VariableError,
    as_text,
)
from rftplan.grading.answer_shape import shape_of

Item = Mapping[str, Any]
Change = Callable[[str], str]

_PADDING = (
    " In general, every part of the question was considered in turn, each was weighed against all that is"
    " known, and other readings were taken into account before this view was reached."
)
_LIKE_A_REFERENCE = ("reference", "answer", "expected", "target", "label", "solution", "ideal", "gold")
_NO_SAMPLE = Sample("")


class Kind(StrEnum):
    """How an answer relates to the right one."""

    RIGHT = "right"
    NEAR = "near"  # the right one, a little worse
    WRONG = "wrong"  # another row's right one
    MALFORMED = "malformed"  # cut off, or empty where any text would do
    CONSTANT = "constant"  # the same for every row: what is most often right
    VERBOSE = "verbose"  # the right one, padded
    RECORDED = "recorded"  # somebody's model said it, and nothing says whether it is right


BUILT = tuple(kind for kind in Kind if kind is not Kind.RECORDED)
"""The kinds that are made from references."""


class Link(Struct, frozen=True):
    """A part of the answer that the grader compares with `source`, a text of the row."""

    path: tuple[str | int, ...]  # below output_json; empty for the whole text
    source: Template

    def value(self, item: Item) -> Any:
        """The value that is right there, with its own type if it is one field; ABSENT if the row lacks it."""
        try:
            match self.source.parts:
                case (Reference() as reference,):
                    return reference.value(_NO_SAMPLE, item)
                case _:
                    return self.source.render(_NO_SAMPLE, item)
        except VariableError:
            return ABSENT


def item_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What graders see of a row: all but the reserved keys."""
    return {key: value for key, value in row.items() if key not in ("messages", "tools")}


def links_of(grader: Grader) -> list[Link]:
    """What the grader compares with the row: first directly, then by a model, last with texts of its own."""
    members = list(grader.members.values()) if isinstance(grader, Multi) else [grader]
    direct = [link for member in members for link in _compared(member)]
    judged = [link for member in members for link in _judged(member)]
    with_fields = [link for link in direct if link.source.references]
    return with_fields + judged + [link for link in direct if not link.source.references]


def _compared(grader: Grader) -> Iterator[Link]:
    if not isinstance(grader, StringCheck | TextSimilarity):
        return
    if isinstance(grader, StringCheck) and grader.operation is Operation.NE:
        return
    for asked, source in ((grader.input, grader.reference), (grader.reference, grader.input)):
        path = _answer_path(asked)
        if path is not None and _says_it_all(grader, source):
            yield Link(path, source)


def _says_it_all(grader: StringCheck | TextSimilarity, source: Template) -> bool:
    """Whether what is compared with is a right answer: fields of the row, or the one text that is asked for."""
    if not source.references:
        return isinstance(grader, StringCheck) and grader.operation is Operation.EQ
    return all(ref.namespace is Namespace.ITEM for ref in source.references)


def _judged(grader: Grader) -> Iterator[Link]:
    if not isinstance(grader, ScoreModel):
        return
    asked = [ref for ref in grader.references if ref.namespace is Namespace.SAMPLE]
    known = [ref for ref in grader.references if ref.namespace is Namespace.ITEM]
    for reference in asked:
        path = _answer_path(_alone(reference))
        source = _counterpart(reference, asked, known)
        if path is not None and source is not None:
            yield Link(path, _alone(source))


def _counterpart(asked: Reference, all_asked: Sequence[Reference], known: Sequence[Reference]) -> Reference | None:
    """The field of the row that a judge's prompt sets beside a part of the answer."""
    named_alike = [ref for ref in known if ref.path[-1] == asked.path[-1]]
    if named_alike:
        return named_alike[0]
    if len({ref.path for ref in all_asked}) > 1:
        return None
    if len({ref.path for ref in known}) == 1:
        return known[0]
    telling = [ref for ref in known if any(word in str(ref.path[-1]).lower() for word in _LIKE_A_REFERENCE)]
    return telling[0] if len({ref.path for ref in telling}) == 1 else None


def _alone(reference: Reference) -> Template:
    return Template(f"{{{{{reference}}}}}", (reference,))


def _answer_path(template: Template) -> tuple[str | int, ...] | None:
    match template.parts:
        case (Reference(namespace=Namespace.SAMPLE, path=("output_text",)),):
            return ()
        case (Reference(namespace=Namespace.SAMPLE, path=("output_json", *steps)),) if steps:
            return tuple(steps)
        case _:
            return None


class AnswerBook:
    """The candidates of all rows of a job. Both splits share one constant answer, taken from training.

    Without a grader only the response format says what a right answer is.
    """

    def __init__(self, train: Sequence[Item], grader: Grader | None, response_format: Mapping[str, Any] | None) -> None:
        self._grader = grader
        self._links = [] if grader is None else links_of(grader)
        read = [] if grader is None else _parts_read(grader)
        self._shape = shape_of(response_format, [link.path for link in self._links], read)
        self._rights = [self.right(item) for item in train]
        self._constant = self._most_common_parts() if self._shape else self._most_common_text()

    def candidates(self, item: Item, *, turn: int) -> dict[Kind, str]:
        """The text of each kind that can be built; `turn` chooses whose answer the wrong one is."""
        right = self.right(item)
        built = {
            Kind.RIGHT: right,
            Kind.NEAR: self._changed(right, _a_little_worse),
            Kind.WRONG: self._other_right(right, turn),
            Kind.CONSTANT: self._constant,
            Kind.VERBOSE: self._changed(right, _padded),
        }
        texts = {kind: self._text(answer) for kind, answer in built.items() if answer is not ABSENT}
        texts[Kind.MALFORMED] = self._malformed(texts.get(Kind.RIGHT) or texts[Kind.CONSTANT])
        return texts

    def right(self, item: Item) -> Any:
        """The right answer, an object or a text; ABSENT if nothing says what it is."""
        known = self._known(item)
        if self._shape is not None:
            return self._shape.filled(known, item)
        return as_text(known[()]) if () in known else ABSENT

    def reads_what_is_made_up(self, item: Item) -> bool:
        """Whether the right answer has parts that nothing names, and the grader may look at one of them."""
        return bool(self.made_up(item))

    def made_up(self, item: Item) -> frozenset[tuple[str | int, ...]]:
        """The parts of the right answer that nothing names, of those that the grader may look at."""
        if self._grader is None or self._shape is None:
            return frozenset()
        return frozenset(gap for gap in self._shape.gaps(self._known(item), item) if _may_read(self._grader, gap))

    def _known(self, item: Item) -> dict[tuple[str | int, ...], Any]:
        return {link.path: value for link in reversed(self._links) if (value := link.value(item)) is not ABSENT}

    def _other_right(self, right: Any, turn: int) -> Any:
        count = len(self._rights)
        for offset in range(min(count, 20)):
            other = self._rights[(turn + 1 + offset) % count]
            if other is not ABSENT and other != right:
                return other
        return ABSENT

    def _most_common_parts(self) -> Any:
        assert self._shape is not None
        objects = [right for right in self._rights if isinstance(right, Mapping)]
        constant: dict[str, Any] = {}
        for key, filler in self._shape.filler().items():
            values = [right[key] for right in objects if key in right]
            constant[key] = _most_common(values) if values else filler
        return constant

    def _most_common_text(self) -> str:
        texts = [right for right in self._rights if isinstance(right, str)]
        return _most_common(texts) if texts else "I do not know."

    def _changed(self, right: Any, change: Change) -> Any:
        """The right answer with its longest free text changed; ABSENT if it has none."""
        if isinstance(right, str):
            return change(right)
        if not isinstance(right, Mapping) or self._shape is None:
            return ABSENT
        free = [key for key in self._shape.free_texts if isinstance(right.get(key), str)]
        if not free:
            return ABSENT
        longest = max(free, key=lambda key: len(right[key]))
        return {**right, longest: change(right[longest])}

    def _text(self, answer: Any) -> str:
        return answer if self._shape is None else json.dumps(answer, ensure_ascii=False)

    def _malformed(self, text: str) -> str:
        return text[: -(len(text) // 3 + 1)] if self._shape is not None else ""


def _may_read(grader: Grader, gap: tuple[str | int, ...]) -> bool:
    """Whether the part at this path can change the score: code may read all of an answer."""
    if any(isinstance(one, Python) for one in (grader.members.values() if isinstance(grader, Multi) else [grader])):
        return True
    whole = any(ref.namespace is Namespace.SAMPLE and ref.path[0] != "output_json" for ref in grader.references)
    return whole or any(path[: len(gap)] == gap or gap[: len(path)] == path for path in _parts_read(grader))


def _parts_read(grader: Grader) -> list[tuple[str | int, ...]]:
    answers = [ref.path for ref in grader.references if ref.namespace is Namespace.SAMPLE]
    return [path[1:] for path in answers if path[0] == "output_json"]


def _a_little_worse(text: str) -> str:
    """Two thirds of the words; one more of a number; one word gets a full stop."""
    parts = text.split()
    if len(parts) > 1:
        return " ".join(parts[: -(len(parts) // 3 + 1)] or parts[:1])
    try:
        return str(int(text) + 1)
    except ValueError:
        return f"{text}."


def _padded(text: str) -> str:
    return (text if len(text.split()) > 1 else f"The answer is {text}.") + _PADDING


def _most_common(values: Sequence[Any]) -> Any:
    """The first of those that occur most; compared as JSON, because they may be lists."""
    written = [json.dumps(value, sort_keys=True) for value in values]
    commonest, _ = Counter(written).most_common(1)[0]
    return values[written.index(commonest)]
