"""Many results added up: means, errors, the histogram, and rewards without what the stand-in said."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading import Flag, Result, Sample, StandInJudge, parse_grader
from rftplan.grading.scores import Column, histogram, judged, score_of
from rftplan.grading.verdict import Score

CHECK = {"type": "string_check", "input": "{{sample.output_text}}", "operation": "eq", "reference": "{{item.a}}"}
JUDGED = {"type": "score_model", "model": "m", "range": [0, 4], "input": [{"role": "user", "content": "{{item.a}}"}]}
REWARDS = st.lists(st.floats(-5, 5))


def multi(formula: str) -> dict[str, Any]:
    return {"type": "multi", "graders": {"c": CHECK, "j": JUDGED}, "calculate_output": formula}


@given(REWARDS, REWARDS)
def test_every_score_is_in_one_bin_of_the_histogram(right: list[float], other: list[float]) -> None:
    bins = histogram({"right": right, "other": other})
    assert sum(b.counts["right"] for b in bins) == len(right)
    assert sum(b.counts["other"] for b in bins) == len(other)
    assert all(a.high == b.low for a, b in itertools.pairwise(bins))
    assert not bins or (bins[0].low <= min([0.0, *right, *other]) and bins[-1].high >= max([1.0, *right, *other]))


def test_a_column_keeps_one_detail_a_flag_and_counts_all() -> None:
    column = Column()
    column.add(Result("g", "multi", 1.0, members={"c": Result("c", "string_check", 1.0)}))
    for detail in ("first", "second"):
        column.add(Result("g", "multi", 0.0, {Flag.OTHER: detail}, members={"c": Result("c", "string_check", 0.0)}))
    assert (column.count, column.failed, column.mean) == (3, 2, pytest.approx(1 / 3))
    assert (column.members["c"], column.flags[Flag.OTHER], column.details[Flag.OTHER]) == (1.0, 2, "first")


def test_without_the_stand_in_a_reward_is_what_the_rest_makes_of_it() -> None:
    def score(body: dict[str, Any], *, stand_in: bool = True) -> Score:
        grader = parse_grader(body)
        return score_of(grader, grader.grade(Sample("x"), {"a": "x"}, StandInJudge()), stand_in=stand_in)

    assert score(CHECK) == Score(1.0)
    assert score(multi("c + j"), stand_in=False).apart == ()
    assert score(multi("c + j / 4")).apart == (1.0, 2.0)
    assert score(JUDGED).apart == (0.0, 0.0)
    assert score(multi("c / j")).apart == (0.0, 0.25)  # by zero: no value, as where it is graded


def test_a_model_is_asked_by_a_member_too() -> None:
    assert judged(parse_grader(multi("c + j"))) and judged(parse_grader(JUDGED)) and not judged(parse_grader(CHECK))
