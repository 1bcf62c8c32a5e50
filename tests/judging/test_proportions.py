"""Exact intervals, held to what they promise by summing over every count that there can be."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.judging.proportions import clopper_pearson, tango

TAIL = 0.025


@pytest.mark.parametrize("count", [20, 50, 200])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.95])
def test_the_interval_of_a_share_holds_it_as_often_as_it_says(share: float, count: int) -> None:
    holds = 0.0
    for hits in range(count + 1):
        low, high = clopper_pearson(hits, count, tail=TAIL)
        if low <= share <= high:
            holds += comb(count, hits) * share**hits * (1 - share) ** (count - hits)
    assert holds >= 1 - 2 * TAIL


def test_known_values_of_the_interval_of_a_share() -> None:
    for hits, count, low, high in ((20, 20, 0.8315665, 1.0), (0, 20, 0.0, 0.1684335), (15, 20, 0.5089541, 0.9134285)):
        assert clopper_pearson(hits, count, tail=TAIL) == pytest.approx((low, high), abs=1e-6)


def chances(count: int, better: float, worse: float) -> list[tuple[int, int, float]]:
    """Every pair of counts, with its chance where so many rows speak for either side."""
    return [
        (a, b, comb(count, a) * comb(count - a, b) * better**a * worse**b * (1 - better - worse) ** (count - a - b))
        for a in range(count + 1)
        for b in range(count + 1 - a)
    ]


@pytest.mark.parametrize("count", [20, 50])
@pytest.mark.parametrize(("better", "worse"), [(0.25, 0.25), (0.09, 0.09), (0.0475, 0.0475), (0.1, 0.02), (0.3, 0.1)])
def test_the_interval_of_a_difference_holds_it_as_often_as_it_should(better: float, worse: float, count: int) -> None:
    holds = 0.0
    for a, b, chance in chances(count, better, worse):
        low, high = tango(a, b, count, tail=TAIL)
        holds += chance * (low <= better - worse <= high)
    assert holds >= 0.94


@given(st.integers(1, 300), st.data())
def test_intervals_hold_what_was_seen_and_are_never_of_zero_width(count: int, data: st.DataObject) -> None:
    better = data.draw(st.integers(0, count))
    worse = data.draw(st.integers(0, count - better))
    low, high = tango(better, worse, count, tail=TAIL)
    assert -1 <= low <= (better - worse) / count <= high <= 1 and low < high
    mirrored = tango(worse, better, count, tail=TAIL)
    assert mirrored == pytest.approx((-high, -low), abs=1e-9)
    low, high = clopper_pearson(better, count, tail=TAIL)
    assert 0 <= low <= better / count <= high <= 1 and low < high
