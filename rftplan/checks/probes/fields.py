"""Which rows lack a field that something reads, and what the others have there. Judges nothing."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct, field

from rftplan.canonical import Json, JsonObject
from rftplan.data.probes import Probe

MOST_VALUES: Final = 50
"""Different values of a field that are counted apart; a field with more is free text, and only their number grows."""
MOST_LINES: Final = 3
MOST_KEYS: Final = 200
RESERVED: Final = ("messages", "tools")
"""Keys of a row that are the prompt: no grader finds them in `item`."""
_LONGEST: Final = 120
_VERSION: Final = "fields/2"

FieldPath = tuple[str | int, ...]


class _Missing:
    """A field that a row does not have."""


class Column(Struct):
    """One field over all rows. `kinds` counts JSON types, `values` short values by their JSON text until there is a
    longer one, or there are more than MOST_VALUES of them."""

    missing: int = 0
    missing_lines: list[int] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    kind_lines: dict[str, int] = field(default_factory=dict)
    values: Counter[str] = field(default_factory=Counter)
    many: bool = False
    _texts: Counter[str] = field(default_factory=Counter)

    def see(self, line: int, value: Any) -> None:
        if value is _Missing:
            self.missing += 1
            if len(self.missing_lines) < MOST_LINES:
                self.missing_lines.append(line)
            return
        kind = kind_of(value)
        self.kinds[kind] += 1
        self.kind_lines.setdefault(kind, line)
        if not self.many:
            self._count(value)

    def _count(self, value: Any) -> None:
        if _is_long(value):
            self.many = True
        elif isinstance(value, str):
            self._texts[value] += 1
        else:
            self.values[_json_text(value)] += 1
        if self.many or len(self.values) + len(self._texts) > MOST_VALUES:
            self.many = True
            self.values.clear()
            self._texts.clear()

    def document(self) -> JsonObject:
        return {
            "missing": self.missing,
            "missing_lines": list(self.missing_lines),
            "kinds": dict(self.kinds),
            "kind_lines": dict(self.kind_lines),
            "values": {**self.values, **{_json_text(text): count for text, count in self._texts.items()}},
            "many": self.many,
        }


def _is_long(value: Any) -> bool:
    """Whether its JSON text surely has more than _LONGEST characters; no more of it is looked at than is needed."""
    if isinstance(value, str):
        return len(value) > _LONGEST
    size, inside = 0, [value]
    while inside and size <= _LONGEST:
        one = inside.pop()
        size += len(one) if isinstance(one, str | list | dict) else 1
        if isinstance(one, dict) and size <= _LONGEST:
            inside += (*one, *one.values())
        elif isinstance(one, list) and size <= _LONGEST:
            inside += one
    return size > _LONGEST


def _json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def kind_of(value: Any) -> str:
    """JSON's word for a value."""
    return _KINDS[type(value)]


_KINDS: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


class _Fields:
    def __init__(self, paths: Iterable[FieldPath]) -> None:
        self._columns = {path: Column() for path in sorted(paths, key=repr)}
        self._keys: Counter[str] = Counter()
        self._rows = 0

    def see(self, line: int, row: Mapping[str, Json]) -> None:
        self._rows += 1
        if len(self._keys) < MOST_KEYS:
            self._keys.update(row.keys())
        for path, column in self._columns.items():
            column.see(line, _at(row, path))

    def found(self) -> JsonObject:
        return {
            "rows": self._rows,
            "keys": dict(self._keys),
            "columns": [[list(path), column.document()] for path, column in self._columns.items()],
        }


def _at(value: Any, path: FieldPath) -> Any:
    if path[0] in RESERVED:
        return _Missing
    for step in path:
        if isinstance(step, str):
            if not isinstance(value, dict) or step not in value:
                return _Missing
        elif not isinstance(value, list) or step >= len(value):
            return _Missing
        value = value[step]
    return value


class FieldFacts(Struct, frozen=True):
    """What was found: `columns` by path, and how many rows have each key at the top (the first MOST_KEYS)."""

    rows: int
    keys: Mapping[str, int]
    columns: Mapping[FieldPath, Column]


def fields_probe(paths: frozenset[FieldPath]) -> Probe:
    """A probe for these fields; none are needed to learn which keys there are."""
    text = json.dumps(sorted(map(list, paths), key=repr), ensure_ascii=False)
    return Probe(f"{_VERSION}:{hashlib.sha256(text.encode()).hexdigest()[:16]}", lambda: _Fields(paths))


def field_facts(found: Mapping[str, JsonObject], paths: frozenset[FieldPath]) -> FieldFacts | None:
    """What the probe for these fields found; None where it did not look."""
    document: Any = found.get(fields_probe(paths).key)
    if document is None:
        return None
    columns = {tuple(path): _column(column) for path, column in document["columns"]}
    return FieldFacts(document["rows"], document["keys"], columns)


def _column(document: Mapping[str, Any]) -> Column:
    return Column(
        missing=document["missing"],
        missing_lines=list(document["missing_lines"]),
        kinds=Counter(document["kinds"]),
        kind_lines=dict(document["kind_lines"]),
        values=Counter(document["values"]),
        many=document["many"],
    )
