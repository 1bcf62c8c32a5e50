"""How often an interval holds the true mean, by simulation, and how often chance passes for merit.

`RFTPLAN_COVERAGE_RUNS=1000` makes the simulation long; what it said then is in docs/judging.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from math import comb
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.judging import FEWEST_ROWS, Figure, Range, Way, difference_of, mean_of, row_means, tail_of

RUNS = int(os.environ.get("RFTPLAN_COVERAGE_RUNS", "0"))
UNIT = Range()
TAIL = tail_of(0.95)


def four_samples(share: float, chance: Random) -> float:
    """A row of four answers, some rows easier than others."""
    easy = chance.betavariate(2 * share, 2 * (1 - share))
    return sum(chance.random() < easy for _ in range(4)) / 4


def rubric(share: float, chance: Random) -> float:
    """Half a verdict that is right or wrong, half a judge's grade in tenths."""
    return 0.5 * (chance.random() < share) + 0.5 * round(chance.betavariate(5 * share, 5 * (1 - share)), 1)


def similarity(share: float, chance: Random) -> float:
    return chance.betavariate(10 * share, 10 * (1 - share))


def hardly_ever_wrong(share: float, chance: Random) -> float:
    """All but the same score, and a quite different one now and then: what drawing rows again cannot see."""
    return 1 - chance.random() * 0.02 if chance.random() < share else chance.random() * 0.02


def verdict(share: float, chance: Random) -> float:
    return float(chance.random() < share)


SPREADS = (verdict, four_samples, rubric, similarity, hardly_ever_wrong)
Spread = Callable[[float, Random], float]


def true_mean(spread: Spread, share: float) -> float:
    if spread is rubric:
        chance = Random(1)
        return sum(rubric(share, chance) for _ in range(100_000)) / 100_000
    return share * 0.99 + (1 - share) * 0.01 if spread is hardly_ever_wrong else share


def rows(spread: Spread, share: float, count: int, chance: Random) -> list[float]:
    return [float(spread(share, chance)) for _ in range(count)]


@pytest.mark.parametrize("spread", SPREADS, ids=lambda spread: spread.__name__)
@pytest.mark.parametrize("share", [0.5, 0.9, 0.95])
def test_intervals_hold_the_true_mean_as_often_as_they_should(spread: Spread, share: float) -> None:
    chance, mean, runs = Random(11), true_mean(spread, share), RUNS or 40
    held = {}
    for count in (20, 50, 200):
        figures = [mean_of(rows(spread, share, count, chance), tail=TAIL, within=UNIT, draws=300) for _ in range(runs)]
        held[count] = sum(figure.low <= mean <= figure.high for figure in figures) / runs
    if RUNS:
        assert min(held.values()) >= 0.93, held
    assert sum(held.values()) / 3 >= 0.93  # of so few runs each alone would fail by chance


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_intervals_of_a_difference_hold_it_as_often_as_they_should(share: float) -> None:
    chance, runs = Random(3), RUNS or 30
    for spread in (four_samples, similarity):
        held = []
        for count in (20, 50, 200):
            for _ in range(runs):
                pair = rows(spread, share, count, chance), rows(spread, share, count, chance)
                found = difference_of(*pair, tail=TAIL, within=UNIT, draws=300)
                held.append(found.low <= 0 <= found.high)
        assert sum(held) / len(held) >= 0.93


@pytest.mark.parametrize("bar", [0.8, 0.7], ids=["above them", "just what they are"])
def test_of_ten_checkpoints_of_0_70_on_20_rows_hardly_ever_one_passes(bar: float) -> None:
    """Exactly, over every count of right rows: the checkpoints are judged one after the other on the same file."""
    none = 1.0
    for look in range(1, 11):
        figures = (mean_of([1.0] * n + [0.0] * (20 - n), tail=tail_of(0.95, look), within=UNIT) for n in range(21))
        passing = [n for n, figure in enumerate(figures) if figure.low >= bar]
        none *= 1 - sum(comb(20, n) * 0.7**n * 0.3 ** (20 - n) for n in passing)
    assert 1 - none <= 0.05


