"""Rows of cells as aligned lines. Knows nothing of what the cells mean."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rftplan.render.look import Look


def cell_width(text: str) -> int:
    """Columns that `text` takes in a terminal; wide and combining characters counted as such."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def aligned(rows: Sequence[Sequence[str]], *, indent: int = 0, gap: int = 2) -> list[str]:
    """One line a row; each column as wide as its widest cell, the last one left as it is."""
    if not rows:
        return []
    widths = [max(cell_width(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [(" " * indent + _line(row, widths, gap)).rstrip() for row in rows]


def fits(lines: Sequence[str], width: int | None) -> bool:
    return width is None or all(cell_width(line) <= width for line in lines)


def fitted(rows: Sequence[Sequence[str]], look: Look, *, head: int) -> list[str]:
    """As `aligned` where the lines fit; otherwise each row's first `head` cells, and the others below them."""
    whole = aligned(rows)
    if fits(whole, look.width):
        return whole
    heads = aligned([row[:head] for row in rows])
    return [line for first, row in zip(heads, rows, strict=True) for line in _stacked(first, row[head:], look)]


def _stacked(first: str, others: Sequence[str], look: Look) -> list[str]:
    cells = [cell for cell in others if cell not in ("", "-")]
    together = ["  " + "  ".join(cells)] if cells else []
    if fits(together, look.width):
        return [first, *together]
    return [first, *(line for cell in cells for line in look.prose(cell, indent=2))]


def _line(row: Sequence[str], widths: Sequence[int], gap: int) -> str:
    return (" " * gap).join(cell + " " * (width - cell_width(cell)) for cell, width in zip(row, widths, strict=True))
