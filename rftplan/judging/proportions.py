"""Exact intervals for shares of rows, and for the difference of two shares on the same rows. Resamples nothing.

Clopper–Pearson was chosen over Wilson by coverage: of 20 rows with a true share of 0.95, Wilson's 95 % interval holds
the share in 92.5 % of cases, Clopper–Pearson's in 98 %. It is never below what is stated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Final

_HALVINGS: Final = 60
"""Of an interval of length 2: as fine as a float is."""


def clopper_pearson(hits: int, count: int, *, tail: float) -> tuple[float, float]:
    """Between which shares the true one lies, with a chance of at most `tail` to miss it on either side."""
    low = 0.0 if hits == 0 else _beta_quantile(tail, hits, count - hits + 1)
    high = 1.0 if hits == count else _beta_quantile(1 - tail, hits + 1, count - hits)
    return low, high


def tango(better: int, worse: int, count: int, *, tail: float) -> tuple[float, float]:
    """Between which values the difference of two shares lies, where `better` rows speak for one side, `worse` for the
    other, and the rest for neither. Tango's score interval (1998): never of zero width, also if no row differs."""
    most = NormalDist().inv_cdf(1 - tail)
    seen = (better - worse) / count

    def above(difference: float) -> bool:
        return _score(better, worse, count, difference) > most

    def below(difference: float) -> bool:
        return _score(better, worse, count, difference) < -most

    low = -1.0 if not above(-1.0) else _edge(-1.0, seen, above)
    high = 1.0 if not below(1.0) else _edge(1.0, seen, below)
    return low, high


def _score(better: int, worse: int, count: int, difference: float) -> float:
    """How many standard errors the counts lie above a true `difference`, with the likeliest shares that have it."""
    b = (2 * count - better + worse) * difference - better - worse
    root = math.sqrt(max(0.0, b * b + 8 * count * worse * difference * (1 - difference)))
    share = (root - b) / (4 * count)
    variance = count * (2 * share + difference * (1 - difference))
    distance = better - worse - count * difference
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def _edge(outside: float, inside: float, is_outside: Callable[[float], bool]) -> float:
    """Where what is outside ends, between a value that is and one that is not."""
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        if is_outside(middle):
            outside = middle
        else:
            inside = middle
    return outside


def _beta_quantile(share: float, a: int, b: int) -> float:
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _beta_below(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_below(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function."""
    if not 0 < x < 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_below(1 - x, b, a)
    factor = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(factor) * _continued_fraction(x, a, b) / a


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Lentz's algorithm; it converges in O(sqrt(max(a, b))) terms where x < (a + 1) / (a + b + 2)."""
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 20_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1 / (1 + term * d), 1 + term / c
            value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return value
