"""The object that a job's answers must be, and how to fill it from a row. Validates no answer.

Read from the response format, nested or flat; without a schema, from the paths that the grader reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rftplan.grading import ABSENT, as_text

Path = tuple[str | int, ...]
Schema = Mapping[str, Any]

_DEEPEST = 16  # levels of objects in one another; a schema that refers to itself ends there
_FILLERS: Mapping[str, Any] = {
    "string": "Not stated.",
    "number": 0,
    "integer": 0,
    "boolean": False,
    "array": [],
    "object": {},
}


@dataclass(frozen=True, slots=True)
class _Filling:
    """What is known, what of it was used, and what had to be made up, by path."""

    known: Mapping[Path, Any]
    used: set[Path] = field(default_factory=set)
    gaps: set[Path] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """A JSON schema of type object, or one made up of the paths that a grader reads."""

    schema: Schema

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
        return {key: self._filler(schema, 0) for key, schema in self.properties.items()}

    def filled(self, known: Mapping[Path, Any], item: Mapping[str, Any]) -> Any:
        """The object with all that is known: by path, else from the item's field of the same name.

        ABSENT if nothing of it is known, or if a known value does not fit where it belongs.
        """
        filling = _Filling(known)
        value = self._fill(self.schema, (), item, filling)
        return value if filling.used and filling.used >= {path for path in known if path} else ABSENT

    def gaps(self, known: Mapping[Path, Any], item: Mapping[str, Any]) -> frozenset[Path]:
        """The parts of that object which nothing names, so that what stands there is made up."""
        filling = _Filling(known)
        self._fill(self.schema, (), item, filling)
        return frozenset(filling.gaps)

    def _fill(self, schema: Schema, path: Path, item: Any, filling: _Filling) -> Any:
        filled: dict[str, Any] = {}
        for key, raw in _properties(schema).items():
            part, here = self._resolved(raw), (*path, key)
            source = item.get(key, ABSENT) if isinstance(item, Mapping) else ABSENT
            value = _fitted(filling.known.get(here, source), part)
            if value is not ABSENT:
                filling.used.add(here)
                filled[key] = value
            elif _type_of(part) == "object" and len(here) < _DEEPEST:
                filled[key] = self._fill(part, here, source, filling)
            else:
                filled[key] = self._filler(part, len(here))
                if "const" not in part:
                    filling.gaps.add(here)
        return filled

    def _filler(self, raw: Schema, depth: int) -> Any:
        schema = self._resolved(raw)
        for fixed in ("const", "default"):
            if fixed in schema:
                return schema[fixed]
        if options := _options(schema):
            return options[0]
        kind = _type_of(schema)
        if kind == "object" and depth < _DEEPEST:
            return {key: self._filler(part, depth + 1) for key, part in _properties(schema).items()}
        return _FILLERS.get(kind or "string")

    def _resolved(self, schema: Schema) -> Schema:
        """The schema behind `$ref` within the document, or the first of `anyOf`."""
        for _ in range(_DEEPEST):
            target: Any = schema
            if isinstance(schema.get("$ref"), str):
                target = self._referred(schema["$ref"])
            else:
                target = next((first for name in ("anyOf", "oneOf") if (first := _first(schema, name))), schema)
            if target is schema:
                break
            schema = target if isinstance(target, Mapping) else {}
        return schema

    def _referred(self, pointer: str) -> Any:
        target: Any = self.schema
        for step in pointer.removeprefix("#").strip("/").split("/"):
            target = target.get(step) if step and isinstance(target, Mapping) else target
        return target


def shape_of(response_format: Mapping[str, Any] | None, read: Sequence[Path]) -> ObjectShape | None:
    """The shape that answers must have; None where they are plain text."""
    body = response_format or {}
    nested = body.get("json_schema")
    schema = (nested if isinstance(nested, Mapping) else body).get("schema")
    if isinstance(schema, Mapping) and _properties(schema):
        return ObjectShape(schema)
    names = [path for path in read if path and all(isinstance(step, str) for step in path)]
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
    return {key: part if isinstance(part, Mapping) else {} for key, part in properties.items()}


def _first(schema: Schema, name: str) -> Any:
    options = schema.get(name)
    return options[0] if isinstance(options, Sequence) and options else None


def _options(schema: Schema) -> Sequence[Any]:
    options = schema.get("enum")
    return options if isinstance(options, Sequence) and not isinstance(options, str) else ()


def _type_of(schema: Schema) -> str | None:
    written = schema.get("type")
    if isinstance(written, Sequence) and not isinstance(written, str):
        written = next((kind for kind in written if kind != "null"), None)
    if isinstance(written, str):
        return written
    return "object" if "properties" in schema else None


def _fitted(value: Any, schema: Schema) -> Any:
    """The value as the schema wants it, or ABSENT if it is none of that type or not among its options."""
    if value is ABSENT or value is None:
        return ABSENT
    fitted = _converted(value, _type_of(schema))
    options = _options(schema)
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
