"""Figures as little pictures in text: bars, sparklines, sizes. Knows nothing of what the figures mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

_LEVELS: Final = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int = 16) -> str:
    """The last `width` values, one character each, on a scale that always shows 0 to 1.

    A fixed scale, so that noise in a flat curve does not look like progress; it widens for values beyond it.
    """
    shown = [v for v in values if math.isfinite(v)][-width:]
    if not shown:
        return ""
    low, high = min(0.0, *shown), max(1.0, *shown)
    top = len(_LEVELS) - 1
    return "".join(_LEVELS[round((v - low) / (high - low) * top)] for v in shown)


def squeezed(values: Sequence[float], width: int) -> list[float]:
    """A whole course in at most `width` figures: means of neighbours, as many of them as are needed."""
    if len(values) <= width:
        return list(values)
    bounds = [len(values) * n // width for n in range(width + 1)]
    return [sum(values[low:high]) / (high - low) for low, high in pairwise(bounds)]


def bar(done: float, total: float, width: int = 20) -> str:
    """`[████······]`; full only when everything is done."""
    part = min(max(done / total, 0.0), 1.0) if total > 0 else 1.0
    filled = width if part == 1.0 else min(int(part * width), width - 1)
    return "[" + "█" * filled + "·" * (width - filled) + "]"


def size(count: int) -> str:
    """Bytes in decimal units: `999 B`, `1.5 MB`."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def figure(value: float) -> str:
    """A reward, a loss or a threshold, short: at most three decimals, no trailing zeros."""
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
