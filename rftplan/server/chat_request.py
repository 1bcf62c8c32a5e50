"""Read the body of a chat completion: types, ranges, what this service can do. Looks up no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftplan.server.asking import EFFORTS, MOST_ANSWERS, Asked
from rftplan.server.errors import ApiError, missing_parameter, wrong_type, wrong_value
from rftplan.server.fields import Fields, Whole

ROLES = ("developer", "system", "user", "assistant", "tool", "function")
MOST_TOKENS = Whole(1)
MOST_SEED = Whole(-(2**63), 2**63 - 1)
_PARTS = ("text", "image_url", "refusal")
_FORMATS = ("text", "json_object", "json_schema")
_WITHOUT_EFFECT = ("user", "prompt_cache_key", "safety_identifier")
# What a chat completion may ask for and this service cannot do, with what it may say all the same.
_CANNOT: Mapping[str, tuple[Any, ...]] = {
    "top_p": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "service_tier": ("auto", "default"),
    "verbosity": ("medium",),
    "stop": ([],),
    "prompt_cache_retention": ("in_memory",),
}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    asked: Asked
    stream: bool
    include_usage: bool


def read_chat_request(body: object) -> ChatRequest:
    """Raises ApiError for the first thing wrong."""
    fields = Fields(body)
    stream = fields.truth("stream") or False
    request = ChatRequest(
        asked=Asked(
            model=fields.needed_text("model"),
            messages=read_messages(fields),
            simulate=fields.inner("simulate"),
            tools=_read_tools(fields),
            response_format=_read_format(fields),
            temperature=read_temperature(fields),
            seed=fields.whole("seed", MOST_SEED),
            effort=fields.choice("reasoning_effort", EFFORTS),
            most_tokens=_read_most_tokens(fields),
            answers=fields.whole("n", Whole(1, MOST_ANSWERS)) or 1,
        ),
        stream=stream,
        include_usage=_read_stream_options(fields, stream=stream),
    )
    _read_what_changes_nothing(fields)
    fields.close()
    return request


def read_temperature(fields: Fields) -> float:
    temperature = fields.decimal("temperature", least=0, most=2)
    return 1.0 if temperature is None else float(temperature)


def read_messages(fields: Fields) -> Sequence[Mapping[str, Any]]:
    fields.need("messages")
    messages = fields.items("messages")
    if not messages:
        raise ApiError(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="messages",
            code="empty_array",
        )
    for place, message in enumerate(messages):
        _check_message(Fields(message, f"messages[{place}]"))
    return messages


def read_choice(fields: Fields, tools: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The tools that may be called. A policy over answers cannot be made to call one, so that is refused."""
    choice = fields.take("tool_choice")
    if choice not in (None, "none", "auto"):
        fields.only("tool_choice", "auto")
    return () if choice == "none" else tools


def _check_message(message: Fields) -> None:
    role = message.needed_text("role")
    if role not in ROLES:
        raise wrong_value(message.name("role"), got=role, supported=ROLES)
    content = message.take("content")
    calls = message.items("tool_calls")
    if content is None and role != "assistant":
        raise missing_parameter(message.name("content"))
    if content is None and not calls and message.take("refusal") is None and message.take("function_call") is None:
        raise ApiError("Invalid value for 'content': expected a string, got null.", param=message.name("content"))
    if not isinstance(content, str | list | None):
        raise wrong_type(message.name("content"), expected="one of a string or array of objects", got=content)
    for place, part in enumerate(content if isinstance(content, list) else ()):
        one = Fields(part, f"{message.name('content')}[{place}]")
        kind = one.needed_text("type")
        if kind not in _PARTS:
            raise wrong_value(one.name("type"), got=kind, supported=_PARTS)
        one.need(kind)


def _read_tools(fields: Fields) -> Sequence[Mapping[str, Any]]:
    tools = fields.items("tools") or []
    for place, tool in enumerate(tools):
        one = Fields(tool, f"tools[{place}]")
        if (kind := one.needed_text("type")) != "function":
            raise wrong_value(one.name("type"), got=kind, supported=["function"])
        Fields(one.need("function"), one.name("function")).needed_text("name")
        one.close()
    fields.truth("parallel_tool_calls")
    return read_choice(fields, tools)


def _read_format(fields: Fields) -> Mapping[str, Any] | None:
    wanted = fields.inner("response_format")
    if wanted is None:
        return None
    kind = wanted.needed_text("type")
    if kind not in _FORMATS:
        raise wrong_value(wanted.name("type"), got=kind, supported=_FORMATS)
    if kind == "json_schema":
        schema = wanted.inner("json_schema")
        if schema is None:
            raise missing_parameter(wanted.name("json_schema"))
        schema.needed_text("name")
        Fields(schema.need("schema"), schema.name("schema"))
    return dict(fields.take("response_format"))


def _read_most_tokens(fields: Fields) -> int | None:
    most, old = fields.whole("max_completion_tokens", MOST_TOKENS), fields.whole("max_tokens", MOST_TOKENS)
    if most is not None and old is not None:
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise ApiError(message, param="max_tokens", code="invalid_parameter_combination")
    return old if most is None else most


def _read_stream_options(fields: Fields, *, stream: bool) -> bool:
    options = fields.inner("stream_options")
    if options is None:
        return False
    if not stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise ApiError(message, param="stream_options")
    include = options.truth("include_usage") or False
    options.truth("include_obfuscation")  # a defence of encrypted lines; this one is plain
    options.close()
    return include


def _read_what_changes_nothing(fields: Fields) -> None:
    fields.truth("store")
    fields.metadata("metadata")
    for name in _WITHOUT_EFFECT:
        fields.text(name)
    for name, usual in _CANNOT.items():
        fields.only(name, *usual)
