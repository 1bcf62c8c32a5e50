"""In which rows the last message of the user ends with a field of the row. Judges nothing.

Case, spaces and what closes a sentence do not count; a part of a word, or of a number, is no ending.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from rftplan.canonical import Json, JsonObject
from rftplan.checks.probes.fields import FieldPath
from rftplan.checks.probes.tally import Tally, tally_of
from rftplan.data.probes import Probe

_MOST_VALUES: Final = 1000
_CLOSING: Final = " \t\r\n.!?;,:)]}>*_`'\"”’"
_VERSION: Final = "endings/1"


def _last_text(row: Mapping[str, Any]) -> str:
    """The text of the last message, if that is the user's."""
    messages = row.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) and last.get("role") == "user" else None
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        content = next((text for text in reversed(texts) if isinstance(text, str)), None)
    return content if isinstance(content, str) else ""


def _value(row: Any, path: FieldPath) -> str:
    for step in path:
        try:
            row = row[step]
        except (TypeError, KeyError, IndexError):
            return ""
    return row if isinstance(row, str) else ""


def _ends_with(text: str, value: str) -> bool:
    """Whether the text says something, and then this value."""
    text, value = text.rstrip(_CLOSING), value.strip().rstrip(_CLOSING)
    before = text[-len(value) - 1 : -len(value)] if value else ""
    return bool(before) and not before.isalnum() and before not in ".,-" and _same(text[-len(value) :], value)


def _same(one: str, other: str) -> bool:
    return one == other or one.casefold() == other.casefold()


class _Column(Struct):
    tally: Tally
    values: Counter[int]


class _Endings:
    def __init__(self, paths: frozenset[FieldPath]) -> None:
        self._columns = {path: _Column(Tally(), Counter()) for path in sorted(paths, key=repr)}
        self._rows = 0

    def see(self, line: int, row: Mapping[str, Json]) -> None:
        self._rows += 1
        text = _last_text(row)
        for path, column in self._columns.items():
            value = _value(row, path)
            if _ends_with(text, value):
                column.tally.see(line)
                key = hash(value)  # compared within this process alone
                if key in column.values or len(column.values) < _MOST_VALUES:
                    column.values[key] += 1

    def found(self) -> JsonObject:
        columns: list[Json] = [
            [list(path), column.tally.document(), len(column.values), max(column.values.values(), default=0)]
            for path, column in self._columns.items()
        ]
        return {"rows": self._rows, "columns": columns}


class Ending(Struct, frozen=True):
    """In how many of all rows the prompt ends with the field, with how many different values, and how often with the
    most frequent of them."""

    rows: int
    all: Tally
    different: int
    most: int


def endings_probe(paths: frozenset[FieldPath]) -> Probe:
    """A probe for these fields."""
    text = json.dumps(sorted(map(list, paths), key=repr), ensure_ascii=False)
    return Probe(f"{_VERSION}:{hashlib.sha256(text.encode()).hexdigest()[:16]}", lambda: _Endings(paths))


def ending_facts(found: Mapping[str, JsonObject], paths: frozenset[FieldPath]) -> dict[FieldPath, Ending]:
    """What the probe for these fields found; nothing where it did not look."""
    document: Any = found.get(endings_probe(paths).key)
    columns = document["columns"] if document else ()
    return {
        tuple(path): Ending(document["rows"], tally_of(tally), different, most)
        for path, tally, different, most in columns
    }
