"""Counting answers to rows: what is counted as excused, and that both commands that judge count alike."""

from __future__ import annotations

from typing import Any

import pytest

from rftplan.grading import Flag, Result, parse_grader
from rftplan.grading.answers import Question
from rftplan.grading.table import Table
from rftplan.grading.verdict import Answer, Verdict, Why

GRADER = parse_grader({"type": "python", "source": "def grade(sample, item): ..."})
TEXTS = {Answer.RIGHT: "right", Answer.OTHER_ROW: "other", Answer.EMPTY: ""}
COMPARED = frozenset({Answer.OTHER_ROW, Answer.EMPTY})


def scored(said: float | str) -> Result:
    if isinstance(said, str):
        return Result("g", "python", 0.0, {Flag.PYTHON_RUNTIME: said})
    return Result("g", "python", said)


def table(right: float | str, other: float | str, empty: float | str, **of_question: Any) -> Table:
    counted = Table()
    question = Question(1, {}, TEXTS, COMPARED, **of_question)
    results = {"right": scored(right), "other": scored(other), "": scored(empty)}
    for _ in range(10):
        counted.add(question, results, GRADER, stand_in=False)
    return counted


ALIKE = {"made_up": True, "alike": frozenset({Answer.OTHER_ROW})}


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (table(1.0, 0.0, 0.0, **ALIKE), Why.CLEAR),
        (table(0.0, 0.0, 0.0), Why.NOT_ABOVE),
        (table(0.0, 0.0, 0.0, **ALIKE), Why.MADE_UP),
        (table(0.0, 1.0, 0.0, **ALIKE), Why.NOT_ABOVE),
        (table(0.0, 1.0, 0.0, made_up=True), Why.MADE_UP),
        (table(0.5, 0.0, 1.0, **ALIKE), Why.MADE_UP),
        (table("ValueError: int", 1.0, 0.0, **ALIKE), Why.MADE_UP),
        (table("ValueError: int", 1.0, 0.0), Why.FAILS),
        (table("code: NameError: x", 0.0, 0.0, **ALIKE), Why.FAILS),
        (table("KeyError: x", 0.0, "KeyError: x", **ALIKE), Why.FAILS),
        (table("KeyError: x", 0.0, "TypeError: y", **ALIKE), Why.MADE_UP),
        (table("TypeError: 'NoneType'", 0.0, "TypeError: 'NoneType'", **ALIKE), Why.MADE_UP),
    ],
)
def test_a_made_up_part_excuses_only_what_it_may_explain(found: Table, why: Why) -> None:
    assert found.judgement().why is why


def test_without_a_right_answer_only_failures_are_counted() -> None:
    counted = Table()
    question = Question(1, {}, {Answer.CONSTANT: "c", Answer.EMPTY: ""}, frozenset())
    counted.add(question, {"c": scored("KeyError: x"), "": scored("KeyError: x")}, GRADER, stand_in=False)
    assert (counted.count, counted.failed) == (2, 2)
    assert counted.judgement().verdict is Verdict.DOES_NOT_SEPARATE
