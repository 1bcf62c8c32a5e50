"""What is known of a mean because scores lie in a range, however they are spread in it. Resamples nothing.

Scores are given in the unit range.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

_HALVINGS: Final = 60


def chernoff(mean: float, count: int, *, tail: float) -> tuple[float, float]:
    """Hoeffding's bound of 1963: it holds for every way in which scores are spread, so nothing has to be wider."""
    most = -math.log(tail) / count
    return _far(mean, 0.0, most), _far(mean, 1.0, most)


def _far(mean: float, end: float, most: float) -> float:
    inside, outside = mean, end
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if _divergence(mean, middle) <= most:
            inside = middle
        else:
            outside = middle
    return outside


def _divergence(mean: float, other: float) -> float:
    """Of two shares, in nats."""
    return _part(mean, other) + _part(1 - mean, 1 - other)


def _part(one: float, other: float) -> float:
    if one <= 0:
        return 0.0
    return math.inf if other <= 0 else one * math.log(one / other)


def alike(scores: Sequence[float], *, tail: float) -> tuple[float, float]:
    """Of scores that are all but equal: so many rows can be quite different, and none of them be among these."""
    unseen = missed(len(scores), chance=tail)
    low, high = min(scores), max(scores)
    return low - unseen * low, high + unseen * (1 - high)


def missed(count: int, *, chance: float) -> float:
    """The share of all rows of which `count` rows have none, with this chance."""
    return float(-math.expm1(math.log(chance) / count))
