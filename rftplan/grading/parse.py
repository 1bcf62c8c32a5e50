"""A grader's definition → a grader, strictly. Says what is wrong in the vendor's words; grades nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from rftplan.grading.expressions import FormulaError, parse_formula
from rftplan.grading.graders import (
    Grader,
    GraderType,
    Multi,
    PromptMessage,
    Python,
    ScoreModel,
    StringCheck,
    TextSimilarity,
)
from rftplan.grading.metrics import Metric, Operation
from rftplan.grading.templates import Template, TemplateError, parse_template

MAX_SOURCE_BYTES = 256 * 1024

_DEFAULT_RANGE = (0.0, 1.0)
_SAMPLING_PARAMS: Mapping[str, tuple[type, ...]] = {
    "seed": (int,),
    "top_p": (int, float),
    "temperature": (int, float),
    "max_completions_tokens": (int,),
    "reasoning_effort": (str,),
}
_MEDIA = frozenset({"input_image", "input_audio"})
_TEXT_PARTS = frozenset({"input_text", "output_text"})

E = TypeVar("E", bound=StrEnum)


class Role(StrEnum):
    """Who speaks in a model grader's prompt."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"


class GraderError(ValueError):
    """The definition of a grader is invalid. `param` says where: "grader.graders.x.operation"."""

    def __init__(self, message: str, *, param: str) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


@dataclass(frozen=True, slots=True)
class _Fields:
    """One object of a definition, and the path to it for messages."""

    body: Mapping[str, Any]
    param: str

    def only(self, *allowed: str) -> None:
        for key in self.body:
            if key not in allowed:
                raise GraderError(f"Unknown parameter: '{self.at(key)}'.", param=self.at(key))

    def at(self, key: object) -> str:
        return f"{self.param}.{key}"

    def needed(self, key: str) -> Any:
        if key not in self.body:
            raise GraderError(f"Missing required parameter: '{self.at(key)}'.", param=self.at(key))
        return self.body[key]

    def text(self, key: str) -> str:
        value = self.needed(key)
        if not isinstance(value, str):
            raise _wrong_type(self.at(key), "a string", value)
        return value

    def filled_text(self, key: str) -> str:
        value = self.text(key)
        if not value.strip():
            raise GraderError(f"Invalid '{self.at(key)}': it must not be empty.", param=self.at(key))
        return value

    def choice(self, key: str, enum: type[E]) -> E:
        return _choice(self.text(key), enum, self.at(key))

    def template(self, key: str) -> Template:
        return _template(self.text(key), self.at(key))


def parse_grader(body: Mapping[str, Any], *, param: str = "grader", default_name: str = "grader") -> Grader:
    """Read a definition; raises GraderError for the first thing that is wrong.

    `param` is the path of `body` for messages. A definition without `name` gets `default_name`, a member of a
    `multi` its key: the service fills missing names in too, though with invented ones.
    """
    fields = _object(body, param)
    kind = fields.choice("type", GraderType)
    if "name" in fields.body:
        name = fields.filled_text("name")
    else:
        name = default_name
    return _PARSERS[kind](fields, name)


def _string_check(fields: _Fields, name: str) -> Grader:
    fields.only("type", "name", "input", "reference", "operation")
    return StringCheck(
        name=name,
        input=fields.template("input"),
        reference=fields.template("reference"),
        operation=fields.choice("operation", Operation),
        definition={**fields.body, "name": name},
    )


def _text_similarity(fields: _Fields, name: str) -> Grader:
    fields.only("type", "name", "input", "reference", "evaluation_metric", "pass_threshold")
    _check_threshold(fields)
    if fields.body.get("evaluation_metric") == "cosine":
        where = fields.at("evaluation_metric")
        raise GraderError("The metric 'cosine' is for evals only; training does not support it.", param=where)
    return TextSimilarity(
        name=name,
        input=fields.template("input"),
        reference=fields.template("reference"),
        metric=fields.choice("evaluation_metric", Metric),
        definition={**fields.body, "name": name},
    )


def _score_model(fields: _Fields, name: str) -> Grader:
    fields.only("type", "name", "model", "input", "range", "sampling_params", "pass_threshold")
    _check_threshold(fields)
    return ScoreModel(
        name=name,
        model=fields.filled_text("model"),
        input=_messages(fields),
        range=_range(fields),
        sampling_params=_sampling_params(fields),
        definition={**fields.body, "name": name},
    )


def _python(fields: _Fields, name: str) -> Grader:
    fields.only("type", "name", "source", "image_tag")
    source = fields.filled_text("source")
    if len(source.encode("utf-8", "surrogatepass")) >= MAX_SOURCE_BYTES:
        message = f"Invalid '{fields.at('source')}': it must be smaller than 256 kB."
        raise GraderError(message, param=fields.at("source"))
    tag = fields.text("image_tag") if fields.body.get("image_tag") is not None else None
    return Python(name=name, source=source, image_tag=tag, definition={**fields.body, "name": name})


def _multi(fields: _Fields, name: str) -> Grader:
    fields.only("type", "name", "graders", "calculate_output")
    members = _members(fields)
    where = fields.at("calculate_output")
    try:
        formula = parse_formula(fields.text("calculate_output"))
    except FormulaError as error:
        raise GraderError(f"Invalid '{where}': {error.message}", param=where) from error
    for used in formula.names:
        if used not in members:
            message = f"Invalid '{where}': unknown grader '{used}'. Graders here are: {_list(members)}."
            raise GraderError(message, param=where)
    definitions = {key: member.definition for key, member in members.items()}
    definition = {**fields.body, "name": name, "graders": definitions}
    return Multi(name=name, members=members, formula=formula, definition=definition)


