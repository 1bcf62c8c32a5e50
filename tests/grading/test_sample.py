"""When an answer counts as JSON."""

from __future__ import annotations

import pytest

from rftplan.grading import ABSENT, Sample


def test_json_is_parsed_and_null_is_a_value() -> None:
    assert Sample.of_text('{"a": [1]}').output_json == {"a": [1]}
    assert Sample.of_text("null").output_json is None


@pytest.mark.parametrize(
    "text", ["", "yes", "{", "NaN", '{"a": Infinity}', "[" * 100_000, "1" * 5_000, "```json\n{}\n```"]
)
def test_what_is_not_json_leaves_output_json_absent(text: str) -> None:
    assert Sample.of_text(text).output_json is ABSENT


def test_without_a_response_format_output_json_is_absent_even_for_json() -> None:
    assert Sample.of_plain_text("{}").output_json is ABSENT
    assert Sample.of_plain_text("{}").output_text == "{}"
