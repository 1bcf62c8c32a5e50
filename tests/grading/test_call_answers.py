"""Rows with tools are asked and answered with calls, where the grader says which call is right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rftplan.grading import StandInJudge, parse_grader
from rftplan.grading.answers import Question, Questions
from rftplan.grading.call_answers import CallQuestions, questions_of
from rftplan.grading.verdict import Answer

from .test_calls import ARGUMENTS, ITEMS, NAME, TOOLS, both

ROWS: list[dict[str, Any]] = [{"messages": [], "tools": TOOLS, **item} for item in ITEMS]
PYTHON = {"type": "python", "name": "code", "source": "def grade(sample, item):\n    return 1.0"}


def asked(grader: dict[str, Any], rows: list[dict[str, Any]] = ROWS) -> list[tuple[Question, dict[Answer, float]]]:
    """Each question, and what each answer to it scores."""
    read = parse_grader(grader)
    made = questions_of(read, None, rows)
    return [
        (one, {a: read.grade(made.sample(t), one.item, StandInJudge()).reward for a, t in one.texts.items()})
        for one in made.of_rows(iter(enumerate(rows)))
    ]


def test_the_right_call_scores_more_than_every_wrong_one() -> None:
    for question, scores in asked(both(name=NAME, arguments=ARGUMENTS)):
        assert scores[Answer.RIGHT] == 2.0
        assert {Answer.EMPTY, Answer.MALFORMED} <= question.compared
        assert all(scores[answer] < 2.0 for answer in question.compared)


def test_what_has_something_right_is_not_compared() -> None:
    """The constant call is the right one in two of three rows."""
    compared = [Answer.CONSTANT in question.compared for question, _ in asked(both(name=NAME, arguments=ARGUMENTS))]
    assert compared == [False, True, False]


def test_a_grader_of_names_is_not_blamed_for_arguments_that_nobody_gave() -> None:
    for question, _ in asked(NAME):
        assert Answer.MALFORMED not in question.compared
        assert not question.made_up


def test_code_may_read_the_part_that_nothing_says() -> None:
    def made_up(**members: dict[str, Any]) -> set[bool]:
        made = questions_of(parse_grader(both(**members)), None, ROWS)
        return {question.made_up for question in made.of_rows(iter(enumerate(ROWS)))}

    assert made_up(name=NAME, code=PYTHON) == {True}
    assert made_up(name=NAME, arguments=ARGUMENTS, code=PYTHON) == {False}


def test_an_answer_is_readable_text() -> None:
    question, _ = asked(NAME)[0]
    assert json.loads(question.texts[Answer.RIGHT]) == {"call": {"name": "look_up", "arguments": "{}"}}
    assert question.texts[Answer.EMPTY] == ""


def test_text_beside_a_call_is_kept() -> None:
    said = {"type": "string_check", "name": "t", "operation": "eq"}
    said |= {"input": "{{sample.output_text}}", "reference": "{{item.tool}}"}
    question, scores = asked(both(name=NAME, text=said))[1]
    assert json.loads(question.texts[Answer.RIGHT])["text"] == "send"
    assert scores[Answer.RIGHT] == 2.0


def test_rows_without_tools_are_answered_with_text() -> None:
    plain = {"messages": [], **ITEMS[0]}
    question, scores = asked(NAME, [plain, *ROWS])[0]
    assert Answer.RIGHT not in question.texts
    assert set(scores.values()) == {0.0}


@pytest.mark.parametrize(("grader", "rows"), [(NAME, [{"messages": [], **ITEMS[0]}]), (PYTHON, ROWS)])
def test_without_tools_or_a_grader_of_calls_it_is_all_about_text(grader: Any, rows: Any) -> None:
    read = parse_grader(grader)
    assert isinstance(questions_of(read, None, rows), Questions)
    assert isinstance(questions_of(parse_grader(NAME), None, ROWS), CallQuestions)
