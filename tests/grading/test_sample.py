"""When an answer counts as JSON."""

from __future__ import annotations

import json

import pytest

from rftplan.grading import ABSENT, Sample


@pytest.mark.parametrize("text", ['{"a": [1]}', " [ ]\n", "-1.5e3", '"x"', "true", "false", "null", " null\t"])
def test_json_of_any_kind_is_parsed_and_null_is_a_value(text: str) -> None:
    assert Sample.of_text(text).output_json == json.loads(text)
    assert type(Sample.of_text(text).output_json) is type(json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yes",
        "no",
        "tru",
        "\u00a0null",
        "{",
        "NaN",
        '{"a": Infinity}',
        "[" * 100_000,
        "1" * 5_000,
        "```json\n{}\n```",
    ],
)
def test_what_is_not_json_leaves_output_json_absent(text: str) -> None:
    assert Sample.of_text(text).output_json is ABSENT


def test_without_a_response_format_output_json_is_absent_even_for_json() -> None:
    assert Sample.of_plain_text("{}").output_json is ABSENT
    assert Sample.of_plain_text("{}").output_text == "{}"


def test_a_python_grader_is_given_every_key() -> None:
    given = Sample.of_text("{}", tools=({"id": "a"},)).as_dict()
    assert set(given) == {"output_text", "output_json", "output_tools", "output_audio", "choices"}
    assert (given["output_json"], given["output_tools"]) == ({}, ({"id": "a"},))
    assert Sample.of_plain_text("{}").as_dict()["output_json"] is None
