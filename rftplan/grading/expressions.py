"""The arithmetic of `calculate_output`: parsed once into steps, never given to `eval`. Knows no grader.

The vendor names `+ - * / ^`, parentheses and eight functions, and leaves the rest open. Our policy: `^` binds
tighter than unary minus and groups to the right (`-2^2` is -4, `2^3^2` is 512); there is no unary plus; `log`
is the natural one; `min` and `max` take one value or more; a name is a letter or underscore, then letters,
digits and underscores. Dividing by zero, a root or logarithm of what has none, and every value that a finite
float cannot hold are errors.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

MAX_LENGTH = 10_000  # characters; a formula longer than that is a mistake
MAX_DEPTH = 64  # parentheses, minus signs and powers inside one another

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
_ANY_NUMBER_OF_VALUES = frozenset({"min", "max"})

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


@dataclass(frozen=True, slots=True)
class Number:
    """Push a constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """Push the value of a grader."""

    name: str


@dataclass(frozen=True, slots=True)
class Negate:
    """Replace the top by its negative."""


@dataclass(frozen=True, slots=True)
class Operate:
    """Replace the two on top by `left operator right`."""

    operator: str


@dataclass(frozen=True, slots=True)
class Call:
    """Replace the `count` on top by the function's value of them."""

    function: str
    count: int


Step = Number | Name | Negate | Operate | Call


@dataclass(frozen=True, slots=True)
class Formula:
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
                raise FormulaError(f"The value of '{_shorten(self.source)}' is not a finite number.")
            stack.append(number)
        return stack[0]


def parse_formula(text: str) -> Formula:
    """Read a formula; raises FormulaError. Whether its names exist is for `Formula.names` to ask."""
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"The formula is longer than {MAX_LENGTH} characters.")
    return Formula(text, _Parser(text).parse())


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


_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/^(),]))",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number | name | sign | end
    text: str
    offset: int


class _Parser:
    """Recursive descent: sum → product → signed → power → atom. Writes the steps as it goes."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokenize(text)
        self._at = 0
        self._depth = 0
        self._steps: list[Step] = []

    def parse(self) -> tuple[Step, ...]:
        self._sum()
        if self._token.kind != "end":
            self._unexpected()
        return tuple(self._steps)

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _accept(self, signs: str) -> str:
        token = self._token
        if token.kind != "sign" or token.text not in signs:
            return ""
        self._at += 1
        return token.text

    def _expect(self, sign: str) -> None:
        if not self._accept(sign):
            self._unexpected()

    def _unexpected(self) -> None:
        token = self._token
        if token.kind == "end":
            raise FormulaError("The formula ends too early.")
        raise FormulaError(f"Unexpected '{_shorten(token.text)}' at character {token.offset + 1}.")

    def _sum(self) -> None:
        self._product()
        while operator := self._accept("+-"):
            self._product()
            self._steps.append(Operate(operator))

    def _product(self) -> None:
        self._signed()
        while operator := self._accept("*/"):
            self._signed()
            self._steps.append(Operate(operator))

    def _signed(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FormulaError(f"The formula is nested deeper than {MAX_DEPTH} levels.")
        if self._accept("-"):
            self._signed()
            self._steps.append(Negate())
        else:
            self._power()
        self._depth -= 1

    def _power(self) -> None:
        self._atom()
        if self._accept("^"):
            self._signed()
            self._steps.append(Operate("^"))

    def _atom(self) -> None:
        token = self._token
        if token.kind == "number":
            self._at += 1
            self._steps.append(_number(token.text))
        elif token.kind == "name":
            self._at += 1
            self._named(token)
        else:
            self._expect("(")
            self._sum()
            self._expect(")")

    def _named(self, token: _Token) -> None:
        if not self._accept("("):
            self._steps.append(Name(token.text))
            return
        if token.text not in FUNCTIONS:
            raise FormulaError(f"Unknown function '{_shorten(token.text)}'. {_supported_functions()}")
        count = self._arguments()
        if count > 1 and token.text not in _ANY_NUMBER_OF_VALUES:
            raise FormulaError(f"'{token.text}' takes one value, not {count}.")
        self._steps.append(Call(token.text, count))

    def _arguments(self) -> int:
        self._sum()
        count = 1
        while self._accept(","):
            self._sum()
            count += 1
        self._expect(")")
        return count


def _tokenize(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            wrong = text[at:].lstrip()
            raise FormulaError(f"Unexpected '{wrong[0]}' at character {len(text) - len(wrong) + 1}.")
        kind = found.lastgroup or ""
        tokens.append(_Token(kind, found[kind], found.start(kind)))
        at = found.end()
    return [*tokens, _Token("end", "", end)]


def _number(text: str) -> Number:
    value = float(text)
    if not math.isfinite(value):
        raise FormulaError(f"The number '{_shorten(text)}' is too large.")
    return Number(value)


def _supported_functions() -> str:
    names = [f"'{name}'" for name in FUNCTIONS]
    return f"Supported functions are: {', '.join(names[:-1])} and {names[-1]}."


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
