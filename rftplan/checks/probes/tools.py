"""How many rows give the model tools. Judges nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from rftplan.canonical import Json, JsonObject
from rftplan.data.probes import Probe


class _Tools(Struct):
    rows: int = 0
    lacking: int = 0

    def see(self, line: int, row: Mapping[str, Json]) -> None:
        self.rows += 1
        self.lacking += not row.get("tools")

    def found(self) -> JsonObject:
        return {"rows": self.rows, "lacking": self.lacking}


class ToolFacts(Struct, frozen=True):
    """`lacking` of all rows have no tools: none, null or an empty list."""

    rows: int
    lacking: int


TOOLS_PROBE: Final = Probe("tools/1", _Tools)


def tool_facts(found: Mapping[str, JsonObject]) -> ToolFacts | None:
    """What the probe found; None where it did not look."""
    document: Any = found.get(TOOLS_PROBE.key)
    return None if document is None else ToolFacts(document["rows"], document["lacking"])
