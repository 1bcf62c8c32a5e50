"""How much text the prompts of rows have, and which have far more than the others. Judges nothing.

Counted are the texts of messages: a picture takes as many tokens as it has pixels, and no model sees other fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from rftplan.canonical import Json, JsonObject
from rftplan.data.probes import Probe

LARGE: Final = 1_000_000
"""Characters; about what a model with a window of 250,000 tokens reads of English."""
_LISTS: Final = ("messages", "preferred_output", "non_preferred_output")
_VERSION: Final = "sizes/1"


def _characters(row: Mapping[str, Any]) -> int:
    return sum(map(len, _texts(row)))


def _texts(row: Mapping[str, Any]) -> Iterator[str]:
    given = row.get("input")
    for holder in (row, given) if isinstance(given, dict) else (row,):
        for key in _LISTS:
            messages = holder.get(key)
            for message in messages if isinstance(messages, list) else ():
                content = message.get("content") if isinstance(message, dict) else None
                if isinstance(content, str):
                    yield content
                for part in content if isinstance(content, list) else ():
                    if isinstance(part, dict) and isinstance(part.get("text"), str):
                        yield part["text"]


class _Sizes:
    def __init__(self) -> None:
        self._lengths: Counter[int] = Counter()
        self._large: list[Json] = []

    def see(self, line: int, row: Mapping[str, Json]) -> None:
        size = _characters(row)
        self._lengths[size.bit_length()] += 1
        if size > LARGE:
            self._large.append([line, size])

    def found(self) -> JsonObject:
        return {"lengths": {str(bits): n for bits, n in sorted(self._lengths.items())}, "large": self._large}


class SizeFacts(Struct, frozen=True):
    """`large` are line and characters of each row with more than LARGE, `median` is what half of all rows have no
    more than, up to twice of it."""

    rows: int
    median: int
    large: tuple[tuple[int, int], ...]


SIZES_PROBE: Final = Probe(_VERSION, _Sizes)


def size_facts(found: Mapping[str, JsonObject]) -> SizeFacts | None:
    """What the probe found; None where it did not look."""
    document: Any = found.get(SIZES_PROBE.key)
    if document is None:
        return None
    lengths = {int(bits): n for bits, n in document["lengths"].items()}
    rows, below, median = sum(lengths.values()), 0, 0
    for bits, count in sorted(lengths.items()):
        below, median = below + count, 2**bits
        if 2 * below >= rows:
            break
    return SizeFacts(rows, median, tuple((line, size) for line, size in document["large"]))
