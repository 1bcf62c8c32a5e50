"""Graded samples, and how often each was drawn. Grades nothing and knows no event."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct, field

from rftplan.grading import Flag, Result
from rftplan.server.trainer import TrainingFailedError

_MOST_SHOWN: Final = 3


class Graded(Struct, frozen=True, eq=False):
    """One sample: its result, and what it took to say it, in tokens. Completion includes reasoning.

    Compared by identity: grading is done once, and the same object is the same sample.
    """

    result: Result
    empty: bool
    completion_tokens: int
    reasoning_tokens: int


class Tally(Struct, frozen=True):
    """The samples of one split at one step; without any, the split was not run."""

    counts: Counter[Graded] = field(default_factory=Counter)

    def sum_of(self, figure: Callable[[Graded], float]) -> float:
        """The total over all samples; 0 without any."""
        return math.fsum(figure(graded) * count for graded, count in self.counts.items())

    def mean_of(self, figure: Callable[[Graded], float]) -> float | None:
        """The mean over all samples; None without any."""
        return self.share_of(self.sum_of(figure))

    def share_of(self, total: float) -> float | None:
        """A total over all samples, a sample; None without any."""
        size = self.counts.total()
        return total / size if size else None


def reward(graded: Graded) -> float:
    return graded.result.reward


def completion_tokens(graded: Graded) -> float:
    return graded.completion_tokens


def reasoning_tokens(graded: Graded) -> float:
    return graded.reasoning_tokens


def unresponsive(graded: Graded) -> float:
    """1 for an empty answer: there is nothing to reward."""
    return float(graded.empty)


def parse_error(graded: Graded) -> float:
    return float(Flag.SAMPLE_PARSE in graded.result.errors)


def require_working(samples: Tally) -> None:
    """TrainingFailedError where Python of the grader failed on every sample: it teaches nothing, and the vendor ends
    such a job and shows what was raised. How many errors that takes there is not known."""
    failed = {graded: graded.result.errors.get(Flag.PYTHON_RUNTIME) for graded in samples.counts}
    if not failed or None in failed.values():
        return
    shown = sorted({str(detail) for detail in failed.values()})[:_MOST_SHOWN]
    count = samples.counts.total()
    message = (
        f"The job failed because its Python grader failed on all of the first {count:,} samples: {'; '.join(shown)}"
    )
    raise TrainingFailedError(message, code="too_many_grader_errors", param="method.reinforcement.grader")
