"""Takes a grader's definition apart, strictly, and says what is wrong in the vendor's words. Knows no grader type."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from msgspec import Struct

from rftplan.grading.templates import Template, TemplateError, parse_template

E = TypeVar("E", bound=StrEnum)


class GraderError(ValueError):
    """The definition of a grader is invalid. `param` says where: "grader.graders.x.operation".

    `code` is the vendor's word for a fault of form: a field that is unknown, missing, of a wrong type or with a value
    that is not among those supported. It is None where the form is right and the meaning is not: a template, a
    formula, a range.
    """

    def __init__(self, message: str, *, param: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code


class Fields(Struct, frozen=True):
    """One object of a definition, and the path to it for messages."""

    body: Mapping[str, Any]
    param: str

    def only(self, *allowed: str) -> None:
        for key in self.body:
            if key not in allowed:
                where = self.at(key)
                raise GraderError(f"Unknown parameter: '{where}'.", param=where, code="unknown_parameter")

    def at(self, key: object) -> str:
        return f"{self.param}.{key}"

    def needed(self, key: str) -> Any:
        if key not in self.body:
            where = self.at(key)
            raise GraderError(f"Missing required parameter: '{where}'.", param=where, code="missing_required_parameter")
        return self.body[key]

    def text(self, key: str) -> str:
        value = self.needed(key)
        if not isinstance(value, str):
            raise wrong_type(self.at(key), "a string", value)
        return value

    def filled_text(self, key: str) -> str:
        value = self.text(key)
        if not value.strip():
            raise GraderError(f"Invalid '{self.at(key)}': it must not be empty.", param=self.at(key))
        return value

    def choice(self, key: str, enum: type[E]) -> E:
        return chosen(self.text(key), enum, self.at(key))

    def template(self, key: str) -> Template:
        return template_of(self.text(key), self.at(key))


def check_threshold(fields: Fields) -> None:
    if fields.body.get("pass_threshold") is not None:
        number_of(fields.body["pass_threshold"], fields.at("pass_threshold"))


def number_of(value: Any, param: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(param, "a number", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise GraderError(f"Invalid '{param}': it must be a finite number.", param=param)
    return number


def object_of(value: Any, param: str) -> Fields:
    if not isinstance(value, Mapping):
        raise wrong_type(param, "an object", value)
    return Fields(value, param)


def template_of(text: str, param: str) -> Template:
    try:
        return parse_template(text)
    except TemplateError as error:
        raise GraderError(f"Invalid template in '{param}': {error.message}", param=param) from error


def chosen(value: str, enum: type[E], param: str) -> E:
    try:
        return enum(value)
    except ValueError:
        raise unsupported(value, [member.value for member in enum], param) from None


def unsupported(value: str, supported: Sequence[str], param: str) -> GraderError:
    shown = value if len(value) <= 60 else value[:57] + "..."
    verb = "Supported values are" if len(supported) > 1 else "Supported value is"
    return GraderError(f"Invalid value: '{shown}'. {verb}: {listed(supported)}.", param=param, code="invalid_value")


def listed(names: Sequence[str] | Mapping[str, Any]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def wrong_type(param: str, expected: str, value: Any) -> GraderError:
    message = f"Invalid type for '{param}': expected {expected}, but got {_kind_of(value)} instead."
    return GraderError(message, param=param, code="invalid_type")


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal"
        case str():
            return "a string"
        case Mapping():
            return "an object"
        case _:
            return "an array"
