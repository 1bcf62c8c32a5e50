"""What the range of scores alone says of a mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.judging.bounded import alike, chernoff, missed
from rftplan.judging.proportions import clopper_pearson


@given(st.floats(0, 1), st.integers(1, 1000), st.sampled_from([0.025, 0.0025]))
def test_the_bound_holds_the_mean_and_stays_in_the_range(mean: float, count: int, tail: float) -> None:
    low, high = chernoff(mean, count, tail=tail)
    assert 0 <= low <= mean <= high <= 1 and low < high


@given(st.integers(0, 40))
def test_the_bound_is_no_narrower_than_what_is_exact_for_shares(hits: int) -> None:
    low, high = chernoff(hits / 40, 40, tail=0.025)
    exact = clopper_pearson(hits, 40, tail=0.025)
    assert low <= exact[0] + 1e-9 and high >= exact[1] - 1e-9


def test_equal_scores_leave_room_for_as_many_others_as_are_missed_by_chance() -> None:
    assert missed(20, chance=0.025) == pytest.approx(0.16843, abs=1e-5)
    assert alike([0.5] * 20, tail=0.025) == pytest.approx((0.4158, 0.5842), abs=1e-4)
    assert alike([1.0] * 20, tail=0.025) == pytest.approx((0.8316, 1.0), abs=1e-4)
