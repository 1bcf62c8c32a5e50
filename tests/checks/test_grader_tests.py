"""What is wrong with a test of a grader is found without grading."""

from __future__ import annotations

import pytest

from rftplan.checks.grader_tests import ITEM_LACKS_FIELD
from rftplan.codes import UNKNOWN_REFERENCE
from tests.findings import edited, found_in
from tests.world import SPEC, Small

MULTI = """\
  match:
    type: multi
    graders:
      one: {type: string_check, input: "{{sample.output_text}}", operation: eq, reference: "{{item.answer}}"}
      two: {type: string_check, input: "{{sample.output_text}}", operation: eq, reference: "{{item.meta.kind}}"}
    calculate_output: one + two
"""


def found(small: Small, test: str, spec: str = SPEC) -> list[str]:
    lines = found_in(small, f"{spec}tests:\n  one: {test}\n")
    return [line for line in lines if line.startswith((ITEM_LACKS_FIELD.code, UNKNOWN_REFERENCE.code))]


def test_an_item_with_all_that_the_grader_reads_is_no_finding(small: Small) -> None:
    assert found(small, '{grader: match, item: {answer: ""}, sample: x, expect: 0}') == []


@pytest.mark.parametrize(
    ("item", "hint"),
    [("{}", "give item a value for answer"), ("{anser: x}", '"anser" is there; did you mean "answer"?')],
)
def test_a_field_that_the_item_lacks_is_found(small: Small, item: str, hint: str) -> None:
    (line,) = found(small, f"{{grader: match, item: {item}, sample: x, expect: 0}}")
    assert line == (
        f"G190 specs/main.yaml:28:30 {{{{item.answer}}}}, which grader.match reads, has no value in item: the score is "
        f"0 with an error, whatever the answer is | {hint}"
    )


def test_members_of_a_multi_are_looked_at_too_and_deep_paths(small: Small) -> None:
    start, end = SPEC.index("  match:"), SPEC.index("jobs:")
    spec = edited((SPEC[start:end], MULTI))
    (line,) = found(small, "{grader: match, item: {answer: x, meta: {}}, sample: x, expect: 0}", spec)
    assert "{{item.meta.kind}}, which grader.match/two reads, has no value in item" in line


def test_a_grader_in_a_section_that_cannot_be_read_is_not_missed(small: Small) -> None:
    start, end = SPEC.index("graders:"), SPEC.index("jobs:")
    spec = edited((SPEC[start:end], "graders: []\n"))
    assert found(small, "{grader: match, item: {}, sample: x, expect: 0}", spec) == []
