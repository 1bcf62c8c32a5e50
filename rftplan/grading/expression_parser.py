"""Reads `calculate_output`: text → steps, never given to `eval`. The language is described in `expressions`."""

from __future__ import annotations

import math
import re

from msgspec import Struct

from rftplan.grading.expressions import (
    ANY_NUMBER_OF_VALUES,
    FUNCTIONS,
    Call,
    Formula,
    FormulaError,
    Name,
    Negate,
    Number,
    Operate,
    Step,
)
from rftplan.grading.quoting import shorten

MAX_LENGTH = 10_000  # characters; a formula longer than that is a mistake
MAX_DEPTH = 64  # parentheses, minus signs and powers inside one another


def parse_formula(text: str) -> Formula:
    """Read a formula; raises FormulaError. Whether its names exist is for `Formula.names` to ask."""
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"The formula is longer than {MAX_LENGTH} characters.")
    return Formula(text, _Parser(text).parse())


_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/^(),]))",
    re.ASCII,
)


class _Token(Struct, frozen=True):
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
        raise FormulaError(f"Unexpected '{shorten(token.text)}' at character {token.offset + 1}.")

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
            raise FormulaError(f"Unknown function '{shorten(token.text)}'. {_supported_functions()}")
        count = self._arguments()
        if count > 1 and token.text not in ANY_NUMBER_OF_VALUES:
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
        raise FormulaError(f"The number '{shorten(text)}' is too large.")
    return Number(value)


def _supported_functions() -> str:
    names = [f"'{name}'" for name in FUNCTIONS]
    return f"Supported functions are: {', '.join(names[:-1])} and {names[-1]}."
