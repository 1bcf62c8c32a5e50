"""Read the body of a response's creation, and say in chat completions' words what it asks. Looks up no model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftplan.server.asking import EFFORTS, Asked
from rftplan.server.chat_request import MOST_TOKENS, read_choice, read_temperature
from rftplan.server.errors import ApiError, missing_parameter, wrong_type, wrong_value
from rftplan.server.fields import Fields

_ROLES = ("developer", "system", "user", "assistant")
_ITEMS = ("message", "function_call", "function_call_output", "reasoning")
_PARTS = ("input_text", "output_text", "input_image", "refusal")
_FORMATS = ("text", "json_object", "json_schema")
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


@dataclass(frozen=True, slots=True)
class ResponseRequest:
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
        messages=[*_developer(instructions), *_read_input(fields)],
        simulate=fields.inner("simulate"),
        tools=read_choice(fields, _read_tools(fields)),
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


def _read_input(fields: Fields) -> Sequence[Mapping[str, Any]]:
    said = fields.need("input")
    if isinstance(said, str):
        return [{"role": "user", "content": said}]
    if not isinstance(said, list):
        raise wrong_type("input", expected="one of a string or array of input items", got=said)
    messages = [message for place, item in enumerate(said) for message in _messages(Fields(item, f"input[{place}]"))]
    if not messages:
        raise ApiError("Invalid 'input': it asks nothing.", param="input", code="empty_array")
    return messages


def _messages(item: Fields) -> Iterator[dict[str, Any]]:
    match item.choice("type", _ITEMS) or "message":
        case "message":
            role = item.needed_text("role")
            if role not in _ROLES:
                raise wrong_value(item.name("role"), got=role, supported=_ROLES)
            yield {"role": role, "content": _content(item)}
        case "function_call":
            function = {"name": item.needed_text("name"), "arguments": item.needed_text("arguments")}
            call = {"id": item.needed_text("call_id"), "type": "function", "function": function}
            yield {"role": "assistant", "content": None, "tool_calls": [call]}
        case "function_call_output":
            yield {"role": "tool", "tool_call_id": item.needed_text("call_id"), "content": item.needed_text("output")}
        case _:
            return  # what a model thought is for its own next turn


def _content(item: Fields) -> str | list[dict[str, Any]]:
    content = item.need("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise wrong_type(item.name("content"), expected="one of a string or array of objects", got=content)
    return [_part(Fields(part, f"{item.name('content')}[{place}]")) for place, part in enumerate(content)]


def _part(part: Fields) -> dict[str, Any]:
    kind = part.needed_text("type")
    if kind not in _PARTS:
        raise wrong_value(part.name("type"), got=kind, supported=_PARTS)
    if kind == "input_image":
        return {"type": "image_url", "image_url": {"url": part.needed_text("image_url")}}
    return {"type": "text", "text": part.needed_text("refusal" if kind == "refusal" else "text")}


def _read_tools(fields: Fields) -> list[dict[str, Any]]:
    return [_tool(Fields(tool, f"tools[{place}]")) for place, tool in enumerate(fields.items("tools") or [])]


def _tool(tool: Fields) -> dict[str, Any]:
    if (kind := tool.needed_text("type")) != "function":
        raise wrong_value(tool.name("type"), got=kind, supported=["function"])
    function: dict[str, Any] = {"name": tool.needed_text("name")}
    function |= {name: tool.take(name) for name in ("description", "parameters", "strict")}
    tool.close()
    return {"type": "function", "function": function}


def _read_text(fields: Fields) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """The format as it is sent back, and as a chat completion has it."""
    text = fields.inner("text") or Fields({})
    text.only("verbosity", "medium")
    wanted = text.inner("format")
    sent = text.take("format")
    text.close()
    if wanted is None:
        return {"type": "text"}, None
    kind = wanted.needed_text("type")
    if kind not in _FORMATS:
        raise wrong_value(wanted.name("type"), got=kind, supported=_FORMATS)
    if kind != "json_schema":
        return sent, {"type": kind}
    wanted.needed_text("name")
    if not isinstance(wanted.take("schema"), dict):
        raise missing_parameter(wanted.name("schema"))
    return sent, {"type": kind, "json_schema": {key: value for key, value in sent.items() if key != "type"}}


def _read_reasoning(fields: Fields) -> tuple[str | None, Mapping[str, Any]]:
    """The effort, and the object that is sent back. There is nothing that a summary could be of."""
    reasoning = fields.inner("reasoning") or Fields({})
    effort = reasoning.choice("effort", EFFORTS)
    summary = reasoning.choice("summary", _SUMMARIES)
    reasoning.choice("generate_summary", _SUMMARIES)
    reasoning.close()
    return effort, {"effort": effort, "summary": summary}


def _read_stream_options(fields: Fields) -> None:
    if (options := fields.inner("stream_options")) is not None:
        options.truth("include_obfuscation")
        options.close()