@cache
def low_of(better: int, worse: int, count: int, look: int) -> float:
    mine = [1.0] * better + [0.0] * (count - better)
    theirs = [0.0] * better + [1.0] * worse + [0.0] * (count - better - worse)
    return difference_of(mine, theirs, tail=tail_of(0.95, look), within=UNIT).low


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95])
@pytest.mark.parametrize("count", [20, 50, 200])
def test_of_five_worthless_retrains_hardly_ever_one_is_better(count: int, share: float) -> None:
    """Each is truly as good as what is live, whose answers stay the same for all of them."""
    chance, runs, passed = Random(5), RUNS or 400, 0
    for _ in range(runs):
        live = rows(verdict, share, count, chance)
        for look in range(1, 6):
            apart = [one - other for one, other in zip(rows(verdict, share, count, chance), live, strict=True)]
            if low_of(apart.count(1.0), apart.count(-1.0), count, look) > 0:
                passed += 1
                break
    assert passed / runs <= 0.05


@pytest.mark.parametrize("count", [50, 100])
def test_of_five_worthless_retrains_hardly_ever_one_scores_higher(count: int) -> None:
    chance, runs, passed = Random(8), RUNS or 20, 0
    for _ in range(runs):
        live = rows(four_samples, 0.9, count, chance)
        passed += any(
            difference_of(
                rows(four_samples, 0.9, count, chance), live, tail=tail_of(0.95, look), within=UNIT, draws=1000
            ).low
            > 0
            for look in range(1, 6)
        )
    assert passed / runs <= (0.05 if RUNS else 0.15)  # 3 of 20 happen by chance


def test_what_is_truly_better_is_found() -> None:
    chance = Random(2)
    for spread in (verdict, four_samples, similarity):
        found = difference_of(rows(spread, 0.9, 200, chance), rows(spread, 0.5, 200, chance), tail=TAIL, within=UNIT)
        assert found.low > 0.2


WAYS = [
    ([1.0] * 15 + [0.0] * 5, Way.CLOPPER_PEARSON),
    ([1.0] * 20, Way.CLOPPER_PEARSON),
    ([0.5] * 20, Way.RANGE),
    ([0.5] * 19 + [0.54], Way.RANGE),
    ([n / 99 for n in range(99)], Way.STUDENTISED),
    ([n / 100 for n in range(100)], Way.BCA),
]


@pytest.mark.parametrize(("scores", "way"), WAYS)
def test_the_way_fits_the_scores(scores: list[float], way: Way) -> None:
    assert mean_of(scores, tail=TAIL, within=UNIT).way is way


@given(st.lists(st.floats(0, 1), min_size=FEWEST_ROWS, max_size=120), st.sampled_from([0.025, 0.0025]))
def test_an_interval_holds_what_was_seen_has_a_width_and_is_the_same_again(scores: list[float], tail: float) -> None:
    found = mean_of(scores, tail=tail, within=UNIT, draws=50)
    assert 0 <= found.low <= found.value <= found.high <= 1 and found.low < found.high
    assert mean_of(scores[::-1], tail=tail, within=UNIT, draws=50) == found
    moved = mean_of([10 * score - 4 for score in scores], tail=tail, within=Range(-4, 6), draws=50)
    assert isinstance(moved, Figure) and moved.value == pytest.approx(10 * found.value - 4, abs=1e-6)


def test_a_score_outside_of_the_range_widens_it() -> None:
    assert Range(0, 1).around([2.0, 0.5]) == Range(0, 2)
    assert mean_of([2.0] * 20, tail=TAIL, within=UNIT).high == 2


def test_too_few_rows_have_no_interval() -> None:
    for wrong in (lambda: mean_of([1.0] * 19, tail=TAIL, within=UNIT), lambda: difference_of([1.0] * 19, [1.0] * 19,
                  tail=TAIL, within=UNIT)):  # fmt: skip
        with pytest.raises(ValueError, match="19 rows are too few: 20 are needed"):
            wrong()


def test_the_samples_of_a_row_count_as_one() -> None:
    assert row_means([[1.0, 0.0], [1.0, 1.0]]) == [0.5, 1.0]


def test_all_looks_together_miss_no_more_than_is_stated() -> None:
    assert tail_of(0.95) == pytest.approx(0.025)  # the ordinary interval
    assert tail_of(0.9, 2) == pytest.approx(0.1 / 6)
    assert sum(tail_of(0.95, look) for look in range(1, 10_000)) <= 0.05
