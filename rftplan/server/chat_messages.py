"""Read the messages and the tools of a chat completion, each object with the vendor's fields and no others.

Looks up nothing and answers nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rftplan.server.errors import ApiError, missing_parameter, unknown_parameter, wrong_type, wrong_value
from rftplan.server.fields import Fields

# The fields of a message beside its role and content, by role. An assistant's may be a reply that is sent back, which
# has annotations.
_OF_ROLE: Mapping[str, Sequence[str]] = {
    "developer": ("name",),
    "system": ("name",),
    "user": ("name",),
    "assistant": ("name", "refusal", "tool_calls", "function_call", "audio", "annotations"),
    "tool": ("tool_call_id",),
    "function": ("name",),
}
ROLES = tuple(_OF_ROLE)
_OF_ANY_ROLE = tuple(dict.fromkeys(name for names in _OF_ROLE.values() for name in names))
_PARTS = ("text", "image_url", "refusal")


def read_messages(fields: Fields) -> Sequence[Mapping[str, Any]]:
    """Raises ApiError for the first thing wrong."""
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


def read_tools(fields: Fields) -> Sequence[Mapping[str, Any]]:
    """All that are named. A policy over answers knows none of the custom ones."""
    tools = fields.items("tools") or []
    for place, tool in enumerate(tools):
        one = Fields(tool, f"tools[{place}]")
        if (kind := one.needed_text("type")) != "function":
            raise wrong_value(one.name("type"), got=kind, supported=["function"])
        function = Fields(one.need("function"), one.name("function"))
        function.needed_text("name")
        function.text("description")
        function.inner("parameters")
        function.truth("strict")
        function.close()
        one.close()
    return tools


def check_breakpoint(part: Fields) -> None:
    """Of a cache, and there is none."""
    if (mark := part.inner("prompt_cache_breakpoint")) is not None:
        mark.text("mode")
        mark.text("ttl")
        mark.close()


def _check_message(message: Fields) -> None:
    role = message.needed_text("role")
    if role not in ROLES:
        raise wrong_value(message.name("role"), got=role, supported=ROLES)
    for name in _OF_ANY_ROLE:  # a null of another role's field says nothing
        if name not in _OF_ROLE[role] and message.take(name) is not None:
            raise unknown_parameter(message.name(name))
    message.unsupported("audio")
    for name in ("name", "refusal", "tool_call_id"):
        message.text(name)
    message.items("annotations")
    if role == "assistant":
        message.take("parsed")  # what the official SDKs' own parsing adds to a reply, and sends back with it
    calls = message.items("tool_calls")
    for place, call in enumerate(calls or ()):
        _check_call(Fields(call, f"{message.name('tool_calls')}[{place}]"))
    if (call := message.inner("function_call")) is not None:
        _check_function(call)
    _check_content(message, role)
    message.close()


def _check_content(message: Fields, role: str) -> None:
    content = message.take("content")
    if content is None and role != "assistant":
        raise missing_parameter(message.name("content"))
    instead = ("tool_calls", "function_call", "refusal")
    if content is None and not message.take("tool_calls") and all(message.take(name) is None for name in instead[1:]):
        raise ApiError("Invalid value for 'content': expected a string, got null.", param=message.name("content"))
    if not isinstance(content, str | list | None):
        raise wrong_type(message.name("content"), expected="one of a string or array of objects", got=content)
    for place, part in enumerate(content if isinstance(content, list) else ()):
        _check_part(Fields(part, f"{message.name('content')}[{place}]"))


def _check_part(part: Fields) -> None:
    kind = part.needed_text("type")
    if kind not in _PARTS:
        raise wrong_value(part.name("type"), got=kind, supported=_PARTS)
    if kind == "image_url":
        image = Fields(part.need("image_url"), part.name("image_url"))
        image.needed_text("url")
        image.text("detail")
        image.close()
    else:
        part.needed_text(kind)
    if kind != "refusal":
        check_breakpoint(part)
    part.close()


def _check_call(call: Fields) -> None:
    call.needed_text("id")
    if (kind := call.needed_text("type")) != "function":
        raise wrong_value(call.name("type"), got=kind, supported=["function"])
    function = Fields(call.need("function"), call.name("function"))
    function.take("parsed_arguments")  # as `parsed` of a message
    _check_function(function)
    call.close()


def _check_function(function: Fields) -> None:
    function.needed_text("name")
    function.needed_text("arguments")
    function.close()
