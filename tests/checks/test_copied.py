"""A right answer that stands at the end of its own prompt is found; options and texts to search are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.checks.graded import CHECK, JUDGE, SIMILAR, Graded, an_object, multi, python, rows, strict

ANSWERS = [f"{number * 37 % 101}" for number in range(20)]
STYLE = {**JUDGE, "input": [{"role": "user", "content": "Is {{sample.output_text}} polite?"}]}


def asked(prompt: Callable[[int, str], str], answers: Sequence[str] = ANSWERS) -> list[Any]:
    """A row for each answer, with a prompt that may know it."""
    return [
        {**row, "messages": [{"role": "user", "content": prompt(number, row["answer"])}]}
        for number, row in enumerate(rows(answers))
    ]


LEAKING = asked(lambda n, answer: f"What is question {n}?\nAnswer: {answer}.")
HONEST = asked(lambda n, answer: f"What is question {n}?")


@pytest.mark.parametrize(
    "grader",
    [
        CHECK,
        {**CHECK, "operation": "ilike"},
        {**CHECK, "input": "{{item.answer}}", "reference": "{{sample.output_text}}"},
        SIMILAR,
        multi("0.9 * a + 0.1 * b", a=CHECK, b=STYLE),
    ],
)
def test_a_prompt_that_ends_with_what_is_compared_is_a_warning(graded: Graded, grader: Any) -> None:
    assert graded.codes(grader, train=LEAKING, test=HONEST) == ["G116"]
    assert graded.detail() == (
        "20 of 20 rows (lines 1, 2, 3…): the last message ends with item.answer, which the grader takes for right;"
        " copying it scores"
    )
    assert str(graded.found[0].place) == "specs/data/train.jsonl:1:1"
    assert graded.codes(grader, train=HONEST, test=LEAKING) == ["G116"]


def test_two_rows_in_twenty_may_do_without(graded: Graded) -> None:
    assert graded.codes(CHECK, train=LEAKING[:18] + HONEST[18:], test=HONEST) == ["G116"]
    assert graded.codes(CHECK, train=LEAKING[:17] + HONEST[17:]) == []
    assert graded.codes(CHECK, train=LEAKING[:9]) == []


OPTIONS = ["red", "green", "blue", "black"]


@pytest.mark.parametrize("labels", [2, 3, 4])
def test_labels_that_stand_below_the_question_are_found_though_they_are_few(graded: Graded, labels: int) -> None:
    answers = [OPTIONS[number % labels] for number in range(60)]
    train = asked(lambda n, answer: f"What colour has number {n}?\nExpected answer: {answer}.", answers)
    assert graded.codes(CHECK, train=train, test=HONEST) == ["G116"]


FALSELY_ACCUSED = [
    asked(lambda n, _: f"{n}: {', '.join(OPTIONS)}?", [OPTIONS[n % 4] for n in range(20)]),
    asked(lambda n, _: f"Is {n} large? Answer with yes or no", ["no", "no", "yes"] * 7),
    asked(lambda n, _: f"Is {n} large? Answer with yes or no", [*["no"] * 12, "yes", "yes", "yes"]),
    asked(lambda n, _: f"Is {n} large? Answer with yes or no", [*["no"] * 19, "yes"]),
    asked(lambda n, answer: f"Find the number in: it is {answer}, as said in document {n}"),
    asked(lambda n, answer: f"What is {n} plus 1{answer}?"),
    asked(lambda n, answer: f"Round {n}.{answer}"),
    asked(lambda n, answer: answer),
    asked(lambda n, answer: f"What is question {n}?", ["" for _ in ANSWERS]),
]


@pytest.mark.parametrize("train", FALSELY_ACCUSED)
def test_options_texts_and_parts_of_numbers_are_no_leak(graded: Graded, train: Any) -> None:
    assert "G116" not in graded.codes(CHECK, train=train)


@pytest.mark.parametrize(
    "grader",
    [
        python("def grade(sample, item):\n    return float(item['answer'] in sample['output_text'])\n"),
        {**CHECK, "operation": "ne"},
        JUDGE,
        multi("a * b", a=CHECK, b=JUDGE),
        multi("b * (1 - a)", a=CHECK, b=STYLE),
        multi("b - a", a=SIMILAR, b=STYLE),
        multi("a * b", a=CHECK, b=python("def grade(sample, item):\n    return float(len(sample['output_text']))\n")),
    ],
)
def test_nothing_is_said_where_the_grader_may_want_more_than_the_copy(graded: Graded, grader: Any) -> None:
    assert "G116" not in graded.codes(grader, train=LEAKING)


def test_a_target_that_is_part_of_the_question_is_no_leak_beside_another_field(graded: Graded) -> None:
    """As in countdown: the numbers shall make 24, and the answer says what they make."""
    result = {**CHECK, "input": "{{sample.output_json.result}}"}
    way = {**CHECK, "input": "{{sample.output_json.way}}", "reference": "{{item.way}}"}
    train = [{**row, "way": f"{n} + {n}"} for n, row in enumerate(LEAKING)]
    text = {"type": "string"}
    form = strict(an_object(result=text, way=text))
    assert graded.codes(multi("a * b", a=result, b=way), train=train, response_format=form) == []


def test_the_last_part_of_text_is_what_a_prompt_ends_with(graded: Graded) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    train = [
        {
            **row,
            "messages": [{"role": "user", "content": [{"type": "text", "text": f"It is {row['answer']}"}, picture]}],
        }
        for row in HONEST
    ]
    assert graded.codes(CHECK, train=train, test=HONEST) == ["G116"]
