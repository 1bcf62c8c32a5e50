"""What a formula over graders gives away about itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.graded import CHECK, JUDGE, SIMILAR, Graded, multi, python

WIDE = {**JUDGE, "range": [0, 5]}
FRACTION = python("def grade(sample, item):\n    return float(len(item))\n")

FIRES: list[tuple[str, dict[str, Any], str]] = [
    ("G140", multi("a + b)", a=CHECK, b=JUDGE), "Unexpected ')' at character 6."),
    ("G140", multi("round(a)", a=CHECK), "Unknown function 'round'."),
    ("G141", multi("a + c", a=CHECK), '"c" is no member; the members are a'),
    ("G142", multi("a", a=CHECK, b=JUDGE), '"b" is graded in every sample and counts for nothing'),
    ("G143", multi("a + b", a={**JUDGE, "name": "x"}, b=JUDGE), '"b" grades as "a" does'),
    ("G144", multi("0.5 * a + 0.5 * b", a=CHECK, b=WIDE), '"b" goes from 0 to 5: 83% of what the score can differ by'),
    ("G146", multi("a / b", a=CHECK, b=SIMILAR), "with a = 0, b = 0: Division by zero; such a sample gets 0"),
    ("G146", multi("sqrt(a - 0.5)", a=JUDGE), "with a = 0: sqrt has no finite value here; such a sample gets 0"),
    ("G146", multi("max(0, min(1, 0.1 / (a - 0.3)))", a=JUDGE), "divides by lies between -0.3 and 0.7, and"),
    ("G147", multi("0.5", a=CHECK), "its value is the same"),
    ("G147", multi("a - a", a=CHECK), "its value is the same"),
    ("G147", multi("min(0, a)", a=CHECK), "its value is the same"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "grader", "says"), FIRES)
def test_a_formula_that_makes_no_sense_is_found(graded: Graded, code: str, grader: dict[str, Any], says: str) -> None:
    assert code in graded.codes(grader)
    assert any(says in one.detail for one in graded.found if one.code == code), graded.found


@pytest.mark.parametrize(
    "grader",
    [
        CHECK,
        multi("0.5 * a + 0.5 * b", a=CHECK, b=JUDGE),
        multi("a * b", a=CHECK, b=JUDGE),
        multi("0.5 * a + 0.1 * b", a=CHECK, b=WIDE),  # brought to 0 to 1
        multi("0.05 * a + 0.95 * b", a=CHECK, b=JUDGE),  # a weight that was chosen
        multi("a / (b + 1)", a=CHECK, b=JUDGE),
        multi("max(0, min(1, a / (b + 0.01)))", a=CHECK, b=FRACTION),  # nobody knows what Python returns
        multi("max(0, 1 - abs(a - b))", a=CHECK, b=JUDGE),
    ],
)
def test_a_formula_that_makes_sense_is_no_finding(graded: Graded, grader: dict[str, Any]) -> None:
    assert graded.codes(grader) == []


def test_a_divisor_that_jumps_over_zero_never_is_zero(graded: Graded) -> None:
    assert graded.codes(multi("max(0, 0.5 / (a - 0.5))", a=CHECK)) == []


def test_a_range_outside_0_to_1_is_told_and_is_no_fault(graded: Graded) -> None:
    assert graded.codes(WIDE) == ["G145"]
    assert graded.detail() == "the score lies between 0 and 5; gates compare this number"
    assert graded.found[0].severity == "info"
    assert graded.codes(multi("a - b", a=CHECK, b=JUDGE)) == ["G145"]
    assert graded.detail() == "the score lies between -1 and 1; gates compare this number"


def test_a_name_with_a_hyphen_is_said_to_be_a_subtraction(graded: Graded) -> None:
    assert set(graded.codes(multi("my-check", **{"my-check": CHECK}))) == {"G141"}
    hint = 'the formula reads "my-check" as a subtraction: name the member my_check'
    assert [one.hint for one in graded.found] == [hint, hint]


def test_a_misspelt_name_has_its_hint(graded: Graded) -> None:
    assert graded.codes(multi("complaint", compliant=CHECK)) == ["G141"]
    assert graded.hint() == 'did you mean "compliant"?'
