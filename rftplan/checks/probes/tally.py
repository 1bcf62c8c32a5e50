"""In how many rows something was seen, and in which first. Knows not what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, field

from rftplan.canonical import JsonObject

MOST_LINES: Final = 3


class Tally(Struct):
    """`lines` are the first MOST_LINES; `detail` and `hint` are about the first of them."""

    count: int = 0
    lines: list[int] = field(default_factory=list)
    detail: str = ""
    hint: str | None = None

    def see(self, line: int) -> None:
        self.count += 1
        if len(self.lines) < MOST_LINES:
            self.lines.append(line)

    def share(self, rows: int) -> str:
        """`3 of 83 rows (lines 4, 7, 9)`."""
        of = f"{self.count:,} of {rows:,} rows"
        shown = ", ".join(map(str, self.lines)) + ("…" if self.count > len(self.lines) else "")
        return f"{of} ({'line' if self.count == 1 else 'lines'} {shown})"

    def document(self) -> JsonObject:
        return {"count": self.count, "lines": list(self.lines), "detail": self.detail, "hint": self.hint}


def tally_of(document: Mapping[str, Any]) -> Tally:
    """What `Tally.document` wrote."""
    return Tally(document["count"], list(document["lines"]), document["detail"], document["hint"])
