"""Graded samples, counted."""

from __future__ import annotations

from collections import Counter

import pytest

from rftplan.grading import Flag, Result
from rftplan.server.tally import Graded, Tally, require_working
from rftplan.server.trainer import TrainingFailedError


def graded(*errors: tuple[Flag, str]) -> Graded:
    return Graded(Result("g", "python", 0.0, dict(errors)), empty=False, completion_tokens=1, reasoning_tokens=0)


def test_a_grader_whose_python_fails_on_every_sample_ends_the_job_and_says_what_it_raised() -> None:
    failed = [(graded((Flag.PYTHON_RUNTIME, f"ValueError: {n} (line 2)")), 4) for n in "edcba"]
    with pytest.raises(TrainingFailedError) as told:
        require_working(Tally(Counter(dict(failed))))
    assert str(told.value) == (
        "The job failed because its Python grader failed on all of the first 20 samples: "
        "ValueError: a (line 2); ValueError: b (line 2); ValueError: c (line 2)"
    )
    assert (told.value.code, told.value.param) == ("too_many_grader_errors", "method.reinforcement.grader")


@pytest.mark.parametrize("other", [graded(), graded((Flag.SAMPLE_PARSE, "no JSON"))])
def test_one_sample_that_is_scored_or_fails_by_itself_is_enough(other: Graded) -> None:
    failed = graded((Flag.PYTHON_RUNTIME, "ValueError"))
    require_working(Tally(Counter({failed: 19, other: 1})))
    require_working(Tally())
