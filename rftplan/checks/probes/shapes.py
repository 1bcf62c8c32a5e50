"""Whether rows have the shape that a method trains on, and what is wrong with the others. Judges nothing.

What a row shall have is the vendor's schema of a row, by method (FACTS §3.8); what a message shall have is in
probes/messages.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from rftplan.canonical import Json, JsonObject
from rftplan.checks.probes.messages import Fault, Seen, is_listed_tool, look_at_messages, look_at_tools, shown
from rftplan.checks.probes.tally import Tally, tally_of
from rftplan.data.probes import Probe
from rftplan.spelling import close_names

_VERSION: Final = "shapes/2"

REINFORCEMENT_ROLES: Final = ("developer", "user", "assistant", "tool")
OTHER_ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")
_OUTPUTS: Final = ("preferred_output", "non_preferred_output")


def _reinforcement(row: Mapping[str, Any]) -> Iterator[Seen]:
    yield from _messages_of(row, "", REINFORCEMENT_ROLES)
    yield from _tools_of(row)
    messages = row.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    role = last.get("role") if isinstance(last, dict) else None
    if isinstance(role, str) and role in _LAST:
        fault, hint = _LAST[role]
        yield Seen(fault, f"the last message is the {role}'s", hint)


_LAST: Final = {
    "assistant": (
        Fault.ENDS_WITH_ASSISTANT,
        "end with the question; put the right answer into a field of its own, which the grader reads as item",
    ),
    "tool": (Fault.ENDS_WITH_TOOL, "end with a message of the user"),
    "developer": (Fault.ENDS_WITH_DEVELOPER, "put the question into a message of the user"),
}


def _supervised(row: Mapping[str, Any]) -> Iterator[Seen]:
    yield from _messages_of(row, "", OTHER_ROLES)
    yield from _tools_of(row)
    messages = row.get("messages")
    if isinstance(messages, list) and messages:
        yield from _answers(messages)


def _answers(messages: list[Any]) -> Iterator[Seen]:
    answers = [message for message in messages if isinstance(message, dict) and message.get("role") == "assistant"]
    if not answers:
        yield Seen(Fault.NOTHING_TO_LEARN, "no message is the assistant's")
    for answer in answers:
        weight = answer.get("weight")
        if weight is not None and (isinstance(weight, bool) or weight not in (0, 1)):
            yield Seen(Fault.WEIGHT, f"a weight is {shown(weight)}, not 0 or 1")
    if answers and all(_is_zero(answer.get("weight")) for answer in answers):
        yield Seen(Fault.WEIGHT, "every answer has weight 0, so there is nothing to learn")


def _is_zero(weight: Any) -> bool:
    return isinstance(weight, int | float) and not isinstance(weight, bool) and weight == 0


def _dpo(row: Mapping[str, Any]) -> Iterator[Seen]:
    if missing := [key for key in ("input", *_OUTPUTS) if key not in row]:
        yield Seen(Fault.NO_PREFERENCE, f'there is no "{missing[0]}"', _no_preference_hint(row, missing[0]))
    given = row.get("input")
    if isinstance(given, dict):
        yield from _messages_of(given, "input.", OTHER_ROLES)
        yield from look_at_tools(given.get("tools"))
    elif "input" in row:
        yield Seen(Fault.NO_PREFERENCE, f'"input" is {shown(given)}', "write an object that has the messages")
    for key in _OUTPUTS:
        if key in row:
            yield from _output(key, row[key])
    if all(row.get(key) for key in _OUTPUTS) and row[_OUTPUTS[0]] == row[_OUTPUTS[1]]:
        yield Seen(Fault.SAME_OUTPUTS, "there is nothing to prefer")


def _output(key: str, value: Any) -> Iterator[Seen]:
    if not isinstance(value, list) or not value:
        yield Seen(Fault.NO_PREFERENCE, f'"{key}" is {shown(value)}', "write a list with the assistant's message")
        return
    yield from look_at_messages(value, key, OTHER_ROLES)
    last = value[-1]
    role = last.get("role") if isinstance(last, dict) else None
    if role != "assistant" and role in OTHER_ROLES:
        yield Seen(Fault.OUTPUT_ROLE, f'the last message of "{key}" is the {role}\'s')


def _messages_of(holder: Mapping[str, Any], path: str, roles: tuple[str, ...]) -> Iterator[Seen]:
    messages = holder.get("messages")
    if isinstance(messages, list) and messages:
        yield from look_at_messages(messages, f"{path}messages", roles)
    elif "messages" in holder:
        yield Seen(Fault.NO_MESSAGES, f'"{path}messages" is {shown(messages)}', "write a list of messages")
    else:
        yield Seen(Fault.NO_MESSAGES, f'there is no "{path}messages"', _no_messages_hint(holder))


def _no_messages_hint(row: Mapping[str, Any]) -> str | None:
    if close := close_names("messages", row, cutoff=0.75):
        return f'did you mean "messages" where it says "{close[0]}"?'
    if any(key in row for key in _OUTPUTS):
        return "rows of preferences are for the method dpo"
    return "put the prompt into messages: [{role: user, content: …}]"


def _no_preference_hint(row: Mapping[str, Any], missing: str) -> str | None:
    others = [key for key in row if key not in ("input", *_OUTPUTS)]
    if close := close_names(missing, others, cutoff=0.75):
        return f'did you mean "{missing}" where it says "{close[0]}"?'
    if "messages" in row:
        return "rows of messages are for the methods supervised and reinforcement"
    return "a row for dpo has input, preferred_output and non_preferred_output"


def _tools_of(row: Mapping[str, Any]) -> Iterator[Seen]:
    if "tools" in row:
        yield from look_at_tools(row["tools"])
        return
    for key, value in row.items():
        if isinstance(value, list) and value and is_listed_tool(value[0]) and close_names("tools", [key], cutoff=0.75):
            yield Seen(Fault.MISSPELT, f'"{key}" holds tools', f'did you mean "tools" where it says "{key}"?')


_LOOKS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[Seen]]]] = {
    "reinforcement": _reinforcement,
    "supervised": _supervised,
    "dpo": _dpo,
}


class _Shapes:
    def __init__(self, method: str) -> None:
        self._look = _LOOKS[method]
        self._rows = 0
        self._faults: dict[Fault, Tally] = {}

    def see(self, line: int, row: Mapping[str, Json]) -> None:
        self._rows += 1
        seen: set[Fault] = set()
        for fault, detail, hint in self._look(row):
            if fault not in seen:
                seen.add(fault)
                self._faults.setdefault(fault, Tally(detail=detail, hint=hint)).see(line)

    def found(self) -> JsonObject:
        return {"rows": self._rows, "faults": {fault: tally.document() for fault, tally in self._faults.items()}}


class ShapeFacts(Struct, frozen=True):
    """How many rows were looked at, and which faults they have: each counted once a row."""

    rows: int
    faults: Mapping[Fault, Tally]


def shapes_probe(method: str) -> Probe:
    """A probe for the shape that rows have to have for this method."""
    return Probe(f"{_VERSION}:{method}", lambda: _Shapes(method))


def shape_facts(found: Mapping[str, JsonObject], method: str) -> ShapeFacts | None:
    """What the probe for this method found; None where it did not look."""
    document: Any = found.get(shapes_probe(method).key)
    if document is None:
        return None
    return ShapeFacts(document["rows"], {Fault(key): tally_of(one) for key, one in document["faults"].items()})
