"""Text with `{{ item.x }}` and `{{ sample.output_json.a[0] }}` in it. Knows no grader and no judge.

The vendor does not say how a value that is not text is rendered. Our policy: text as it is, everything else
(numbers, booleans, null, lists, objects) in its JSON form. Nor does it say what an ill-formed `{{…}}` is;
ours is to refuse the grader: a name that nothing can fill would cost every row its score.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from rftplan.grading.quoting import shorten
from rftplan.grading.result import Flag
from rftplan.grading.sample import ABSENT, Sample

LONGEST_TEXT: Final = 16_000_000
"""Characters of a rendered template, of those with more variables than a person writes."""
_FEW_PARTS = 64


class Namespace(StrEnum):
    """Where a variable is looked up: the data row's own fields, or the model's answer."""

    ITEM = "item"
    SAMPLE = "sample"


class TemplateError(ValueError):
    """The text is not a template. `offset` is where its `{{` starts, in characters from 0."""

    def __init__(self, message: str, *, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class VariableError(ValueError):
    """A variable has no value for this sample and item, or too long a one; `flag` is what the vendor calls it."""

    def __init__(self, flag: Flag, message: str) -> None:
        super().__init__(message)
        self.flag = flag
        self.message = message


class Reference(Struct, frozen=True):
    """One variable of a template: `{{ sample.output_json.a[0] }}` has the path ("output_json", "a", 0)."""

    namespace: Namespace
    path: tuple[str | int, ...]
    offset: int  # of its "{{" in the template, in characters

    def __str__(self) -> str:
        return self.namespace.value + "".join(_step_text(step) for step in self.path)

    def value(self, sample: Sample, item: Mapping[str, Any]) -> Any:
        """What it stands for; raises VariableError."""
        if self.namespace is Namespace.ITEM:
            return self._descend(item, self.path)
        return self._descend(self._sample_root(sample), self.path[1:])

    def _sample_root(self, sample: Sample) -> Any:
        match self.path[0]:
            case "output_text":
                return sample.output_text
            case "output_json":
                if sample.output_json is ABSENT:
                    raise VariableError(Flag.SAMPLE_PARSE, f"{self}: the sample is not JSON")
                return sample.output_json
            case "output_tools":
                return sample.output_tools
            case "choices":
                return sample.choices
            case _:
                raise VariableError(Flag.INVALID_VARIABLE, f"{self}: a sample has no such field")

    def _descend(self, value: Any, path: tuple[str | int, ...]) -> Any:
        try:
            for step in path:
                if isinstance(value, Mapping) != isinstance(step, str) or isinstance(value, str):
                    raise KeyError(step)
                value = value[step]
        except (KeyError, IndexError, TypeError):
            raise VariableError(Flag.INVALID_VARIABLE, f"{self} has no value") from None
        return value


class Template(Struct, frozen=True):
    """A parsed template, to be rendered many times. Equal texts give equal templates."""

    source: str
    parts: tuple[str | Reference, ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        """Its variables in the order of the text, repeated ones included."""
        return tuple(part for part in self.parts if isinstance(part, Reference))

    def render(self, sample: Sample, item: Mapping[str, Any]) -> str:
        """The text with every variable filled in; raises VariableError for the first that has no value, or where the
        text would be longer than `LONGEST_TEXT`."""
        filled = (part if isinstance(part, str) else as_text(part.value(sample, item)) for part in self.parts)
        return "".join(filled if len(self.parts) <= _FEW_PARTS else _short_enough(filled))


def _short_enough(parts: Iterable[str]) -> Iterator[str]:
    """A small template that repeats a large variable would fill the memory."""
    length = 0
    for part in parts:
        length += len(part)
        if length > LONGEST_TEXT:
            raise VariableError(Flag.OTHER, f"the text is longer than {LONGEST_TEXT:,} characters")
        yield part


def as_text(value: Any) -> str:
    """Text as it is, any other value in its JSON form."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def variables(template: str) -> tuple[Reference, ...]:
    """The variables of a template's text; raises TemplateError."""
    return parse_template(template).references


# A third brace belongs to the text around, so that JSON may be around a variable: `{"a":{{{item.a}}}}`.
_OPEN = re.compile(r"\{\{(?!\{)")
_NAME = re.compile(r"[^\s.\[\]{}\"']+")
_INDEX = re.compile(r"\[(\d{1,9})\]", re.ASCII)
_KEY = re.compile(r"""\[(?:"([^"{}]*)"|'([^'{}]*)')\]""")


@lru_cache(maxsize=1024)
def parse_template(text: str) -> Template:
    """Take a template apart; raises TemplateError. What was taken apart lately is remembered: many ask for it."""
    parts: list[str | Reference] = []
    at = 0
    while opening := _OPEN.search(text, at):
        if opening.start() > at:
            parts.append(text[at : opening.start()])
        closing = text.find("}}", opening.end())
        if closing < 0:
            raise TemplateError("'{{' is never closed.", offset=opening.start())
        parts.append(_parse_reference(text[opening.end() : closing], opening.start()))
        at = closing + 2
    if at < len(text):
        parts.append(text[at:])
    return Template(text, tuple(parts))


def _parse_reference(written: str, offset: int) -> Reference:
    body = written.strip()
    first = _NAME.match(body)
    path = _parse_path(body, first.end()) if first else None
    if first is None or not path or not isinstance(path[0], str):
        message = f"'{{{{{shorten(written)}}}}}' is not a variable; write '{{{{item.field}}}}'."
        raise TemplateError(message, offset=offset)
    if first[0] not in (Namespace.ITEM.value, Namespace.SAMPLE.value):
        message = f"Unknown namespace '{shorten(first[0])}'. Supported namespaces are: 'item' and 'sample'."
        raise TemplateError(message, offset=offset)
    return Reference(Namespace(first[0]), path, offset)


def _parse_path(body: str, at: int) -> tuple[str | int, ...] | None:
    path: list[str | int] = []
    while at < len(body):
        if body[at] == "." and (name := _NAME.match(body, at + 1)):
            path.append(name[0])
            at = name.end()
        elif index := _INDEX.match(body, at):
            path.append(int(index[1]))
            at = index.end()
        elif key := _KEY.match(body, at):
            path.append(key[1] if key[1] is not None else key[2])
            at = key.end()
        else:
            return None
    return tuple(path)


def _step_text(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _NAME.fullmatch(step) else f'["{step}"]'
