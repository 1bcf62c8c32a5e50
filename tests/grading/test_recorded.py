"""The kind of a recorded answer: known where a string_check compares it with the row, and nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading import parse_grader
from rftplan.grading.calls import Call, Spoken
from rftplan.grading.candidates import Kind
from rftplan.grading.recorded import Truth

EXACT: dict[str, Any] = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "operation": "eq",
    "reference": "{{item.answer}}",
}
FIELD = EXACT | {"input": "{{sample.output_json.answer}}"}
LIKE_WORDS: dict[str, Any] = {
    "type": "text_similarity",
    "name": "alike",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "evaluation_metric": "rouge_l",
}
CALLED = EXACT | {"input": "{{sample.output_tools[0].function.name}}", "reference": "{{item.answer}}"}
FORM = EXACT | {"operation": "like", "reference": "}"}
JSON = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}


def multi(**members: dict[str, Any]) -> dict[str, Any]:
    named = {key: {**member, "name": key} for key, member in members.items()}
    return {"type": "multi", "name": "all", "graders": named, "calculate_output": " + ".join(named)}


def kind(grader: dict[str, Any], said: Spoken | str, shape: Any = None) -> Kind:
    spoken = Spoken(said) if isinstance(said, str) else said
    return Truth(parse_grader(grader), shape).kind(spoken, {"answer": "yes"})


@pytest.mark.parametrize(
    ("grader", "said", "shape", "expected"),
    [
        (EXACT, "yes", None, Kind.RIGHT),
        (EXACT, "no", None, Kind.WRONG),
        (EXACT, " \n", None, Kind.MALFORMED),
        (EXACT | {"operation": "ilike"}, "Well, YES.", None, Kind.RIGHT),
        (FIELD, '{"answer": "yes"}', JSON, Kind.RIGHT),
        (FIELD, '{"answer": "no"}', JSON, Kind.WRONG),
        (FIELD, '{"answer": ', JSON, Kind.MALFORMED),
        (FIELD, '["yes"]', JSON, Kind.MALFORMED),
        (multi(a=FIELD, b=LIKE_WORDS), '{"answer": "yes"}', JSON, Kind.RIGHT),
        (LIKE_WORDS, "yes", None, Kind.RECORDED),
        (EXACT | {"operation": "ne"}, "yes", None, Kind.RECORDED),
        (CALLED, Spoken("", Call("yes", "{}")), None, Kind.RIGHT),
        (CALLED, Spoken("", Call("no", "{}"), (Call("yes", "{}"),)), None, Kind.WRONG),
        (CALLED, Spoken("I will not."), None, Kind.WRONG),
    ],
)
def test_the_kind_is_what_the_string_checks_say(grader: Any, said: Any, shape: Any, expected: Kind) -> None:
    assert kind(grader, said, shape) is expected


def test_a_check_of_the_form_alone_knows_nothing_of_right_and_wrong() -> None:
    assert kind(FORM, '{"answer": "yes"}', JSON) is Kind.RECORDED
    assert kind(multi(form=FORM, answer=FIELD), '{"answer": "no"}', JSON) is Kind.WRONG


@given(st.text(max_size=30), st.sampled_from([None, JSON]))
def test_whatever_was_said_has_a_kind_and_only_the_right_one_is_right(text: str, shape: Any) -> None:
    assert (kind(EXACT, text, shape) is Kind.RIGHT) == (text == "yes" and shape is None)
    assert kind(FIELD, json.dumps({"answer": text}), JSON) is (Kind.RIGHT if text == "yes" else Kind.WRONG)
