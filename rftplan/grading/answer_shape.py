"""The object that a job's answers must be, and how to fill it from a row. Validates no answer.

Read from the response format, nested or flat; without a schema, from the paths that the grader reads.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Any

from msgspec import Struct, field

from rftplan.grading import ABSENT, as_text

Path = tuple[str | int, ...]
Schema = Mapping[str, Any]

_DEEPEST = 16  # levels of objects in one another, and of references that lead to one
_MOST_FIELDS = 1_000  # that are made up for one answer, whatever a schema's parts refer to
_ANYTHING: Schema = {}
_CHOICES = ("anyOf", "oneOf")
_FILLERS: Mapping[str, Any] = {
    "string": "Not stated.",
    "number": 0,
    "integer": 0,
    "boolean": False,
    "array": [],
    "object": {},
}


class _Filling(Struct):
    """What is known, what of it was used, and what had to be made up, by path; how many `fields` there are so far."""

    known: Mapping[Path, Any]
    used: set[Path] = field(default_factory=set)
    gaps: set[Path] = field(default_factory=set)
    fields: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class ObjectShape:
    """A JSON schema of type object, or one made up of the paths that a grader compares. `read` are those it reads."""

    schema: Schema
    read: Sequence[Path] = ()
    _seen: dict[int, Schema] = dataclasses.field(default_factory=dict, init=False, repr=False, compare=False)
    """What the parts of the schema come to, each by its id."""

    @property
    def properties(self) -> Mapping[str, Schema]:
        """What it has at the top; whatever is not a schema is taken as one that says nothing."""
        return _properties(self.schema)

    @property
    def free_texts(self) -> list[str]:
        """The top properties that may be any text."""
        resolved = {key: self._resolved(schema) for key, schema in self.properties.items()}
        return [
            key
            for key, schema in resolved.items()
            if _type_of(schema) in (None, "string") and "enum" not in schema and "const" not in schema
        ]

    def filler(self) -> dict[str, Any]:
        """An object that fits and knows nothing."""
        return self._fill(self.schema, (), ABSENT, _Filling({}), frozenset())

    def filled(self, known: Mapping[Path, Any], item: Mapping[str, Any]) -> Any:
        """The object with all that is known: by path, else from the item's field of the same name.

        ABSENT if nothing of it is known, or if a known value does not fit where it belongs.
        """
        filling = _Filling(known)
        value = self._fill(self.schema, (), item, filling, frozenset())
        return value if filling.used and filling.used >= {path for path in known if path} else ABSENT

    def gaps(self, known: Mapping[Path, Any], item: Mapping[str, Any]) -> frozenset[Path]:
        """The parts of that object which nothing names, so that what stands there is made up."""
        filling = _Filling(known)
        self._fill(self.schema, (), item, filling, frozenset())
        return frozenset(filling.gaps)

    def _fill(self, schema: Schema, path: Path, item: Any, filling: _Filling, around: frozenset[int]) -> dict[str, Any]:
        """`around` are the schemas that this one stands in, itself left out."""
        filled: dict[str, Any] = {}
        around |= {id(schema)}
        for key, raw in _properties(schema).items():
            part, here = self._resolved(raw), (*path, key)
            source = item.get(key, ABSENT) if isinstance(item, Mapping) else ABSENT
            value = _fitted(filling.known.get(here, source), part)
            filling.fields += 1
            if value is not ABSENT:
                filling.used.add(here)
                filled[key] = value
            elif _is_object(part, here) and (isinstance(source, Mapping) or self._goes_on(here, filling)):
                filled[key] = self._fill(part, here, source, filling, around)
            else:
                filled[key] = self._made_up(raw, here, filling, around)
        return filled

    def _goes_on(self, here: Path, filling: _Filling) -> bool:
        """Whether something further down is known, or read by the grader."""
        return any(path[: len(here)] == here for path in (*filling.known, *self.read))

    def _made_up(self, raw: Schema, here: Path, filling: _Filling, around: frozenset[int]) -> Any:
        """What stands where nothing is known. An object within its like ends there, as null if that will do."""
        part = self._resolved(raw)
        fixed = _fixed(part)
        ends = id(part) in around or filling.fields >= _MOST_FIELDS
        if fixed is ABSENT and _is_object(part, here) and not ends:
            return self._fill(part, here, ABSENT, filling, around)
        if "const" not in part:
            filling.gaps.add(here)
        if fixed is not ABSENT:
            return fixed
        kind = _type_of(part) or "string"
        return None if kind == "object" and self._may_be_null(raw) else copy(_FILLERS.get(kind))

    def _resolved(self, schema: Schema) -> Schema:
        """The schema behind `$ref` within the document, or the first of `anyOf` that is not null."""
        if (last := self._seen.get(id(schema))) is None:
            *_, last = self._steps(schema)
            self._seen[id(schema)] = last
        return last

    def _may_be_null(self, schema: Schema) -> bool:
        steps = list(self._steps(schema))
        options = [option for step in steps for name in _CHOICES for option in _list(step, name)]
        return any("null" in _types(step) for step in steps) or any(map(_is_null, options))

    def _steps(self, schema: Schema) -> Iterator[Schema]:
        """The schema, and what it comes to step by step."""
        yield schema
        for _ in range(_DEEPEST):
            target: Any = schema
            if isinstance(schema.get("$ref"), str):
                target = self._referred(schema["$ref"])
            else:
                options = [option for name in _CHOICES for option in _list(schema, name)]
                target = next((option for option in options if not _is_null(option)), schema)
            if target is schema:
                return
            schema = target if isinstance(target, Mapping) else _ANYTHING
            yield schema

    def _referred(self, pointer: str) -> Any:
        target: Any = self.schema
        for step in pointer.removeprefix("#").strip("/").split("/"):
            target = target.get(step) if step and isinstance(target, Mapping) else target
        return target


def shape_of(
    response_format: Mapping[str, Any] | None, compared: Sequence[Path], read: Sequence[Path] = ()
) -> ObjectShape | None:
    """The shape that answers must have; None where they are plain text."""
    body = response_format or {}
    nested = body.get("json_schema")
    schema = (nested if isinstance(nested, Mapping) else body).get("schema")
    if isinstance(schema, Mapping) and _properties(schema):
        return ObjectShape(schema, read)
    names = [path for path in compared if path and all(isinstance(step, str) for step in path)]
    return ObjectShape(_schema_of(names)) if names else None


def _schema_of(paths: Sequence[Path]) -> Schema:
    below: dict[str, list[Path]] = {}
    for first, *rest in paths:
        below.setdefault(str(first), []).append(tuple(rest))
    return {
        "type": "object",
        "properties": {
            key: _schema_of([path for path in rests if path]) if any(rests) else {} for key, rests in below.items()
        },
    }


def _properties(schema: Schema) -> Mapping[str, Schema]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    return {key: part if isinstance(part, Mapping) else _ANYTHING for key, part in properties.items()}


def _list(schema: Schema, name: str) -> Sequence[Any]:
    options = schema.get(name)
    return options if isinstance(options, Sequence) and not isinstance(options, str) else ()


def _is_null(option: Any) -> bool:
    return isinstance(option, Mapping) and option.get("type") == "null"


def _is_object(schema: Schema, here: Path) -> bool:
    return _type_of(schema) == "object" and len(here) < _DEEPEST


def _fixed(schema: Schema) -> Any:
    """The value that a schema itself names, the first if there are several; ABSENT if it names none."""
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    return next(iter(_list(schema, "enum")), ABSENT)


def _types(schema: Schema) -> Sequence[Any]:
    return _list(schema, "type") or (schema.get("type"),)


def _type_of(schema: Schema) -> str | None:
    written = next((kind for kind in _types(schema) if kind != "null"), None) or schema.get("type")
    if isinstance(written, str):
        return written
    return "object" if "properties" in schema else None


def _fitted(value: Any, schema: Schema) -> Any:
    """The value as the schema wants it, or ABSENT if it is none of that type or not among its options."""
    if value is ABSENT or value is None:
        return ABSENT
    fitted = _converted(value, _type_of(schema))
    options = _list(schema, "enum")
    return ABSENT if options and fitted not in options else fitted


def _converted(value: Any, kind: str | None) -> Any:
    match kind:
        case "string":
            return as_text(value)
        case "boolean":
            return value if isinstance(value, bool) else ABSENT
        case "integer" | "number":
            return _as_number(value)
        case "array":
            return value if isinstance(value, list) else ABSENT
        case "object":
            return ABSENT  # filled part by part
        case _:
            return value


def _as_number(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    for convert in (int, float):
        try:
            return convert(value) if isinstance(value, str) else ABSENT
        except ValueError:
            continue
    return ABSENT
