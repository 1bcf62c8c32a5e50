"""Intervals for a mean by drawing rows again and again, where scores are more than right or wrong. Takes its chance
from the scores alone, so that the same scores give the same interval. Knows no range.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from statistics import NormalDist
from typing import Final

FEWEST_DRAWS: Final = 2000
MOST_DRAWS: Final = 10_000
_BEYOND: Final = 10
"""So many draws shall lie beyond an end of the interval, for it not to be one draw's chance."""
_MOST_ROWS: Final = 2_500_000
"""So many rows are drawn at most, which takes less than 0.3 s; the more rows, the closer are means to a normal law."""
_TABLED: Final = 4096


def studentised(scores: Sequence[float], *, tail: float, draws: int | None = None) -> tuple[float, float]:
    """For few rows: how far a mean lies from the true one, in standard errors, is taken from the draws. An end is
    infinite where the draws allow none."""
    count, mean = len(scores), sum(scores) / len(scores)
    error = math.sqrt(sum((score - mean) ** 2 for score in scores) / (count - 1) / count)
    distances = sorted(_distance([*drawn], mean) for drawn in _drawn(scores, draws or _enough(tail, count)))
    beyond = _beyond(len(distances), tail)
    far, near = distances[-1 - beyond], distances[beyond]
    return mean - far * error, mean - near * error


def _distance(drawn: Sequence[float], mean: float) -> float:
    count, there = len(drawn), sum(drawn) / len(drawn)
    spread = sum(map(float.__mul__, drawn, drawn)) / count - there * there
    if spread <= 1e-15:
        return math.copysign(math.inf, there - mean) if there != mean else 0.0
    return (there - mean) / math.sqrt(spread / (count - 1))


def bca(scores: Sequence[float], *, tail: float, draws: int | None = None) -> tuple[float, float]:
    """Bias-corrected and accelerated, for many rows: percentiles of the draws' means, moved by how skewed they are."""
    count, mean = len(scores), sum(scores) / len(scores)
    means = sorted(sum(drawn) / count for drawn in _drawn(scores, draws or _enough(tail, count)))
    normal, most = NormalDist(), len(means)
    below = (bisect_left(means, mean) + bisect_right(means, mean)) / 2 / most
    bias = normal.inv_cdf(min(max(below, 1 / most), 1 - 1 / most))
    apart = [score - mean for score in scores]
    skew = sum(d**3 for d in apart) / (6 * sum(d * d for d in apart) ** 1.5)

    def end(share: float) -> float:
        moved = bias + normal.inv_cdf(share)
        found = normal.cdf(bias + moved / max(1 - skew * moved, 1e-9))
        return means[min(most - 1, max(0, math.floor(found * most)))]

    return end(tail), end(1 - tail)


def _enough(tail: float, count: int) -> int:
    wanted = min(MOST_DRAWS, max(FEWEST_DRAWS, math.ceil(_BEYOND / tail)))
    return max(1000, min(wanted, _MOST_ROWS // count))


def _beyond(draws: int, tail: float) -> int:
    return max(0, math.floor(tail * (draws + 1)) - 1)


def _drawn(scores: Sequence[float], draws: int) -> Iterator[Iterable[float]]:
    """Rows, drawn with repetition: 16 bits a row point into a table that has every row about as often, which is eight
    times as fast as `choices`. Beyond `_TABLED` rows 32 bits and a division, so that none is preferred there either.
    """
    ordered, count = sorted(scores), len(scores)
    chance = Random(repr(ordered))
    if count > _TABLED:
        for _ in range(draws):
            yield [ordered[word % count] for word in memoryview(chance.randbytes(4 * count)).cast("I")]
        return
    row_of = [ordered[place * count >> 16] for place in range(1 << 16)].__getitem__
    for _ in range(draws):
        yield map(row_of, memoryview(chance.randbytes(2 * count)).cast("H"))
