"""Reads a `score_model` grader: its prompt, range and sampling parameters. Asks no judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from rftplan.grading.definition import (
    Fields,
    GraderError,
    check_threshold,
    number_of,
    object_of,
    template_of,
    unsupported,
    wrong_type,
)
from rftplan.grading.score_model import PromptMessage, ScoreModel

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


class Role(StrEnum):
    """Who speaks in a model grader's prompt."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"


class AudioFormat(StrEnum):
    """Of sound in a prompt."""

    MP3 = "mp3"
    WAV = "wav"


def parse_score_model(fields: Fields, name: str) -> ScoreModel:
    """Read the fields of a definition whose type and name are read; raises GraderError."""
    fields.only("type", "name", "model", "input", "range", "sampling_params", "pass_threshold")
    check_threshold(fields)
    return ScoreModel(
        name=name,
        model=fields.filled_text("model"),
        input=_messages(fields),
        range=_range(fields),
        sampling_params=_sampling_params(fields),
        definition={**fields.body, "name": name},
    )


def _messages(fields: Fields) -> tuple[PromptMessage, ...]:
    where = fields.at("input")
    written = fields.needed("input")
    if not isinstance(written, Sequence) or isinstance(written, str):
        raise wrong_type(where, "an array of messages", written)
    if not written:
        raise GraderError(f"Invalid '{where}': it must have at least one message.", param=where)
    return tuple(_message(object_of(value, f"{where}[{index}]")) for index, value in enumerate(written))


def _message(fields: Fields) -> PromptMessage:
    fields.only("type", "role", "content")
    if "type" in fields.body and fields.text("type") != "message":
        raise unsupported(fields.text("type"), ["message"], fields.at("type"))
    role = fields.choice("role", Role)
    content, where = fields.needed("content"), fields.at("content")
    if isinstance(content, str):
        return PromptMessage(role.value, template_of(content, where))
    parts = content if isinstance(content, Sequence) else [content]
    texts = [_part(part, f"{where}[{index}]") for index, part in enumerate(parts)]
    text = "\n".join(part for part in texts if part is not None)
    return PromptMessage(role.value, template_of(text, where), media=None in texts)


def _part(value: Any, param: str) -> str | None:
    """The text of a part of a message, None for an image or sound."""
    if isinstance(value, str):
        return value
    fields = object_of(value, param)
    kind = fields.text("type")
    if kind in _MEDIA:
        _check_media(fields, kind)
        return None
    if kind not in _TEXT_PARTS:
        raise unsupported(kind, sorted(_TEXT_PARTS | _MEDIA), fields.at("type"))
    fields.only("type", "text")
    return fields.text("text")


def _check_media(fields: Fields, kind: str) -> None:
    if kind == "input_image":
        fields.only("type", "image_url", "detail")
        fields.text("image_url")
        if "detail" in fields.body:
            fields.text("detail")
    else:
        fields.only("type", "input_audio")
        audio = object_of(fields.needed("input_audio"), fields.at("input_audio"))
        audio.only("data", "format")
        audio.text("data")
        audio.choice("format", AudioFormat)


def _range(fields: Fields) -> tuple[float, float]:
    where, written = fields.at("range"), fields.body.get("range")
    if written is None:
        return _DEFAULT_RANGE
    if not isinstance(written, Sequence) or isinstance(written, str):
        raise wrong_type(where, "an array of two numbers", written)
    if len(written) != 2:
        raise GraderError(f"Invalid '{where}': it must have exactly two numbers.", param=where)
    low, high = (number_of(value, f"{where}[{index}]") for index, value in enumerate(written))
    if low >= high:
        raise GraderError(f"Invalid '{where}': the first number must be below the second.", param=where)
    return low, high


def _sampling_params(fields: Fields) -> Mapping[str, Any]:
    if fields.body.get("sampling_params") is None:
        return {}
    params = object_of(fields.body["sampling_params"], fields.at("sampling_params"))
    params.only(*_SAMPLING_PARAMS)
    for key, value in params.body.items():
        types = _SAMPLING_PARAMS[key]
        if value is not None and (isinstance(value, bool) or not isinstance(value, types)):
            expected = {str: "a string", int: "an integer"}.get(types[-1], "a number")
            raise wrong_type(params.at(key), expected, value)
    return dict(params.body)
