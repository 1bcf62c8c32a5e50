"""Which answers make a pair with the right one: only those that have nothing right."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading import parse_grader
from rftplan.grading.answers import Question, Questions
from rftplan.grading.verdict import Answer

LABEL = {
    "type": "string_check",
    "input": "{{sample.output_json.label}}",
    "operation": "eq",
    "reference": "{{item.label}}",
}
TEXT = {**LABEL, "input": "{{sample.output_text}}"}
CODE = {"type": "python", "source": "def grade(sample, item): return 1.0"}
PARTS = {"label": {"type": "string", "enum": ["a", "b", "c"]}, "why": {"type": "string"}}
FORMAT = {"type": "json_schema", "json_schema": {"schema": {"type": "object", "properties": PARTS}}}
ROWS = st.lists(
    st.fixed_dictionaries({"label": st.sampled_from(["a", "b", "c"]), "why": st.sampled_from(["x", "y"])}), min_size=1
)


def asked(grader: dict[str, Any], rows: list[dict[str, Any]], response_format: Any = FORMAT) -> list[Question]:
    questions = Questions(parse_grader(grader), response_format, rows)
    return list(questions.of_rows(iter(enumerate(rows, start=1))))


@given(ROWS)
def test_what_is_compared_has_another_value_in_every_part_that_the_grader_compares(rows: list[dict[str, Any]]) -> None:
    for question in asked(LABEL, rows):
        right = json.loads(question.texts[Answer.RIGHT])
        for answer in question.compared & {Answer.OTHER_ROW, Answer.CONSTANT}:
            assert json.loads(question.texts[answer])["label"] != right["label"]
        if len({row["label"] for row in rows[:20]}) > 1 and len(rows) <= 20:
            assert Answer.OTHER_ROW in question.compared, "one was there, so it was taken"
        assert not question.compared & {Answer.NEAR, Answer.VERBOSE, Answer.RIGHT}


@given(ROWS)
def test_where_the_grader_names_no_part_each_part_that_varies_has_to_differ(rows: list[dict[str, Any]]) -> None:
    varying = [key for key in ("label", "why") if len({row[key] for row in rows}) > 1]
    for question in asked(CODE, rows):
        right = json.loads(question.texts[Answer.RIGHT])
        for answer in question.compared & {Answer.OTHER_ROW, Answer.CONSTANT}:
            other = json.loads(question.texts[answer])
            assert varying and all(other[key] != right[key] for key in varying)


@given(ROWS)
def test_broken_answers_are_always_wrong_and_plain_text_is_one_part(rows: list[dict[str, Any]]) -> None:
    for question in asked(LABEL, rows):
        assert {Answer.MALFORMED, Answer.EMPTY} <= question.compared
    for question in asked(TEXT, rows, None):
        assert Answer.MALFORMED not in question.texts
        same = question.texts[Answer.CONSTANT] == question.texts[Answer.RIGHT]
        assert (Answer.CONSTANT in question.compared) is not same


def test_without_a_right_answer_nothing_is_compared() -> None:
    (question,) = asked(CODE, [{"number": 1}], None)
    assert question.compared == frozenset()
    assert question.texts[Answer.EMPTY] == ""
