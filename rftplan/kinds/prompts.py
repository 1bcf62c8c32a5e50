"""What the judges of a grader are sent: how long a prompt is by itself, and what of a row goes into it. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from rftplan.canonical import Json, JsonObject
from rftplan.data.probes import Probe

_VERSION: Final = "sizes/1"

FieldPath = tuple[str | int, ...]


class Judge(Struct, frozen=True):
    """One `score_model` of a grader. `name` is its key in a multi. `characters` are the prompt's own, `fields` what it
    reads of a row, as often as it reads it; `unknown` names what else goes into it; `most_output` bounds, in tokens,
    what it answers, None if nothing does."""

    name: str
    model: str
    characters: int
    fields: tuple[FieldPath, ...]
    unknown: tuple[str, ...]
    most_output: int | None


def judges_in(grader: Json) -> Iterator[Judge]:
    """Every judge of a grader in the API's own shape; those that are members of a multi by their keys."""
    if not isinstance(grader, dict):
        return
    members = grader.get("graders")
    named = members.items() if isinstance(members, dict) else [("", grader)]
    for name, member in named:
        if isinstance(member, dict) and member.get("type") == "score_model":
            yield _judge(name, member)


def _judge(name: str, grader: JsonObject) -> Judge:
    from rftplan.grading.templates import Namespace, TemplateError, parse_template  # not for what only looks up

    characters, fields, unknown = 0, [], []
    for text in _texts(grader.get("input")):
        if text is None:
            unknown.append("images and sounds")
            continue
        try:
            parts = parse_template(text).parts
        except TemplateError:
            parts = (text,)
        for part in parts:
            if isinstance(part, str):
                characters += len(part)
            elif part.namespace is Namespace.ITEM:
                fields.append(part.path)
            else:
                unknown.append("the answer")
    sampling = grader.get("sampling_params")
    most = sampling.get("max_completions_tokens") if isinstance(sampling, dict) else None
    bound = most if isinstance(most, int) else None
    return Judge(name, str(grader.get("model")), characters, tuple(fields), tuple(dict.fromkeys(unknown)), bound)


def _texts(messages: Json) -> Iterator[str | None]:
    """Every text of a prompt; None for a part that is none."""
    for message in messages if isinstance(messages, list) else []:
        content = message.get("content") if isinstance(message, dict) else None
        for part in content if isinstance(content, list) else [content]:
            text = part.get("text") if isinstance(part, dict) else part
            yield text if isinstance(text, str) else None


class Sizes(Struct, frozen=True):
    """How many characters the fields of a row have together: in all rows, and in the longest."""

    rows: int
    characters: int
    most: int


def sizes_probe(fields: tuple[FieldPath, ...]) -> Probe:
    """A probe for the size of these fields, each counted as often as it is named."""
    text = json.dumps([list(path) for path in fields], ensure_ascii=False)
    return Probe(f"{_VERSION}:{hashlib.sha256(text.encode()).hexdigest()[:16]}", lambda: _Watch(fields))


def sizes(found: Mapping[str, JsonObject], fields: tuple[FieldPath, ...]) -> Sizes | None:
    """What the probe for these fields found; None where it did not look, or saw no row."""
    document: Any = found.get(sizes_probe(fields).key)
    if document is None or not document["rows"]:
        return None
    return Sizes(document["rows"], document["characters"], document["most"])


class _Watch:
    def __init__(self, fields: tuple[FieldPath, ...]) -> None:
        self._fields = fields
        self._rows = self._characters = self._most = 0

    def see(self, line: int, row: Mapping[str, Json]) -> None:
        size = sum(_length(row, path) for path in self._fields)
        self._rows += 1
        self._characters += size
        self._most = max(self._most, size)

    def found(self) -> JsonObject:
        return {"rows": self._rows, "characters": self._characters, "most": self._most}


def _length(row: Any, path: FieldPath) -> int:
    """Of a field as a prompt has it: text as it is, anything else as JSON; 0 for one that is missing."""
    value = row
    for step in path:
        held = isinstance(value, dict) and step in value
        if not held and not (isinstance(value, list) and isinstance(step, int) and step < len(value)):
            return 0
        value = value[step]
    return len(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