def _members(fields: _Fields) -> dict[str, Grader]:
    graders = _object(fields.needed("graders"), fields.at("graders"))
    if not graders.body:
        raise GraderError(
            f"Invalid '{graders.param}': it must name at least one grader.", param=graders.param
        )
    return {key: _member(value, key, graders.at(key)) for key, value in graders.body.items()}


def _member(value: Any, key: str, param: str) -> Grader:
    if _object(value, param).body.get("type") == GraderType.MULTI.value:
        where = f"{param}.type"
        raise GraderError("A multi grader cannot contain another multi grader.", param=where)
    return parse_grader(value, param=param, default_name=key)


_PARSERS: Mapping[GraderType, Callable[[_Fields, str], Grader]] = {
    GraderType.STRING_CHECK: _string_check,
    GraderType.TEXT_SIMILARITY: _text_similarity,
    GraderType.SCORE_MODEL: _score_model,
    GraderType.PYTHON: _python,
    GraderType.MULTI: _multi,
}


def _messages(fields: _Fields) -> tuple[PromptMessage, ...]:
    where = fields.at("input")
    written = fields.needed("input")
    if not isinstance(written, Sequence) or isinstance(written, str):
        raise _wrong_type(where, "an array of messages", written)
    if not written:
        raise GraderError(f"Invalid '{where}': it must have at least one message.", param=where)
    return tuple(_message(_object(value, f"{where}[{index}]")) for index, value in enumerate(written))


def _message(fields: _Fields) -> PromptMessage:
    fields.only("type", "role", "content")
    if "type" in fields.body and fields.text("type") != "message":
        raise _unsupported(fields.text("type"), ["message"], fields.at("type"))
    role = fields.choice("role", Role)
    content, where = fields.needed("content"), fields.at("content")
    if isinstance(content, str):
        return PromptMessage(role.value, _template(content, where))
    parts = content if isinstance(content, Sequence) else [content]
    texts = [_part(part, f"{where}[{index}]") for index, part in enumerate(parts)]
    text = "\n".join(part for part in texts if part is not None)
    return PromptMessage(role.value, _template(text, where), media=None in texts)


def _part(value: Any, param: str) -> str | None:
    """The text of a part of a message, None for an image or sound."""
    if isinstance(value, str):
        return value
    fields = _object(value, param)
    kind = fields.text("type")
    if kind in _MEDIA:
        return None
    if kind not in _TEXT_PARTS:
        raise _unsupported(kind, sorted(_TEXT_PARTS | _MEDIA), fields.at("type"))
    fields.only("type", "text")
    return fields.text("text")


def _range(fields: _Fields) -> tuple[float, float]:
    where, written = fields.at("range"), fields.body.get("range")
    if written is None:
        return _DEFAULT_RANGE
    if not isinstance(written, Sequence) or isinstance(written, str):
        raise _wrong_type(where, "an array of two numbers", written)
    if len(written) != 2:
        raise GraderError(f"Invalid '{where}': it must have exactly two numbers.", param=where)
    low, high = (_number(value, f"{where}[{index}]") for index, value in enumerate(written))
    if low >= high:
        raise GraderError(f"Invalid '{where}': the first number must be below the second.", param=where)
    return low, high


def _sampling_params(fields: _Fields) -> Mapping[str, Any]:
    if fields.body.get("sampling_params") is None:
        return {}
    params = _object(fields.body["sampling_params"], fields.at("sampling_params"))
    params.only(*_SAMPLING_PARAMS)
    for key, value in params.body.items():
        types = _SAMPLING_PARAMS[key]
        if value is not None and (isinstance(value, bool) or not isinstance(value, types)):
            expected = {str: "a string", int: "an integer"}.get(types[-1], "a number")
            raise _wrong_type(params.at(key), expected, value)
    return dict(params.body)


def _check_threshold(fields: _Fields) -> None:
    if fields.body.get("pass_threshold") is not None:
        _number(fields.body["pass_threshold"], fields.at("pass_threshold"))


def _number(value: Any, param: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong_type(param, "a number", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise GraderError(f"Invalid '{param}': it must be a finite number.", param=param)
    return number


def _object(value: Any, param: str) -> _Fields:
    if not isinstance(value, Mapping):
        raise _wrong_type(param, "an object", value)
    return _Fields(value, param)


def _template(text: str, param: str) -> Template:
    try:
        return parse_template(text)
    except TemplateError as error:
        raise GraderError(f"Invalid template in '{param}': {error.message}", param=param) from error


def _choice(value: str, enum: type[E], param: str) -> E:
    try:
        return enum(value)
    except ValueError:
        raise _unsupported(value, [member.value for member in enum], param) from None


def _unsupported(value: str, supported: Sequence[str], param: str) -> GraderError:
    shown = value if len(value) <= 60 else value[:57] + "..."
    verb = "Supported values are" if len(supported) > 1 else "Supported value is"
    return GraderError(f"Invalid value: '{shown}'. {verb}: {_list(supported)}.", param=param)


def _list(names: Sequence[str] | Mapping[str, Any]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _wrong_type(param: str, expected: str, value: Any) -> GraderError:
    message = f"Invalid type for '{param}': expected {expected}, but got {_kind_of(value)} instead."
    return GraderError(message, param=param)


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
