"""Read what a response is asked: items, parts and tools, each with the vendor's fields and no others.

Says it in chat completions' words; looks up nothing and answers nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rftplan.server.chat_messages import check_breakpoint
from rftplan.server.errors import ApiError, wrong_type, wrong_value
from rftplan.server.fields import Fields

_ROLES = ("developer", "system", "user", "assistant")
_ITEMS = ("message", "function_call", "function_call_output", "reasoning")
_PARTS = ("input_text", "output_text", "input_image", "refusal")
_STATUSES = ("in_progress", "completed", "incomplete")


def read_input(fields: Fields) -> Sequence[Mapping[str, Any]]:
    """The messages of a chat completion that would ask the same; raises ApiError for the first thing wrong."""
    said = fields.need("input")
    if isinstance(said, str):
        return [{"role": "user", "content": said}]
    if not isinstance(said, list):
        raise wrong_type("input", expected="one of a string or array of input items", got=said)
    messages = [message for place, item in enumerate(said) for message in _messages(Fields(item, f"input[{place}]"))]
    if not messages:
        raise ApiError("Invalid 'input': it asks nothing.", param="input", code="empty_array")
    return messages


def read_response_tools(fields: Fields) -> list[dict[str, Any]]:
    """As a chat completion has them."""
    return [_tool(Fields(tool, f"tools[{place}]")) for place, tool in enumerate(fields.items("tools") or [])]


def _messages(item: Fields) -> Iterator[dict[str, Any]]:
    kind = item.choice("type", _ITEMS) or "message"
    item.text("id")  # of what was an answer before
    item.choice("status", _STATUSES)
    message = _READERS[kind](item)
    item.close()
    if message is not None:
        yield message


def _message(item: Fields) -> dict[str, Any]:
    role = item.needed_text("role")
    if role not in _ROLES:
        raise wrong_value(item.name("role"), got=role, supported=_ROLES)
    item.text("phase")  # a mark on what an assistant said, for its own next turn
    return {"role": role, "content": _content(item)}


def _call(item: Fields) -> dict[str, Any]:
    item.unsupported("async", "caller", "namespace")
    function = {"name": item.needed_text("name"), "arguments": item.needed_text("arguments")}
    item.take("parsed_arguments")
    call = {"id": item.needed_text("call_id"), "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _call_output(item: Fields) -> dict[str, Any]:
    item.unsupported("caller", "name", "namespace")
    return {"role": "tool", "tool_call_id": item.needed_text("call_id"), "content": _output(item)}


def _output(item: Fields) -> str | list[dict[str, Any]]:
    """Of a function: a text, or parts of text alone."""
    output = item.need("output")
    if isinstance(output, str):
        return output
    if not isinstance(output, list):
        raise wrong_type(item.name("output"), expected="one of a string or array of objects", got=output)
    parts = [Fields(part, f"{item.name('output')}[{place}]") for place, part in enumerate(output)]
    for part in parts:
        if (kind := part.needed_text("type")) != "input_text":
            raise wrong_value(part.name("type"), got=kind, supported=["input_text"])
    return [_part(part) for part in parts]


def _reasoning(item: Fields) -> None:
    """What a model thought is for its own next turn."""
    item.items("summary")
    item.items("content")
    item.text("encrypted_content")


_READERS = {
    "message": _message,
    "function_call": _call,
    "function_call_output": _call_output,
    "reasoning": _reasoning,
}


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
    if kind.startswith("input_"):
        check_breakpoint(part)
    if kind == "output_text":  # as an answer has them
        part.items("annotations")
        part.items("logprobs")
        part.take("parsed")  # as an official SDK's parsing adds it
    if kind == "input_image":
        part.text("detail")
        part.unsupported("file_id")
        read = {"type": "image_url", "image_url": {"url": part.needed_text("image_url")}}
    else:
        read = {"type": "text", "text": part.needed_text("refusal" if kind == "refusal" else "text")}
    part.close()
    return read


def _tool(tool: Fields) -> dict[str, Any]:
    if (kind := tool.needed_text("type")) != "function":
        raise wrong_value(tool.name("type"), got=kind, supported=["function"])
    tool.unsupported("async", "allowed_callers", "defer_loading", "output_schema")
    function: dict[str, Any] = {"name": tool.needed_text("name"), "description": tool.text("description")}
    tool.inner("parameters")
    function |= {"parameters": tool.take("parameters"), "strict": tool.truth("strict")}
    tool.close()
    return {"type": "function", "function": function}
