"""The formula language, against Python's own arithmetic and against arbitrary text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftplan.grading import FormulaError, parse_formula
from rftplan.grading.expression_parser import MAX_DEPTH, MAX_LENGTH

VALUES = {"a": 0.5, "b": 0.0, "explanation": 0.75, "_x1": -2.0}


class Strict(float):
    """A float that refuses what a formula refuses: it gives every step a finite, real value or raises."""

    def _checked(self, value: object) -> Strict:
        if not isinstance(value, float) or not math.isfinite(value):
            raise ValueError(value)
        return Strict(value)

    def __add__(self, other: float) -> Strict:
        return self._checked(float(self) + float(other))

    def __sub__(self, other: float) -> Strict:
        return self._checked(float(self) - float(other))

    def __mul__(self, other: float) -> Strict:
        return self._checked(float(self) * float(other))

    def __truediv__(self, other: float) -> Strict:
        return self._checked(float(self) / float(other))

    def __pow__(self, other: float) -> Strict:  # type: ignore[override]
        return self._checked(float(self) ** float(other))

    def __neg__(self) -> Strict:
        return Strict(-float(self))


FUNCTIONS = {
    "min": lambda *values: Strict(min(values)),
    "max": lambda *values: Strict(max(values)),
    "abs": lambda value: Strict(abs(float(value))),
    "floor": lambda value: Strict(math.floor(value)),
    "ceil": lambda value: Strict(math.ceil(value)),
    "exp": lambda value: Strict(math.exp(value)),
    "sqrt": lambda value: Strict(math.sqrt(value)),
    "log": lambda value: Strict(math.log(value)),
}

# Each example is one formula twice: as we write it, and as Python does.
numbers = st.sampled_from(["0", "1", "2", "3", "0.5", ".25", "1.", "1e2", "2E-3", "10"]).map(
    lambda text: (text, f"Strict({text})")
)
names = st.sampled_from(sorted(VALUES)).map(lambda name: (name, name))


def composed(inner: st.SearchStrategy[tuple[str, str]]) -> st.SearchStrategy[tuple[str, str]]:
    space = st.sampled_from(["", " ", "\n "])
    binary = st.tuples(inner, space, st.sampled_from("+-*/^"), inner).map(
        lambda made: (
            f"{made[0][0]}{made[1]}{made[2]}{made[1]}{made[3][0]}",
            f"{made[0][1]} {made[2].replace('^', '**')} {made[3][1]}",
        )
    )
    negated = inner.map(lambda made: (f"-{made[0]}", f"-{made[1]}"))
    grouped = inner.map(lambda made: (f"({made[0]})", f"({made[1]})"))
    one = st.tuples(st.sampled_from(["abs", "floor", "ceil", "exp", "sqrt", "log"]), inner).map(
        lambda made: (f"{made[0]}({made[1][0]})", f"{made[0]}({made[1][1]})")
    )
    many = st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(
        lambda made: (f"{made[0]}({made[1][0]}, {made[2][0]})", f"{made[0]}({made[1][1]}, {made[2][1]})")
    )
    return st.one_of(binary, negated, grouped, one, many)


formulas = st.recursive(numbers | names, composed, max_leaves=12)


def value_in_python(text: str) -> float | None:
    names = {name: Strict(value) for name, value in VALUES.items()}
    try:
        return float(eval(text, {"__builtins__": {}, "Strict": Strict, **FUNCTIONS, **names}))
    except (ValueError, ZeroDivisionError, OverflowError, TypeError):
        return None


@settings(max_examples=500)
@given(formulas)
def test_a_formula_has_the_value_that_python_gives_it(formula: tuple[str, str]) -> None:
    ours, python = formula
    expected = value_in_python(python)
    parsed = parse_formula(ours)
    if expected is None:
        with pytest.raises(FormulaError):
            parsed.value(VALUES)
    else:
        assert parsed.value(VALUES) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@settings(max_examples=500)
@given(st.text(alphabet="0123456789.eE+-*/^(),ab _minaxsqrtlogé٣\n\x00", max_size=40) | st.text(max_size=30))
def test_no_text_makes_it_raise_anything_but_its_own_error(text: str) -> None:
    try:
        value = parse_formula(text).value(VALUES)
    except FormulaError:
        return
    assert math.isfinite(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-2^2", -4),
        ("2^3^2", 512),
        ("2^-1", 0.5),
        ("(-2)^2", 4),
        ("--1", 1),
        ("2-3-4", -5),
        ("8/2/2", 2),
        ("1+2*3", 7),
        ("min(1)", 1),
        ("max(1, 2, 3)", 3),
        ("0.5 * a + 0.5 * explanation", 0.625),
    ],
)
def test_precedence_and_grouping(text: str, value: float) -> None:
    assert parse_formula(text).value(VALUES) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The formula ends too early."),
        ("1 +", "The formula ends too early."),
        ("1 2", "Unexpected '2' at character 3."),
        ("0.5 * a + 0.5 * b)", "Unexpected ')' at character 18."),
        ("a ; b", "Unexpected ';' at character 3."),
        ("2 ** 3", "Unexpected '*' at character 4."),
        ("+1", "Unexpected '+' at character 1."),
        ("abs(1, 2)", "'abs' takes one value, not 2."),
        ("1e999", "The number '1e999' is too large."),
        ("(" * 100 + "1" + ")" * 100, f"The formula is nested deeper than {MAX_DEPTH} levels."),
        ("-" * 100 + "1", f"The formula is nested deeper than {MAX_DEPTH} levels."),
        ("2^" * 100 + "1", f"The formula is nested deeper than {MAX_DEPTH} levels."),
        ("1" * (MAX_LENGTH + 1), f"The formula is longer than {MAX_LENGTH} characters."),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert caught.value.message == message


def test_an_unknown_function_is_refused_with_the_known_ones() -> None:
    with pytest.raises(FormulaError, match=r"Unknown function 'mean'\. Supported functions are: 'min', .* 'log'"):
        parse_formula("mean(a, b)")


@pytest.mark.parametrize("text", ["a / b", "log(b)", "sqrt(_x1)", "_x1 ^ 0.5", "exp(1000)", "1e308 * 10", "nobody"])
def test_a_formula_without_a_finite_value_is_an_error(text: str) -> None:
    with pytest.raises(FormulaError):
        parse_formula(text).value(VALUES)


def test_a_long_sum_does_not_exhaust_the_stack() -> None:
    assert parse_formula("+".join(["1"] * 5_000)).value({}) == 5_000


def test_names_are_listed_once_in_the_order_of_the_text() -> None:
    assert parse_formula("b + min(a, b) * min").names == ("b", "a", "min")
