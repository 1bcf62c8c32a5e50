"""What is wrong with the messages and tools of one row. Knows no method and judges nothing.

Content is text, or a list of parts that are text or images; an assistant that calls tools needs none (FACTS §3.8).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from rftplan.spelling import close_names

_MAX_SHOWN: Final = 40


class Fault(StrEnum):
    """What can be wrong with a row. The words stand in the cache of facts."""

    NO_MESSAGES = "no-messages"
    MESSAGE = "message"
    ROLE = "role"
    SYSTEM = "system"
    MEDIUM = "medium"
    ENDS_WITH_ASSISTANT = "ends-with-assistant"
    ENDS_WITH_TOOL = "ends-with-tool"
    ENDS_WITH_DEVELOPER = "ends-with-developer"
    TOOLS = "tools"
    TOOL_CALLS = "tool-calls"
    MISSPELT = "misspelt"
    NOTHING_TO_LEARN = "nothing-to-learn"
    WEIGHT = "weight"
    NO_PREFERENCE = "no-preference"
    OUTPUT_ROLE = "output-role"
    SAME_OUTPUTS = "same-outputs"
    EMPTY = "empty"


class Seen(NamedTuple):
    """One fault of one row: what exactly, and what to do about it."""

    fault: Fault
    detail: str
    hint: str | None = None


def shown(value: Any) -> str:
    """A value as it stands in a message: JSON, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def look_at_messages(messages: Sequence[Any], path: str, roles: Sequence[str]) -> Iterator[Seen]:
    """The faults of a list of messages that is not empty; `path` leads to it from the row."""
    calls: set[str] = set()
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            yield Seen(Fault.MESSAGE, f"{path}[{index}] is {shown(message)}", "write {role: …, content: …}")
            continue
        role = message.get("role")
        if role not in roles:
            yield _role(role, "role" in message, f"{path}[{index}]", roles)
        content = message.get("content")
        if role == "user" and _is_blank(content):
            yield Seen(Fault.EMPTY, f"{path}[{index}] says nothing", "write what the user says, or leave the row out")
        if role != "user" or type(content) is not str:
            for fault, detail, hint in _message(role, message, calls):
                yield Seen(fault, f"{path}[{index}] {detail}", hint)


def _is_blank(content: Any) -> bool:
    """Whether this is text, and all of it blank; a picture says something."""
    if type(content) is str:
        return not content or content.isspace()
    return isinstance(content, list) and bool(content) and all(map(_is_blank_part, content))


def _is_blank_part(part: Any) -> bool:
    if not isinstance(part, dict) or part.get("type") != "text":
        return False
    text = part.get("text")
    return isinstance(text, str) and not text.strip()


def _role(role: Any, written: bool, at: str, roles: Sequence[str]) -> Seen:
    if not written:
        return Seen(Fault.MESSAGE, f"{at} has no role", f"roles are {', '.join(roles)}")
    if role == "system":
        return Seen(Fault.SYSTEM, f"{at} is the system's", "write the role developer")
    close = close_names(role, roles) if isinstance(role, str) else []
    hint = f'did you mean "{close[0]}"?' if close else f"roles are {', '.join(roles)}"
    return Seen(Fault.ROLE, f"{at} has the role {shown(role)}", hint)


def _message(role: Any, message: dict[str, Any], calls: set[str]) -> Iterator[Seen]:
    if role == "assistant":
        yield from _calls(message.get("tool_calls"), calls)
    elif role == "tool":
        call = message.get("tool_call_id")
        if not isinstance(call, str):
            yield Seen(Fault.TOOL_CALLS, "answers no tool call", "give it the tool_call_id of the call it answers")
        elif call not in calls:
            yield Seen(Fault.TOOL_CALLS, f"answers the call {shown(call)}, which no earlier message makes")
    content = message.get("content")
    if type(content) is str:
        return
    if content is None:
        if role == "function" or (role == "assistant" and any(message.get(key) for key in _INSTEAD)):
            return
        said = "has no content" if "content" not in message else "has null as content"
        yield Seen(Fault.MESSAGE, said, _content_hint(message))
    elif isinstance(content, list) and content:
        for index, part in enumerate(content):
            yield from _part(part, index)
    else:
        yield Seen(Fault.MESSAGE, f"has {shown(content)} as content", "write a text, or a list of parts")


