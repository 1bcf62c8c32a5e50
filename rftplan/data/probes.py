"""What is looked for in the rows while a data file is read anyway. Names the seam; looks for nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from rftplan.canonical import Json, JsonObject


class Watch(Protocol):
    """Sees each good row of one file once, in order, and then says what it found."""

    def see(self, line: int, row: Mapping[str, Json]) -> None:
        """A row and its 1-based line. The row belongs to the reader: keep none, change none. Raises nothing."""

    def found(self) -> JsonObject:
        """What there is to know; small, whatever the file's size, because the cache keeps it."""


class Probe(Struct, frozen=True):
    """A way to look at rows. `key` says what it looks for and how: probes of one key find the same in one file,
    whatever process asks, so a change of what `found` says needs another key."""

    key: str
    begin: Callable[[], Watch]


Found = Mapping[str, JsonObject]
"""What probes found in one file, by their keys."""
