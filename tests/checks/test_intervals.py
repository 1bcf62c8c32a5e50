"""An interval is never too narrow: whatever a formula's value is, it lies inside."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rftplan.checks.intervals import ANYTHING, Interval, divisors, interval_of, weighted_sum
from rftplan.grading import FormulaError, parse_formula

NAMES = ("a", "b", "c")
ends = st.floats(-20, 20) | st.sampled_from([-5.0, -1.0, 0.0, 0.5, 1.0, 3.0])
ranges_of_names = st.fixed_dictionaries(
    {name: st.tuples(ends, ends).map(lambda pair: Interval(min(pair), max(pair))) for name in NAMES}
)
atoms = st.sampled_from([*NAMES, "0", "1", "2", "3", "0.5", "10"])


def _deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = st.sampled_from(["-({})", "abs({})", "floor({})", "ceil({})", "exp({})", "sqrt({})", "log({})", "max({})"])
    two = st.sampled_from(["({}) + ({})", "({}) - ({})", "({}) * ({})", "({}) / ({})", "({}) ^ ({})",
                           "min({}, {})", "max({}, {})"])  # fmt: skip
    return st.builds(str.format, one, inner) | st.builds(str.format, two, inner, inner)


formulas = st.recursive(atoms, _deeper, max_leaves=8)


@given(formulas, ranges_of_names, st.data())
def test_every_value_lies_in_the_interval(text: str, ranges: dict[str, Interval], data: st.DataObject) -> None:
    formula = parse_formula(text)
    reach = interval_of(formula, ranges)
    assert reach.low <= reach.high
    for _ in range(5):
        values = {
            name: data.draw(st.floats(one.low, one.high) | st.sampled_from([one.low, one.high]))
            for name, one in ranges.items()
        }
        try:
            value = formula.value(values)
        except FormulaError:
            continue
        slack = 1e-9 * max(1.0, abs(value))
        assert reach.low - slack <= value <= reach.high + slack, values


@given(formulas, ranges_of_names, st.data())
def test_a_weighted_sum_has_the_formula_s_value(text: str, ranges: dict[str, Interval], data: st.DataObject) -> None:
    formula = parse_formula(text)
    summed = weighted_sum(formula)
    assume(summed is not None)
    assert summed is not None
    values = {name: data.draw(st.floats(one.low, one.high)) for name, one in ranges.items()}
    try:
        value = formula.value(values)
    except FormulaError:
        assume(False)
    total = summed.constant + sum(weight * values[name] for name, weight in summed.weights.items())
    assert math.isclose(total, value, rel_tol=1e-6, abs_tol=1e-6)


UNIT = Interval(0.0, 1.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b", Interval(0, 2)),
        ("a - b", Interval(-1, 1)),
        ("-a", Interval(-1, 0)),
        ("a / (b + 1)", Interval(0, 1)),
        ("a / b", ANYTHING),
        ("(a - 0.5)^2", Interval(0, 0.25)),
        ("a^b", Interval(0, 1)),
        ("(a - 1)^0.5", ANYTHING),
        ("a^-1", ANYTHING),
        ("min(a, 0.5) + max(b, 0.5)", Interval(0.5, 1.5)),
        ("abs(a - 0.5)", Interval(0, 0.5)),
        ("floor(3 * a)", Interval(0, 3)),
        ("log(a)", Interval(-math.inf, 0)),
        ("exp(1000 * a)", Interval(1, math.inf)),
        ("0 * a", Interval(0, 0)),
    ],
)
def test_intervals_are_as_narrow_as_can_be_here(text: str, expected: Interval) -> None:
    assert interval_of(parse_formula(text), {"a": UNIT, "b": UNIT}) == expected


def test_what_nobody_knows_stays_unknown() -> None:
    assert interval_of(parse_formula("0.5 * a + b"), {"a": ANYTHING, "b": UNIT}) == ANYTHING
    assert interval_of(parse_formula("max(0, min(1, a))"), {"a": ANYTHING}) == UNIT


def test_every_divisor_is_found_with_where_it_lies() -> None:
    found = divisors(parse_formula("a / (b + 1) / 2"), {"a": UNIT, "b": UNIT})
    assert [interval for _, interval in found] == [Interval(1, 2), Interval(2, 2)]


@pytest.mark.parametrize("text", ["a * b", "a / b", "2 / a", "min(a, b)", "a ^ 2", "a / 0"])
def test_what_is_no_weighted_sum_is_none(text: str) -> None:
    assert weighted_sum(parse_formula(text)) is None
