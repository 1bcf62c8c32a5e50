"""What the verdict on a grader means is said in sentences, without the bare words of the verdict."""

from __future__ import annotations

from typing import Any

import pytest

from rftplan.grading.scores import Column
from rftplan.grading.table import Table
from rftplan.grading.verdict import Answer, Judgement, Verdict, Why
from rftplan.server.scoring import Scoring
from rftplan.server.survey import survey
from rftplan.server.verdict_words import verdict_said

from .simulation import EXACT, GRADER, RESPONSE_FORMAT, make_run, question_rows, short_rows

ROWS = short_rows(20)


def said_of(grader: dict[str, Any], **changes: Any) -> str:
    run = make_run(**{"train": ROWS, "valid": ROWS, "grader": grader, "response_format": None} | changes)
    assert run.grader is not None
    found = survey(run, run.grader, Scoring(run.grader, run.judge, now=lambda: 0.0))
    assert found is not None
    return found.said


def test_a_good_grader_is_said_to_be_one() -> None:
    assert said_of(EXACT) == (
        "the grader tells right answers from wrong ones: the right answer scores more than another row's answer in"
        " 20 of 20 rows"
    )


def test_what_scores_as_much_as_the_right_answer_is_named_and_counted() -> None:
    anything = EXACT | {"operation": "like", "reference": ""}
    assert said_of(anything, train=question_rows(20), response_format=RESPONSE_FORMAT) == (
        "the grader does not tell right answers from wrong ones: another row's answer scores as much as the right"
        " answer, or more, in 20 of 20 rows"
    )


def test_a_grader_that_fails_is_said_to_with_its_first_error() -> None:
    broken = GRADER | {"graders": GRADER["graders"] | {"typo": EXACT | {"reference": "{{item.complaint}}"}}}
    broken = broken | {"calculate_output": "compliant + explanation + typo"}
    said = said_of(broken, train=question_rows(20))
    assert said.startswith("the grader does not tell right answers from wrong ones: it fails on ")
    assert "which then score 0 (" in said


def test_where_nothing_says_what_is_right_that_is_why() -> None:
    unknown = GRADER["graders"]["explanation"] | {"input": [{"role": "user", "content": "{{sample.output_text}}"}]}
    assert "says which field of a row is the right answer" in said_of(unknown)


@pytest.mark.parametrize("why", Why)
def test_every_reason_is_a_sentence(why: Why) -> None:
    table = Table({Answer.RIGHT: Column(), Answer.EMPTY: Column()})
    said = verdict_said(Judgement(Verdict.CANNOT_TELL, why, Answer.EMPTY), table)
    reason = said.partition(": ")[2]
    assert reason != why.value
    assert len(reason.split()) >= 6
    assert not said.endswith(".")
