"""What a JSON schema allows at a path: simple schemas, and "cannot say" for all others. Finds nothing.

Only what is certain is said. A schema with a keyword that is not understood here allows anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rftplan.checks.probes.fields import kind_of

Schema = Mapping[str, Any]

_OPAQUE: Final = frozenset({
    "allOf", "oneOf", "not", "if", "then", "else", "patternProperties", "prefixItems", "dependentSchemas",
    "unevaluatedProperties", "propertyNames", "contains", "$dynamicRef", "$recursiveRef",
})  # fmt: skip
"""Keywords that this module does not follow."""
_MOST_BRANCHES: Final = 200


def resolve(schema: Any, root: Schema) -> Any:
    """The schema that a local `$ref` stands for; the schema itself without one, None for what cannot be followed."""
    seen: set[str] = set()
    while isinstance(schema, Mapping) and "$ref" in schema:
        ref = schema["$ref"]
        if not isinstance(ref, str) or ref in seen or not ref.startswith("#"):
            return None
        seen.add(ref)
        schema = _pointed(ref[1:], root)
    return schema


def _pointed(pointer: str, root: Schema) -> Any:
    value: Any = root
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value


def branches(schema: Any, root: Schema) -> Iterator[Schema | None]:
    """The alternatives of a schema, references and `anyOf` followed; None for one that cannot be read here."""
    waiting, read = [schema], 0
    while waiting:
        read += 1
        one = resolve(waiting.pop(0), root)
        if not isinstance(one, Mapping) or _OPAQUE & one.keys() or read > _MOST_BRANCHES:
            yield None
            return
        if isinstance(one.get("anyOf"), list):
            waiting.extend(one["anyOf"])
        else:
            yield one


def types(schema: Schema) -> frozenset[str] | None:
    """The JSON types that one branch allows; None for any."""
    written = schema.get("type")
    if isinstance(written, str):
        return frozenset({written})
    if isinstance(written, list) and all(isinstance(one, str) for one in written):
        return frozenset(written)
    values = _listed(schema)
    return None if values is None else frozenset(kind_of(value) for value in values)


def _listed(schema: Schema) -> Sequence[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return schema["enum"] if isinstance(schema.get("enum"), list) else None


def at_path(schema: Schema, path: Sequence[str | int], root: Schema) -> list[Schema] | None:
    """Every branch that a value at this path may follow: empty if no answer can have one there, None if it cannot
    be said."""
    found = _alternatives([schema], root)
    for step in path:
        inner = [_inside(branch, step) for branch in found or ()]
        if found is None or None in inner:
            return None
        found = _alternatives([one for one in inner if one is not _NOTHING], root)
    return found


def _alternatives(schemas: Sequence[Any], root: Schema) -> list[Schema] | None:
    """All branches of all these schemas, each once, so that a schema inside itself does not grow with each step."""
    found: dict[int, Schema] = {}
    for schema in schemas:
        for branch in branches(schema, root):
            if branch is None:
                return None
            found[id(branch)] = branch
    return list(found.values())


_NOTHING: Final[Any] = object()


def _inside(branch: Schema, step: str | int) -> Any:
    """The schema of a part: _NOTHING if there can be none, None if there may be one that nobody described."""
    allowed = types(branch)
    wanted = "array" if isinstance(step, int) else "object"
    if allowed is not None and wanted not in allowed:
        return _NOTHING
    if isinstance(step, int):
        return branch.get("items")
    properties = branch.get("properties", {})
    if isinstance(properties, Mapping) and step in properties:
        return properties[step]
    return _NOTHING if branch.get("additionalProperties") is False else None


def allowed_texts(found: Sequence[Schema]) -> list[str] | None:
    """The texts that these branches list, in order; None if one of them allows any text."""
    listed: dict[str, None] = {}
    for branch in found:
        values = _listed(branch)
        if values is None:
            allowed = types(branch)
            if allowed is None or "string" in allowed:
                return None
            continue
        listed.update((value, None) for value in values if isinstance(value, str))
    return list(listed)


def all_types(found: Sequence[Schema]) -> frozenset[str] | None:
    """The JSON types that these branches allow together; None for any."""
    allowed = [types(branch) for branch in found]
    return None if None in allowed else frozenset().union(*(one for one in allowed if one is not None))


def names_at(schema: Schema, path: Sequence[str | int], root: Schema) -> list[str]:
    """The properties that an answer may have at this path, for hints."""
    names: dict[str, None] = {}
    for branch in at_path(schema, path, root) or ():
        properties = branch.get("properties", {})
        names.update((name, None) for name in (properties if isinstance(properties, Mapping) else ()))
    return list(names)
