"""What is refused in a grader's definition, in which words and where."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading import MAX_SOURCE_BYTES, GraderError, GraderType, Multi, ScoreModel, parse_grader
from tests.grading.builders import EQUAL, JUDGED, PYTHON, SIMILAR, multi


def without(body: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != key}


INVALID: list[tuple[Any, str, str]] = [
    (EQUAL | {"operation": "neq"}, "grader.operation",
     "Invalid value: 'neq'. Supported values are: 'eq', 'ne', 'like' and 'ilike'."),
    (without(EQUAL, "reference"), "grader.reference", "Missing required parameter: 'grader.reference'."),
    (without(EQUAL, "type"), "grader.type", "Missing required parameter: 'grader.type'."),
    (EQUAL | {"type": "label_model"}, "grader.type",
     "Invalid value: 'label_model'. Supported values are: 'string_check', 'text_similarity', 'score_model', "
     "'python' and 'multi'."),
    (EQUAL | {"fuzzy": True}, "grader.fuzzy", "Unknown parameter: 'grader.fuzzy'."),
    (EQUAL | {"input": 3}, "grader.input",
     "Invalid type for 'grader.input': expected a string, but got an integer instead."),
    (EQUAL | {"input": "{{item.x"}, "grader.input",
     "Invalid template in 'grader.input': '{{' is never closed."),
    (EQUAL | {"name": " "}, "grader.name", "Invalid 'grader.name': it must not be empty."),
    ("text", "grader", "Invalid type for 'grader': expected an object, but got a string instead."),
    (SIMILAR | {"evaluation_metric": "cosine"}, "grader.evaluation_metric",
     "The metric 'cosine' is for evals only; training does not support it."),
    (SIMILAR | {"pass_threshold": "0.5"}, "grader.pass_threshold",
     "Invalid type for 'grader.pass_threshold': expected a number, but got a string instead."),
    (JUDGED | {"input": "text"}, "grader.input",
     "Invalid type for 'grader.input': expected an array of messages, but got a string instead."),
    (JUDGED | {"input": []}, "grader.input", "Invalid 'grader.input': it must have at least one message."),
    (JUDGED | {"input": [{"role": "tool", "content": ""}]}, "grader.input[0].role",
     "Invalid value: 'tool'. Supported values are: 'system', 'developer', 'user' and 'assistant'."),
    (JUDGED | {"input": [{"role": "user", "content": "", "type": "text"}]}, "grader.input[0].type",
     "Invalid value: 'text'. Supported value is: 'message'."),
    (JUDGED | {"input": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
     "grader.input[0].content[0].type",
     "Invalid value: 'text'. Supported values are: 'input_audio', 'input_image', 'input_text' "
     "and 'output_text'."),
    (JUDGED | {"input": [{"role": "user", "content": 3}]}, "grader.input[0].content[0]",
     "Invalid type for 'grader.input[0].content[0]': expected an object, but got an integer instead."),
    (JUDGED | {"range": [0, 1, 2]}, "grader.range",
     "Invalid 'grader.range': it must have exactly two numbers."),
    (JUDGED | {"range": [1, 0]}, "grader.range",
     "Invalid 'grader.range': the first number must be below the second."),
    (JUDGED | {"range": [0, float("inf")]}, "grader.range[1]",
     "Invalid 'grader.range[1]': it must be a finite number."),
    (JUDGED | {"range": [0, 10**400]}, "grader.range[1]",
     "Invalid 'grader.range[1]': it must be a finite number."),
    (JUDGED | {"sampling_params": {"max_tokens": 5}}, "grader.sampling_params.max_tokens",
     "Unknown parameter: 'grader.sampling_params.max_tokens'."),
    (JUDGED | {"sampling_params": {"seed": True}}, "grader.sampling_params.seed",
     "Invalid type for 'grader.sampling_params.seed': expected an integer, but got a boolean instead."),
    (PYTHON | {"source": "#" * MAX_SOURCE_BYTES}, "grader.source",
     "Invalid 'grader.source': it must be smaller than 256 kB."),
    (PYTHON | {"source": None}, "grader.source",
     "Invalid type for 'grader.source': expected a string, but got null instead."),
    (multi("x", x=EQUAL) | {"graders": [EQUAL]}, "grader.graders",
     "Invalid type for 'grader.graders': expected an object, but got an array instead."),
    (multi("x", x=EQUAL | {"operation": "is"}), "grader.graders.x.operation",
     "Invalid value: 'is'. Supported values are: 'eq', 'ne', 'like' and 'ilike'."),
    (multi("x", x=multi("y", y=EQUAL)), "grader.graders.x.type",
     "A multi grader cannot contain another multi grader."),
    (multi("x"), "grader.graders", "Invalid 'grader.graders': it must name at least one grader."),
    (multi("x + z", x=EQUAL, y=EQUAL), "grader.calculate_output",
     "Invalid 'grader.calculate_output': unknown grader 'z'. Graders here are: 'x' and 'y'."),
    (multi("x +", x=EQUAL), "grader.calculate_output",
     "Invalid 'grader.calculate_output': The formula ends too early."),
    (multi("x", x=EQUAL) | {"graders": {"x": None}}, "grader.graders.x",
     "Invalid type for 'grader.graders.x': expected an object, but got null instead."),
]  # fmt: skip


@pytest.mark.parametrize(("body", "param", "message"), INVALID)
def test_an_invalid_definition_is_refused_with_place_and_reason(body: Any, param: str, message: str) -> None:
    with pytest.raises(GraderError) as caught:
        parse_grader(body)
    assert (caught.value.param, caught.value.message) == (param, message)
    assert str(caught.value) == message


@pytest.mark.parametrize("body", [EQUAL, SIMILAR, JUDGED, PYTHON, multi("x", x=EQUAL)])
def test_a_valid_definition_is_kept_as_it_was(body: dict[str, Any]) -> None:
    grader = parse_grader(body)
    assert grader.definition == body
    assert grader.type is GraderType(body["type"])


def test_missing_names_are_filled_in_from_the_key() -> None:
    body = without(multi("x", x=without(EQUAL, "name")), "name")
    grader = parse_grader(body)
    assert grader.name == "grader"
    assert isinstance(grader, Multi)
    assert grader.members["x"].name == "x"
    assert grader.definition["graders"]["x"]["name"] == "x"


def test_the_path_of_messages_starts_where_the_definition_stands() -> None:
    with pytest.raises(GraderError) as caught:
        parse_grader({}, param="method.reinforcement.grader")
    assert caught.value.param == "method.reinforcement.grader.type"


def test_the_variables_of_all_members_are_listed() -> None:
    grader = parse_grader(multi("x + y", x=EQUAL, y=JUDGED))
    assert [str(reference) for reference in grader.references] == [
        "sample.output_text",
        "item.label",
        "item.label",
        "sample.output_text",
    ]


def test_a_prompt_may_be_written_in_parts() -> None:
    parts = [{"type": "input_text", "text": "A {{item.label}}"}, {"type": "output_text", "text": "B"}]
    grader = parse_grader(JUDGED | {"input": [{"role": "user", "content": parts}]})
    assert isinstance(grader, ScoreModel)
    assert grader.input[0].text.source == "A {{item.label}}\nB"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from([EQUAL, SIMILAR, JUDGED, PYTHON, multi("x", x=EQUAL)]),
    st.sampled_from(["name", "type", "input", "reference", "range", "sampling_params", "graders", "source",
                     "calculate_output", "evaluation_metric", "model", "image_tag", "pass_threshold"]),
    json_values,
)  # fmt: skip
def test_no_value_anywhere_raises_anything_but_a_grader_error(body: dict[str, Any], key: str, value: Any) -> None:
    try:
        parse_grader(body | {key: value})
    except GraderError as error:
        assert error.param.startswith("grader")
