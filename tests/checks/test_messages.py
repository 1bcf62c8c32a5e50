"""Rows that a job's method cannot train on are found before the upload, each with its line."""

from __future__ import annotations

from typing import Any

import pytest

from rftplan.api.profiles import profile
from tests.checks.rows_of import BY_METHOD, TRAIN, found, good, said
from tests.world import Small

ASKED, ANSWERED = said("user", "Why?"), said("assistant", "So.")
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALLS = {"role": "assistant", "tool_calls": [CALL]}
RESULT = said("tool", "3", tool_call_id="c1")
PICTURE = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]


def rft(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), "answer": "3", **more}


def dpo(**more: Any) -> dict[str, Any]:
    return {**good("dpo", 1), **more}


NESTED: Any = ""
for _ in range(450):  # as deep as rows may be, and every part has a list where its text should be
    NESTED = [{"type": "text", "text": NESTED}]

BLANK = "says nothing | write what the user says, or leave the row out"
FAULTS = [
    (
        "reinforcement",
        {"mesages": [ASKED], "answer": "3"},
        "D201",
        'there is no "messages" | did you mean "messages" where it says "mesages"?',
    ),
    ("reinforcement", {"messages": [], "answer": "3"}, "D201", '"messages" is [] | write a list of messages'),
    ("supervised", {"messages": "Why?"}, "D201", '"messages" is "Why?" | write a list of messages'),
    ("reinforcement", rft("Why?"), "D202", 'messages[0] is "Why?" | write {role: …, content: …}'),
    (
        "reinforcement",
        rft({"content": "Why?"}, ASKED),
        "D202",
        "messages[0] has no role | roles are developer, user, assistant, tool",
    ),
    ("reinforcement", rft({"role": "user"}), "D202", "messages[0] has no content"),
    ("reinforcement", rft(said("user", 3)), "D202", "messages[0] has 3 as content | write a text, or a list of parts"),
    ("supervised", {"messages": [ASKED, said("assistant", None)]}, "D202", "messages[1] has null as content"),
    (
        "reinforcement",
        rft(said("user", [{"type": "input_text", "text": "x"}])),
        "D202",
        'messages[0] has content[0], which is of type "input_text" | parts are of type "text" or "image_url"',
    ),
    (
        "reinforcement",
        rft(said("user", [{"type": "image_url", "image_url": "x"}])),
        "D202",
        'messages[0] has content[0] of type "image_url" without one | write image_url: {url: …}',
    ),
    (
        "reinforcement",
        rft(said("user", NESTED)),
        "D202",
        'messages[0] has content[0] of type "text" without one | write text: …',
    ),
    ("reinforcement", rft(said("usr", "x"), ASKED), "D203", 'messages[0] has the role "usr" | did you mean "user"?'),
    (
        "reinforcement",
        rft(said("system", "x"), ASKED),
        "D204",
        "messages[0] is the system's | write the role developer",
    ),
    (
        "reinforcement",
        rft(ASKED, ANSWERED),
        "D205",
        "the last message is the assistant's"
        " | end with the question; put the right answer into a field of its own, which the grader reads as item",
    ),
    (
        "reinforcement",
        rft(ASKED, CALLS, RESULT),
        "D206",
        "the last message is the tool's | end with a message of the user",
    ),
    (
        "reinforcement",
        rft(said("developer", "Add 1.")),
        "D206",
        "the last message is the developer's | put the question into a message of the user",
    ),
    (
        "reinforcement",
        rft(ASKED, tools=[{"type": "function", "name": "f"}]),
        "D208",
        "tools[0] has no function | a tool is {type: function, function: {name: …, parameters: {…}}}",
    ),
    ("supervised", {"messages": [ASKED, ANSWERED], "tools": {}}, "D208", '"tools" is {} | write a list of functions'),
    (
        "reinforcement",
        rft({**CALLS, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": {}}}]}, RESULT, ASKED),
        "D209",
        "messages[0] calls a function with {} | write arguments as JSON text, in quotes",
    ),
    (
        "reinforcement",
        rft(CALLS, {**RESULT, "tool_call_id": "c2"}, ASKED),
        "D209",
        'messages[1] answers the call "c2", which no earlier message makes',
    ),
    (
        "reinforcement",
        rft(ASKED, tool=[TOOL]),
        "D210",
        '"tool" holds tools | did you mean "tools" where it says "tool"?',
    ),
    ("supervised", {"messages": [ASKED]}, "D211", "no message is the assistant's"),
    ("supervised", {"messages": [ASKED, {**ANSWERED, "weight": 0.5}]}, "D212", "a weight is 0.5, not 0 or 1"),
    (
        "supervised",
        {"messages": [ASKED, {**ANSWERED, "weight": 0}]},
        "D212",
        "every answer has weight 0, so there is nothing to learn",
    ),
    (
        "dpo",
        {key: value for key, value in dpo().items() if key != "preferred_output"} | {"prefered_output": [ANSWERED]},
        "D213",
        'there is no "preferred_output" | did you mean "preferred_output" where it says "prefered_output"?',
    ),
    (
        "dpo",
        dpo(non_preferred_output=ANSWERED),
        "D213",
        '"non_preferred_output" is {"role": "assistant", "content": "So."}'
        " | write a list with the assistant's message",
    ),
    ("dpo", dpo(input={"messages": []}), "D201", '"input.messages" is [] | write a list of messages'),
    ("dpo", dpo(preferred_output=[ASKED]), "D214", 'the last message of "preferred_output" is the user\'s'),
    ("dpo", dpo(preferred_output=[ANSWERED], non_preferred_output=[ANSWERED]), "D215", "there is nothing to prefer"),
    (
        "reinforcement",
        rft(said("user", [{"type": "input_audio", "input_audio": {}}])),
        "D216",
        'messages[0] has a part of type "input_audio" | leave it out, or write what it says as text',
    ),
    (
        "reinforcement",
        rft(said("user", "")),
        "D217",
        f"messages[0] {BLANK}",
    ),
    ("supervised", {"messages": [said("user", " \n\t"), ANSWERED]}, "D217", f"messages[0] {BLANK}"),
    ("dpo", dpo(input={"messages": [ASKED, ANSWERED, said("user", "")]}), "D217", f"input.messages[2] {BLANK}"),
    ("reinforcement", rft(said("user", [{"type": "text", "text": " "}])), "D217", f"messages[0] {BLANK}"),
]


@pytest.mark.parametrize(
    ("method", "row", "code", "expected"), FAULTS, ids=[f"{f[2]}-{n}" for n, f in enumerate(FAULTS)]
)
def test_each_fault_has_its_one_finding_at_its_line(
    small: Small, method: str, row: Any, code: str, expected: str
) -> None:
    (line,) = found(small, method, [good(method, 5), row])
    assert line == f"{code} {TRAIN}:2:1 1 of 14 rows (line 2): {expected}"


GOOD = [
    ("reinforcement", rft(said("developer", "Be short."), ASKED, ANSWERED, said("user", "And then?"))),
    ("reinforcement", rft(ASKED, CALLS, RESULT, said("user", "And now?"), tools=[TOOL])),
    ("reinforcement", rft(said("user", PICTURE), tools=None, notes=[TOOL])),
    (
        "supervised",
        {"messages": [said("system", "Be short."), ASKED, CALLS], "tools": [TOOL], "parallel_tool_calls": False},
    ),
    ("supervised", {"messages": [ASKED, {**ANSWERED, "weight": 0}, ASKED, {**ANSWERED, "weight": 1}]}),
    ("supervised", {"messages": [ASKED, {"role": "assistant", "content": None, "function_call": {"name": "f"}}]}),
    ("dpo", dpo(input={"messages": [said("system", "Be short."), ASKED], "tools": [TOOL]})),
]


@pytest.mark.parametrize(("method", "row"), GOOD)
def test_rows_of_every_form_that_the_method_takes_are_no_finding(small: Small, method: str, row: Any) -> None:
    assert found(small, method, [row]) == []


def test_rows_with_one_fault_are_one_finding_that_counts_them(small: Small) -> None:
    rows = [{"messages": [ASKED, said("assistant", f"{n}")], "answer": "3"} for n in range(4)]
    (line,) = found(small, "reinforcement", rows)
    assert line.startswith(f"D205 {TRAIN}:1:1 4 of 16 rows (lines 1, 2, 3…): ")


def test_rows_of_another_method_are_told_as_such(small: Small) -> None:
    (line,) = found(small, "supervised", [good("dpo", 1)])
    assert line.endswith("| rows of preferences are for the method dpo")
    lines = found(small, "dpo", [good("supervised", 1)])
    assert lines == [
        f'D213 {TRAIN}:1:1 1 of 13 rows (line 1): there is no "input"'
        " | rows of messages are for the methods supervised and reinforcement"
    ]


def test_who_may_speak_last_is_the_providers_matter(small: Small) -> None:
    """D207 where it is not established that the service refuses it, D206 where it is."""
    hosted = BY_METHOD["reinforcement"].replace("provider: local", "provider: openai")
    (line,) = found(small, "reinforcement", [rft(ASKED, CALLS, RESULT)], spec=hosted)
    assert line.startswith("D207 ")
    assert profile("local").rows.last_roles < profile("openai").rows.last_roles
