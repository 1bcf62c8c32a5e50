"""Between which values a formula can lie, and whether it is a weighted sum. Finds nothing and knows no grader.

An interval is never too narrow: every value that the formula has for values inside the given ranges lies in it. It may
be too wide where one name occurs twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Final

from msgspec import Struct

from rftplan.grading.expressions import FUNCTIONS, Call, Formula, Name, Negate, Number, Operate, Step


class Interval(Struct, frozen=True):
    """All numbers from `low` to `high`, either of which may be infinite."""

    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low

    @property
    def bounded(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)

    def with_zero(self) -> Interval:
        """The smallest that has 0 in it, too."""
        return Interval(min(self.low, 0.0), max(self.high, 0.0))

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


ANYTHING: Final = Interval(-math.inf, math.inf)


def interval_of(formula: Formula, ranges: Mapping[str, Interval]) -> Interval:
    """Where the formula's value lies. Every name of the formula has a range."""
    return _run(formula.steps, ranges, _ignore)


def divisors(formula: Formula, ranges: Mapping[str, Interval]) -> list[tuple[tuple[Step, ...], Interval]]:
    """Every divisor in the formula, as a formula of its own, and where its value lies."""
    found: list[tuple[tuple[Step, ...], Interval]] = []
    _run(formula.steps, ranges, lambda steps, interval: found.append((steps, interval)))
    return found


_OnDivisor = Callable[[tuple[Step, ...], Interval], None]


def _ignore(steps: tuple[Step, ...], interval: Interval) -> None:
    pass


def _run(steps: Sequence[Step], ranges: Mapping[str, Interval], on_divisor: _OnDivisor) -> Interval:
    stack: list[tuple[int, Interval]] = []  # where the steps of a value begin, and where it lies
    for at, step in enumerate(steps):
        match step:
            case Number(value):
                stack.append((at, Interval(value, value)))
            case Name(name):
                stack.append((at, ranges[name]))
            case Negate():
                begin, value_ = stack.pop()
                stack.append((begin, Interval(-value_.high, -value_.low)))
            case Operate(operator):
                (begin_right, right), (begin, left) = stack.pop(), stack.pop()
                if operator == "/":
                    on_divisor(tuple(steps[begin_right:at]), right)
                stack.append((begin, _OPERATIONS[operator](left, right)))
            case Call(function, count):
                taken = stack[-count:]
                del stack[-count:]
                stack.append((taken[0][0], _call(function, [interval for _, interval in taken])))
    return stack[0][1]


def _sum(left: Interval, right: Interval) -> Interval:
    return _sound(left.low + right.low, left.high + right.high)


def _difference(left: Interval, right: Interval) -> Interval:
    return _sound(left.low - right.high, left.high - right.low)


def _product(left: Interval, right: Interval) -> Interval:
    corners = [_times(a, b) for a, b in product((left.low, left.high), (right.low, right.high))]
    return _sound(min(corners), max(corners))


def _times(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b  # an end that is infinite is never reached


def _quotient(left: Interval, right: Interval) -> Interval:
    if 0 in right:
        return ANYTHING
    return _product(left, Interval(1 / right.high, 1 / right.low))


def _power(base: Interval, exponent: Interval) -> Interval:
    whole = exponent.low == exponent.high and exponent.low.is_integer() if exponent.bounded else False
    if not (base.bounded and exponent.bounded) or (base.low < 0 and not whole) or (0 in base and exponent.low < 0):
        return ANYTHING
    try:
        corners = [math.pow(a, b) for a, b in product((base.low, base.high), (exponent.low, exponent.high))]
    except (ValueError, OverflowError):
        return ANYTHING
    if base.low < 0 < base.high:
        corners.append(math.pow(0, exponent.low))
    return _sound(min(corners), max(corners))


_OPERATIONS: Final[Mapping[str, Callable[[Interval, Interval], Interval]]] = {
    "+": _sum,
    "-": _difference,
    "*": _product,
    "/": _quotient,
    "^": _power,
}


def _sound(low: float, high: float) -> Interval:
    return Interval(-math.inf if math.isnan(low) else low, math.inf if math.isnan(high) else high)


def _call(function: str, taken: Sequence[Interval]) -> Interval:
    match function:
        case "min" | "max":
            choose = FUNCTIONS[function]
            return Interval(choose([one.low for one in taken]), choose([one.high for one in taken]))
        case "abs":
            ends = (abs(taken[0].low), abs(taken[0].high))
            return Interval(0.0 if 0 in taken[0] else min(ends), max(ends))
        case _:
            low, high = (_rising(function, end) for end in (taken[0].low, taken[0].high))
            return Interval(low, high)


def _rising(function: str, value: float) -> float:
    """A function that only rises, at an end of an interval; below its domain, its value where the domain begins."""
    if function == "sqrt":
        return math.sqrt(max(value, 0.0))
    if function == "log":
        return math.log(value) if value > 0 else -math.inf
    if math.isinf(value):
        return 0.0 if function == "exp" and value < 0 else value
    try:
        return FUNCTIONS[function]([value])
    except OverflowError:
        return math.inf


class WeightedSum(Struct, frozen=True):
    """`constant + Σ weight · name`."""

    constant: float
    weights: Mapping[str, float]


def weighted_sum(formula: Formula) -> WeightedSum | None:
    """The formula as a weighted sum of its names, if it is one."""
    stack: list[WeightedSum | None] = []
    for step in formula.steps:
        match step:
            case Number(value):
                stack.append(WeightedSum(value, {}))
            case Name(name):
                stack.append(WeightedSum(0.0, {name: 1.0}))
            case Negate():
                stack.append(_scaled(stack.pop(), -1.0))
            case Operate(operator):
                right, left = stack.pop(), stack.pop()
                stack.append(_combined(operator, left, right))
            case Call(_, count):
                del stack[-count:]
                stack.append(None)
    return stack[0]


def _combined(operator: str, left: WeightedSum | None, right: WeightedSum | None) -> WeightedSum | None:
    if left is None or right is None:
        return None
    match operator:
        case "+":
            return _added(left, right)
        case "-":
            return _added(left, _scaled(right, -1.0) or right)
        case "*" if not right.weights:
            return _scaled(left, right.constant)
        case "*" if not left.weights:
            return _scaled(right, left.constant)
        case "/" if not right.weights and right.constant:
            return _scaled(left, 1 / right.constant)
        case _:
            return None


def _added(left: WeightedSum, right: WeightedSum) -> WeightedSum:
    names = dict.fromkeys((*left.weights, *right.weights))
    weights = {name: left.weights.get(name, 0.0) + right.weights.get(name, 0.0) for name in names}
    return WeightedSum(left.constant + right.constant, weights)


def _scaled(value: WeightedSum | None, factor: float) -> WeightedSum | None:
    if value is None:
        return None
    return WeightedSum(value.constant * factor, {name: weight * factor for name, weight in value.weights.items()})
