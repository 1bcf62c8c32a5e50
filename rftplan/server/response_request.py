"""Read the body of a response's creation, and say in chat completions' words what it asks. Looks up no model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from rftplan.server.answer_format import check_flat_format
from rftplan.server.asking import EFFORTS, Asked
from rftplan.server.chat_request import MOST_TOKENS, read_choice, read_temperature
from rftplan.server.fields import Fields
from rftplan.server.response_input import read_input, read_response_tools

_SUMMARIES = ("auto", "concise", "detailed")
_WITHOUT_EFFECT = ("user", "prompt_cache_key", "safety_identifier")
# What a response may be asked for and this service cannot do, with what it may say all the same.
_CANNOT: Mapping[str, tuple[Any, ...]] = {
    "top_p": (1,),
    "top_logprobs": (0,),
    "background": (False,),
    "include": ([], ["reasoning.encrypted_content"]),
    "truncation": ("disabled", "auto"),
    "service_tier": ("auto", "default"),
    "prompt_cache_retention": ("in_memory",),
    "previous_response_id": (),
    "conversation": (),
    "prompt": (),
    "max_tool_calls": (),
}
# What the vendor's service has besides.
_UNSUPPORTED = (
    "access_programs",
    "background_options",
    "context_management",
    "image",
    "moderation",
    "prompt_cache_options",
)


class ResponseRequest(Struct, frozen=True):
    """`said` is what the reply repeats of the request."""

    asked: Asked
    stream: bool
    said: Mapping[str, Any]


def read_response_request(body: object) -> ResponseRequest:
    """Raises ApiError for the first thing wrong."""
    fields = Fields(body)
    instructions = fields.text("instructions")
    said = _said(fields)
    wanted, chat_format = _read_text(fields)
    effort, reasoning = _read_reasoning(fields)
    asked = Asked(
        model=fields.needed_text("model"),
        messages=[*_developer(instructions), *read_input(fields)],
        simulate=fields.inner("simulate"),
        tools=read_choice(fields, read_response_tools(fields)),
        response_format=chat_format,
        temperature=read_temperature(fields),
        effort=effort,
        most_tokens=fields.whole("max_output_tokens", MOST_TOKENS),
    )
    stream = fields.truth("stream") or False
    _read_stream_options(fields)
    for name in _WITHOUT_EFFECT:
        fields.text(name)
    for name, usual in _CANNOT.items():
        fields.only(name, *usual)
    fields.unsupported(*_UNSUPPORTED)
    fields.close()
    return ResponseRequest(
        asked=asked,
        stream=stream,
        said={
            **said,
            "temperature": asked.temperature,
            "max_output_tokens": asked.most_tokens,
            "text": {"format": wanted},
            "reasoning": reasoning,
        },
    )


def _said(fields: Fields) -> dict[str, Any]:
    parallel = fields.truth("parallel_tool_calls")
    fields.truth("store")
    choice = fields.take("tool_choice")
    return {
        "instructions": fields.take("instructions"),
        "metadata": fields.metadata("metadata") or {},
        "parallel_tool_calls": True if parallel is None else parallel,
        "store": False,  # whatever was asked for: nothing is
        "tools": fields.take("tools") or [],
        "tool_choice": "auto" if choice is None else choice,
        "user": fields.take("user"),
    }


def _developer(instructions: str | None) -> list[dict[str, Any]]:
    return [] if instructions is None else [{"role": "developer", "content": instructions}]


def _read_text(fields: Fields) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """The format as it is sent back, and as a chat completion has it."""
    text = fields.inner("text") or Fields({})
    text.only("verbosity", "medium")
    wanted = text.inner("format")
    sent = text.take("format")
    text.close()
    if wanted is None:
        return {"type": "text"}, None
    check_flat_format(wanted)
    if sent["type"] != "json_schema":
        return sent, {"type": sent["type"]}
    return sent, {"type": sent["type"], "json_schema": {key: value for key, value in sent.items() if key != "type"}}


def _read_reasoning(fields: Fields) -> tuple[str | None, Mapping[str, Any]]:
    """The effort, and the object that is sent back. There is nothing that a summary could be of."""
    reasoning = fields.inner("reasoning") or Fields({})
    effort = reasoning.choice("effort", EFFORTS)
    summary = reasoning.choice("summary", _SUMMARIES)
    reasoning.choice("generate_summary", _SUMMARIES)
    reasoning.unsupported("context", "mode")
    reasoning.close()
    return effort, {"effort": effort, "summary": summary}


def _read_stream_options(fields: Fields) -> None:
    if (options := fields.inner("stream_options")) is not None:
        options.truth("include_obfuscation")
        options.close()
