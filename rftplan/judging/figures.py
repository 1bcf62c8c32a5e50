"""A mean with the interval around it, by the way that fits the scores. Decides nothing about a model.

Which way: 0/1 scores have exact intervals; all others are resampled by rows, studentised below 100 rows, BCa from
there. What resampling cannot see, rows of a kind that is not among these, is allowed for by the grader's range.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from rftplan.judging.bounded import alike, chernoff, missed

FEWEST_ROWS: Final = 20
"""With fewer, no interval around the mean is worth a promotion."""
MANY_ROWS: Final = 100
"""From here on percentiles of resampled means are good enough, and they need no standard error of each."""
_ALIKE: Final = 0.05
"""Scores within so much of the range say nothing about those that are not among them."""
_EVEN: Final = 0.5


class Way(StrEnum):
    """How an interval was found."""

    CLOPPER_PEARSON = "clopper-pearson"
    TANGO = "tango"
    STUDENTISED = "studentised bootstrap"
    BCA = "bca bootstrap"
    RANGE = "range"
    """The scores are all but equal; the grader's range bounds what others may be."""


class Range(Struct, frozen=True):
    """The lowest and the highest score that there can be."""

    low: float = 0.0
    high: float = 1.0

    def around(self, scores: Sequence[float]) -> Range:
        """The same, with all scores in it: a grader may give more than it said."""
        return Range(min(self.low, *scores), max(self.high, *scores))

    @property
    def width(self) -> float:
        return self.high - self.low


class Figure(Struct, frozen=True):
    """The mean over `rows` rows. The true one lies between `low` and `high`, but for a chance of `tail` on either
    side."""

    value: float
    low: float
    high: float
    rows: int
    tail: float
    way: Way


def tail_of(confidence: float, look: int = 1) -> float:
    """The chance that each end of an interval may be missed with, where it is the `look`-th model that is judged on
    the same rows, counted from 1.

    Bonferroni with shares that shrink, for nobody knows how many will follow: the first look has the ordinary interval,
    and all together, however many there are, miss a given end with a chance of 1 - confidence at most.
    """
    return (1 - confidence) / (look * (look + 1))


def row_means(samples: Sequence[Sequence[float]]) -> list[float]:
    """What each row scored on average over its samples."""
    return [sum(row) / len(row) for row in samples]


def mean_of(scores: Sequence[float], *, tail: float, within: Range, draws: int | None = None) -> Figure:
    """The mean of what the rows scored. `draws`: how often rows are drawn where that is done, as many as the tail needs
    if it is not said. ValueError below `FEWEST_ROWS`."""
    from rftplan.judging.proportions import clopper_pearson  # here, for who only plans computes nothing

    _enough_rows(scores)
    bounds = within.around(scores)
    unit = [(score - bounds.low) / bounds.width for score in scores]
    if set(unit) <= {0.0, 1.0}:
        ends, way = clopper_pearson(round(sum(unit)), len(unit), tail=tail), Way.CLOPPER_PEARSON
    else:
        ends, way = _resampled(unit, tail, draws)
    return _figure(unit, ends, way, bounds, tail)


def difference_of(
    mine: Sequence[float], theirs: Sequence[float], *, tail: float, within: Range, draws: int | None = None
) -> Figure:
    """By how much one model scores higher than another on the same rows, in the same order. ValueError below
    `FEWEST_ROWS`, and where there are not as many of both."""
    from rftplan.judging.proportions import tango

    _enough_rows(mine)
    bounds = within.around([*mine, *theirs])
    apart = [(one - other) / bounds.width for one, other in zip(mine, theirs, strict=True)]
    unit = [(difference + 1) / 2 for difference in apart]
    if set(apart) <= {-1.0, 0.0, 1.0}:
        low, high = tango(apart.count(1.0), apart.count(-1.0), len(apart), tail=tail)
        ends, way = ((low + 1) / 2, (high + 1) / 2), Way.TANGO
    else:
        ends, way = _resampled(unit, tail, draws)
    return _figure(unit, ends, way, Range(-bounds.width, bounds.width), tail)


def _enough_rows(scores: Sequence[float]) -> None:
    if len(scores) < FEWEST_ROWS:
        raise ValueError(f"{len(scores)} rows are too few: {FEWEST_ROWS} are needed")


def _resampled(unit: Sequence[float], tail: float, draws: int | None) -> tuple[tuple[float, float], Way]:
    """Never wider than what holds for all scores of the range, and wider than the draws by rows that are so few that
    as many as these miss them as often as not."""
    from rftplan.judging.bootstrap import bca, studentised

    count = len(unit)
    if max(unit) - min(unit) <= _ALIKE:
        (low, high), way = alike(unit, tail=tail), Way.RANGE
    else:
        few = count < MANY_ROWS
        low, high = _within_unit((studentised if few else bca)(unit, tail=tail, draws=draws))
        way, unseen = Way.STUDENTISED if few else Way.BCA, missed(count, chance=_EVEN)
        low, high = low - unseen * low, high + unseen * (1 - high)
    least, most = chernoff(sum(unit) / count, count, tail=tail)
    return (max(low, least), min(high, most)), way


def _within_unit(ends: tuple[float, float]) -> tuple[float, float]:
    return max(0.0, ends[0]), min(1.0, ends[1])


def _figure(unit: Sequence[float], ends: tuple[float, float], way: Way, bounds: Range, tail: float) -> Figure:
    low, high = (bounds.low + bounds.width * end for end in ends)
    mean = bounds.low + bounds.width * (sum(unit) / len(unit))
    return Figure(_rounded(mean), _rounded(low), _rounded(high), len(unit), tail, way)


def _rounded(value: float) -> float:
    """To what a figure can be worth; so it is the same wherever it is computed."""
    return round(value, 9)
