"""What one answer for all rows scores, where it is certain."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.graded import CHECK, JUDGE, Graded, an_object, multi, python, rows, strict

TEXT = {"type": "string"}
FORMAT = strict(an_object(a=TEXT, b=TEXT))
JSON_A = {**CHECK, "input": "{{sample.output_json.a}}"}
JSON_B = {**CHECK, "input": "{{sample.output_json.b}}", "reference": "{{item.other}}"}
EVEN = rows(["yes", "no"] * 6)


def mostly(share: int, **more: Any) -> list[Any]:
    return rows(["yes"] * share + ["no"] * (20 - share), **more)


def test_an_answer_that_is_nearly_always_right_is_a_warning(graded: Graded) -> None:
    assert graded.codes(CHECK, train=mostly(19), test=EVEN) == ["G114"]
    assert graded.detail() == (
        'the constant answer "yes" for sample.output_text scores 0.95 of 1 in file.train, whatever the prompt says'
    )
    assert graded.codes(CHECK, train=EVEN, test=mostly(18)) == ["G114"]
    assert "file.test" in graded.detail()


def test_one_that_is_often_right_is_told_of_the_training_file_alone(graded: Graded) -> None:
    assert graded.codes(CHECK, train=mostly(13), test=EVEN) == ["G115"]
    assert graded.found[0].severity == "info"
    assert graded.codes(CHECK, train=EVEN, test=mostly(13)) == []
    assert graded.codes(CHECK, train=mostly(11), test=EVEN) == []


def test_upper_case_counts_as_the_check_counts_it(graded: Graded) -> None:
    shouted = rows(["yes"] * 10 + ["YES"] * 10)
    assert graded.codes({**CHECK, "operation": "ilike"}, train=shouted, test=EVEN) == ["G114"]
    assert graded.codes(CHECK, train=shouted, test=EVEN) == []


def test_an_answer_that_contains_the_others_is_right_for_like(graded: Graded) -> None:
    assert graded.codes({**CHECK, "operation": "like"}, train=rows(["1"] * 10 + ["12"] * 10), test=EVEN) == ["G114"]
    assert '"12"' in graded.detail()


def test_other_members_count_as_the_least_they_can_give(graded: Graded) -> None:
    grader = multi("0.95 * a + 0.05 * b", a=CHECK, b=JUDGE)
    assert graded.codes(grader, train=rows(["yes"] * 20), test=EVEN) == ["G114"]
    assert "scores at least 0.95 of 1 in file.train" in graded.detail()
    assert graded.codes(multi("0.5 * a + 0.5 * b", a=CHECK, b=JUDGE), train=rows(["yes"] * 20), test=EVEN) == []


def test_answers_to_two_parts_of_one_json_add_up(graded: Graded) -> None:
    grader = multi("0.5 * a + 0.5 * b", a=JSON_A, b=JSON_B)
    even = rows(["yes", "no"] * 6, other="x")
    even = [{**row, "other": str(number % 3)} for number, row in enumerate(even)]
    assert graded.codes(grader, train=rows(["yes"] * 20, other="x"), test=even, response_format=FORMAT) == ["G114"]
    said = '"yes" for sample.output_json.a and "x" for sample.output_json.b scores 1.00 of 1 in file.train'
    assert said in graded.detail()


def test_two_answers_to_one_part_do_not(graded: Graded) -> None:
    grader = multi("0.5 * a + 0.5 * b", a=CHECK, b={**CHECK, "reference": "{{item.other}}"})
    assert graded.codes(grader, train=rows(["yes"] * 20, other="x"), test=rows(other="x")) == []


@pytest.mark.parametrize(
    "grader",
    [
        {**CHECK, "operation": "ne"},
        {**CHECK, "reference": "It is {{item.answer}}."},
        multi("1 - a", a=CHECK),
        multi("max(0, a * b)", a=CHECK, b=JUDGE),
        multi("min(1, a + b)", a=CHECK, b=python("def grade(sample, item):\n    return float(len(item))\n")),
        multi("a + b", a=CHECK, b=python("def grade(sample, item):\n    return float(len(item))\n")),
        JUDGE,
    ],
)
def test_where_it_is_not_certain_nothing_is_said(graded: Graded, grader: dict[str, Any]) -> None:
    assert graded.codes(grader, train=rows(["yes"] * 20)) == []


def test_of_one_row_and_of_free_text_nothing_is_said(graded: Graded) -> None:
    assert graded.codes(CHECK, train=rows(["yes"])) == []
    assert graded.codes(CHECK, train=rows([f"{number} in all" for number in range(80)])) == []
