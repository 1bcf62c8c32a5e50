"""Rules about the response format's own schema, where it is strict: what the service takes there. Pure; reads no rows.

The rules and limits are those that the vendor documents for structured outputs (as of 2026-02).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rftplan.checks.preflight import Preflight
from rftplan.checks.schema_views import resolve
from rftplan.checks.schemas import Format, format_of
from rftplan.codes import Code, error, finding, warning
from rftplan.errors import Diagnostic, Place

STRICT_RULE: Final = error("G125", "Strict schema breaks a rule of strict schemas")
STRICT_KEYWORD: Final = warning("G126", "Strict schema has what fine-tuned models do not take")
STRICT_LIMIT: Final = warning("G127", "Strict schema is over a limit")

_NEVER: Final = ("allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas")
_NOT_FINE_TUNED: Final = (
    "minLength", "maxLength", "pattern", "format", "minimum", "maximum", "multipleOf", "patternProperties",
    "unevaluatedProperties", "propertyNames", "minProperties", "maxProperties", "unevaluatedItems", "contains",
    "minContains", "maxContains", "minItems", "maxItems", "uniqueItems",
)  # fmt: skip
_MOST_PROPERTIES: Final = 5_000
_MOST_LEVELS: Final = 10
_MOST_ENUM: Final = 1_000
_MOST_CHARACTERS: Final = 120_000
_MOST_NODES: Final = 200_000

_Fault = tuple[Code, str, str]


def strict_schema(preflight: Preflight) -> Iterable[Diagnostic]:
    """Every place of every strict schema that breaks a rule, and every limit that one is over."""
    for job in preflight.of_kind("job"):
        form = format_of(job)
        for code, said, hint in faults(form) if form and form.enforced else ():
            place = _place(form, said.partition(" ")[0]) if form else None
            yield finding(code, said, place=place, address=str(job.address), hint=hint)


def _place(form: Format, pointer: str) -> Place:
    """Where this part of the schema was written, in a spec or in a file of its own; the nearest around it in doubt."""
    whole = ("method", "reinforcement", "response_format")
    steps: list[str | int] = []
    node: Any = form.schema
    for name in pointer.split("/")[1:]:
        step = int(name) if isinstance(node, list) and name.isdecimal() else name
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            break
        steps.append(step)
    nested = form.job.where((*whole, "json_schema", "schema", *steps))
    return nested if nested != form.job.where(whole) else form.job.where((*whole, "schema", *steps))


def faults(form: Format) -> Iterator[_Fault]:
    """What is wrong with a schema: the code, what exactly, and what to do."""
    yield from _root_faults(form.schema)
    size = _Size()
    for pointer, level, node in _nodes(form.schema):
        yield from _node_faults(pointer, node, form.schema)
        size.count(level, node)
    yield from size.faults()


def _root_faults(schema: Mapping[str, Any]) -> Iterator[_Fault]:
    root = resolve(schema, schema)
    if "anyOf" in schema:
        yield STRICT_RULE, "the root is an anyOf; it has to be one object", "put the anyOf into a property"
    elif isinstance(root, Mapping) and root.get("type") != "object":
        yield STRICT_RULE, 'the root has to be of {"type": "object"}', "put the value into a property of an object"


def _node_faults(pointer: str, node: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[_Fault]:
    if _is_object(node):
        if node.get("additionalProperties") is not False:
            yield STRICT_RULE, f"{pointer} lets other properties in", 'add "additionalProperties": false'
        yield from _required_faults(pointer, node)
    for key in _NEVER:
        if key in node:
            yield STRICT_RULE, f"{pointer} has {key}, which is not taken", "write it with anyOf, or leave it out"
    if "$ref" in node and not isinstance(resolve(node, root), Mapping):
        yield STRICT_RULE, f"{pointer} refers to what is not there", 'write "#/$defs/NAME", and define it in $defs'
    if narrow := [key for key in _NOT_FINE_TUNED if key in node]:
        said = f"{pointer} has {', '.join(narrow)}, which the service does not take for fine-tuned models"
        yield STRICT_KEYWORD, said, "say it in a description, or have the grader check it"


def _required_faults(pointer: str, node: Mapping[str, Any]) -> Iterator[_Fault]:
    properties, required = node.get("properties"), node.get("required", [])
    names = list(properties) if isinstance(properties, Mapping) else []
    listed = required if isinstance(required, list) else []
    if missing := [name for name in names if name not in listed]:
        said = f"{pointer} does not require {', '.join(missing[:5])}"
        yield STRICT_RULE, said, 'list every property in "required"; one that may be absent takes the type null, too'
    if strangers := [str(name) for name in listed if name not in names]:
        yield STRICT_RULE, f"{pointer} requires {', '.join(strangers[:5])}, which it does not describe", "describe it"


def _is_object(node: Mapping[str, Any]) -> bool:
    kind = node.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in node


def _nodes(schema: Mapping[str, Any]) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """Every schema inside a schema, itself first: where it is, and how many objects are around it, at least."""
    waiting: list[tuple[str, int, Any]] = [("the root", 1, schema)]
    for _ in range(_MOST_NODES):
        if not waiting:
            return
        pointer, level, node = waiting.pop(0)
        if isinstance(node, Mapping):
            yield pointer, level, node
            waiting.extend(_parts(pointer.removeprefix("the root"), level, node))


def _parts(pointer: str, level: int, node: Mapping[str, Any]) -> Iterator[tuple[str, int, Any]]:
    for key in ("properties", "$defs", "definitions"):
        inner = node.get(key)
        for name, part in inner.items() if isinstance(inner, Mapping) else ():
            yield f"{pointer}/{key}/{name}", level + 1 if key == "properties" else 1, part
    for key in ("anyOf", "oneOf", "allOf"):
        for index, part in enumerate(node[key]) if isinstance(node.get(key), list) else ():
            yield f"{pointer}/{key}/{index}", level, part
    if "items" in node:
        yield f"{pointer}/items", level, node["items"]


class _Size:
    """What the limits count, over all schemas inside one."""

    def __init__(self) -> None:
        self._properties = self._levels = self._enum = self._characters = 0

    def count(self, level: int, node: Mapping[str, Any]) -> None:
        names = [*_keys(node, "properties"), *_keys(node, "$defs"), *_keys(node, "definitions")]
        values = node["enum"] if isinstance(node.get("enum"), list) else []
        self._properties += len(_keys(node, "properties"))
        self._levels = max(self._levels, level if _is_object(node) else 0)
        self._enum += len(values)
        fixed = [value for value in (*values, node.get("const")) if isinstance(value, str)]
        self._characters += sum(map(len, (*names, *fixed)))

    def faults(self) -> Iterator[_Fault]:
        for count, most, what in (
            (self._properties, _MOST_PROPERTIES, "properties"),
            (self._levels, _MOST_LEVELS, "levels of nesting"),
            (self._enum, _MOST_ENUM, "values in enums"),
            (self._characters, _MOST_CHARACTERS, "characters in names and values"),
        ):
            if count > most:
                yield STRICT_LIMIT, f"it has {count} {what}, and the service takes {most}", "make it smaller"


def _keys(node: Mapping[str, Any], key: str) -> list[str]:
    inner = node.get(key)
    return list(inner) if isinstance(inner, Mapping) else []


RULES: Final = (strict_schema,)
PROBES: Final = ()