_INSTEAD: Final = ("tool_calls", "function_call", "refusal")
"""What an assistant's message may have in place of content."""


def _content_hint(message: dict[str, Any]) -> str | None:
    close = close_names("content", message, cutoff=0.75)
    return f'did you mean "content" where it says "{close[0]}"?' if close and close[0] != "content" else None


_PARTS: Final = {"text": "text", "refusal": "refusal", "image_url": "image_url"}
"""The types of parts, and the key that holds what they are about."""
_OTHER_MEDIA: Final = ("input_audio", "audio", "file", "input_file", "video_url")


def _part(part: Any, index: int) -> Iterator[Seen]:
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(kind, str) and kind in _OTHER_MEDIA:
        yield Seen(Fault.MEDIUM, f"has a part of type {shown(kind)}", "leave it out, or write what it says as text")
    elif not isinstance(kind, str) or kind not in _PARTS:
        said = shown(part) if kind is None else f"of type {shown(kind)}"
        yield Seen(Fault.MESSAGE, f"has content[{index}], which is {said}", 'parts are of type "text" or "image_url"')
    else:
        value = part.get(_PARTS[kind])
        if kind == "image_url":
            value = value.get("url") if isinstance(value, dict) else None
        if not isinstance(value, str):
            form = "image_url: {url: …}" if kind == "image_url" else f"{kind}: …"
            yield Seen(Fault.MESSAGE, f'has content[{index}] of type "{kind}" without one', f"write {form}")


def _calls(calls: Any, ids: set[str]) -> Iterator[Seen]:
    if calls is None:
        return
    if not isinstance(calls, list) or not calls:
        yield Seen(Fault.TOOL_CALLS, f"has {shown(calls)} as tool_calls", "write a list of calls, or leave it out")
        return
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            yield Seen(Fault.TOOL_CALLS, "has a tool call that names no function", _CALL_FORM)
            continue
        if not isinstance(function.get("arguments"), str):
            given = shown(function.get("arguments"))
            yield Seen(Fault.TOOL_CALLS, f"calls a function with {given}", "write arguments as JSON text, in quotes")
        if isinstance(call.get("id"), str):
            ids.add(call["id"])
        else:
            yield Seen(Fault.TOOL_CALLS, "has a tool call without id", _CALL_FORM)


_CALL_FORM: Final = 'a call is {id: …, type: function, function: {name: …, arguments: "{…}"}}'


def look_at_tools(tools: Any) -> Iterator[Seen]:
    """The faults of a row's tools; null counts as none, as exports write it."""
    if tools is None:
        return
    if not isinstance(tools, list):
        yield Seen(Fault.TOOLS, f'"tools" is {shown(tools)}', "write a list of functions")
        return
    for index, tool in enumerate(tools):
        if problem := _tool(tool):
            form = "a tool is {type: function, function: {name: …, parameters: {…}}}"
            yield Seen(Fault.TOOLS, f"tools[{index}] {problem}", form)


def _tool(tool: Any) -> str | None:
    if not isinstance(tool, dict):
        return f"is {shown(tool)}"
    if tool.get("type") != "function":
        return f"has the type {shown(tool['type'])}" if "type" in tool else "has no type"
    function = tool.get("function")
    if not isinstance(function, dict):
        return "has no function" if "function" not in tool else f"has {shown(function)} as function"
    if not isinstance(function.get("name"), str):
        return "has a function without name"
    if not isinstance(function.get("parameters", {}), dict | None):
        return f"has {shown(function['parameters'])} as parameters"
    return None


def is_listed_tool(value: Any) -> bool:
    """Whether this is certainly a tool, whatever key it stands under."""
    return isinstance(value, dict) and value.get("type") == "function" and isinstance(value.get("function"), dict)
