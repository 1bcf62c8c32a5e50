"""Read the body of a chat completion: types, ranges, what this service can do. Looks up no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from rftplan.server.answer_format import check_nested_format
from rftplan.server.asking import EFFORTS, MOST_ANSWERS, Asked
from rftplan.server.chat_messages import read_messages, read_tools
from rftplan.server.errors import ApiError
from rftplan.server.fields import Fields, Whole

MOST_TOKENS = Whole(1)
MOST_SEED = Whole(-(2**63), 2**63 - 1)
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
# What the vendor's service has besides.
_UNSUPPORTED = (
    "audio",
    "function_call",
    "functions",
    "moderation",
    "prediction",
    "prompt_cache_options",
    "web_search_options",
)


class ChatRequest(Struct, frozen=True):
    asked: Asked
    stream: bool
    include_usage: bool


def read_chat_request(body: object) -> ChatRequest:
    """Raises ApiError for the first thing wrong."""
    fields = Fields(body)
    stream = fields.truth("stream") or False
    if (wanted := fields.inner("response_format")) is not None:
        check_nested_format(wanted)
    request = ChatRequest(
        asked=Asked(
            model=fields.needed_text("model"),
            messages=read_messages(fields),
            simulate=fields.inner("simulate"),
            tools=read_choice(fields, read_tools(fields)),
            response_format=fields.take("response_format"),
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


def read_choice(fields: Fields, tools: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The tools that may be called. A policy over answers cannot be made to call one, so that is refused."""
    choice = fields.take("tool_choice")
    if choice not in (None, "none", "auto"):
        fields.only("tool_choice", "auto")
    return () if choice == "none" else tools


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
    fields.truth("parallel_tool_calls")
    fields.metadata("metadata")
    for name in _WITHOUT_EFFECT:
        fields.text(name)
    for name, usual in _CANNOT.items():
        fields.only(name, *usual)
    fields.unsupported(*_UNSUPPORTED)
