"""The arithmetic of `calculate_output`: what a parsed formula is, and its value. Reads no text, knows no grader.

The vendor names `+ - * / ^`, parentheses and eight functions, and leaves the rest open. Our policy: `^` binds
tighter than unary minus and groups to the right (`-2^2` is -4, `2^3^2` is 512); there is no unary plus; `log`
is the natural one; `min` and `max` take one value or more; a name is a letter or underscore, then letters,
digits and underscores. Dividing by zero, a root or logarithm of what has none, and every value that a finite
float cannot hold are errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from rftplan.grading.quoting import shorten

FUNCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "min": min,
    "max": max,
    "abs": lambda values: abs(values[0]),
    "floor": lambda values: float(math.floor(values[0])),
    "ceil": lambda values: float(math.ceil(values[0])),
    "exp": lambda values: math.exp(values[0]),
    "sqrt": lambda values: math.sqrt(values[0]),
    "log": lambda values: math.log(values[0]),
}
ANY_NUMBER_OF_VALUES = frozenset({"min", "max"})

_OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "^": math.pow,
}


class FormulaError(ValueError):
    """The formula cannot be read, or has no finite value for these names."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Number(Struct, frozen=True):
    """Push a constant."""

    value: float


class Name(Struct, frozen=True):
    """Push the value of a grader."""

    name: str


class Negate(Struct, frozen=True):
    """Replace the top by its negative."""


class Operate(Struct, frozen=True):
    """Replace the two on top by `left operator right`."""

    operator: str


class Call(Struct, frozen=True):
    """Replace the `count` on top by the function's value of them."""

    function: str
    count: int


Step = Number | Name | Negate | Operate | Call


class Formula(Struct, frozen=True):
    """A parsed formula: steps of a stack machine, so that no formula can exhaust Python's own stack."""

    source: str
    steps: tuple[Step, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it uses, each once, in the order of the text."""
        return tuple(dict.fromkeys(step.name for step in self.steps if isinstance(step, Name)))

    def value(self, values: Mapping[str, float]) -> float:
        """Its value; raises FormulaError for an unknown name or where there is no finite value."""
        stack: list[float] = []
        for step in self.steps:
            number = _run(step, stack, values)
            if not math.isfinite(number):
                raise FormulaError(f"The value of '{shorten(self.source)}' is not a finite number.")
            stack.append(number)
        return stack[0]


def _run(step: Step, stack: list[float], values: Mapping[str, float]) -> float:
    try:
        match step:
            case Number(value):
                return value
            case Name(name):
                return float(values[name])
            case Negate():
                return -stack.pop()
            case Operate(operator):
                right, left = stack.pop(), stack.pop()
                return _OPERATORS[operator](left, right)
            case Call(function, count):
                taken = stack[-count:]
                del stack[-count:]
                return FUNCTIONS[function](taken)
    except KeyError as unknown:
        raise FormulaError(f"Unknown name '{unknown.args[0]}'.") from None
    except ZeroDivisionError:
        raise FormulaError("Division by zero.") from None
    except (ValueError, OverflowError):
        raise FormulaError(f"{_step_name(step)} has no finite value here.") from None


def _step_name(step: Step) -> str:
    return step.function if isinstance(step, Call) else "An operation"
