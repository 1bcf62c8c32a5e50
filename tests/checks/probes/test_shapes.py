"""Whatever row has the right form is no fault, and one thing done to it is exactly one."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rftplan.checks.probes.messages import Fault
from rftplan.checks.probes.shapes import shape_facts, shapes_probe

text = st.text(max_size=8)
words = text.filter(str.strip)
json = st.recursive(st.none() | st.booleans() | st.integers() | text, lambda inner: st.lists(inner, max_size=3))
parts = st.lists(
    st.builds(lambda value: {"type": "text", "text": value}, words)
    | st.builds(lambda value: {"type": "image_url", "image_url": {"url": value}}, text),
    min_size=1,
    max_size=3,
)
turn = st.builds(
    lambda role, content: [{"role": role, "content": content}],
    st.sampled_from(["developer", "user", "assistant"]),
    words | parts,
)
calling = st.builds(
    lambda name, arguments, result: [
        {"role": "assistant", "tool_calls": [{"id": name, "function": {"name": name, "arguments": arguments}}]},
        {"role": "tool", "tool_call_id": name, "content": result},
    ],
    text,
    text,
    text | parts,
)
tools = st.none() | st.lists(st.builds(lambda name: {"type": "function", "function": {"name": name}}, text), max_size=2)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """Any row that is right for reinforcement."""
    turns = draw(st.lists(turn | calling, max_size=3))
    messages = [message for some in turns for message in some] + [{"role": "user", "content": draw(words | parts)}]
    others = draw(st.dictionaries(text.filter(lambda key: key not in ("messages", "tools")), json, max_size=3))
    return {"messages": messages, **others, **({"tools": draw(tools)} if draw(st.booleans()) else {})}


def faults(row: Any, method: str = "reinforcement") -> set[Fault]:
    watch = shapes_probe(method).begin()
    watch.see(7, row)
    facts = shape_facts({shapes_probe(method).key: watch.found()}, method)
    assert facts is not None and facts.rows == 1
    assert all((tally.count, tally.lines) == (1, [7]) and tally.detail for tally in facts.faults.values())
    return set(facts.faults)


@given(row=rows())
def test_a_row_of_the_right_form_has_no_fault(row: Any) -> None:
    assert faults(row) == set()


def _end(row: Any, **message: Any) -> None:
    row["messages"].append(message)


MUTATIONS: dict[Fault, Callable[[Any], object]] = {
    Fault.NO_MESSAGES: lambda row: row.update(messages=[]),
    Fault.MESSAGE: lambda row: row["messages"][-1].update(content=None),
    Fault.ROLE: lambda row: row["messages"][-1].update(role="usr"),
    Fault.SYSTEM: lambda row: row["messages"].insert(0, {"role": "system", "content": ""}),
    Fault.MEDIUM: lambda row: row["messages"][-1].update(content=[{"type": "file", "file": {}}]),
    Fault.ENDS_WITH_ASSISTANT: lambda row: _end(row, role="assistant", content=""),
    Fault.ENDS_WITH_DEVELOPER: lambda row: _end(row, role="developer", content=""),
    Fault.EMPTY: lambda row: row["messages"][-1].update(content=" \n"),
    Fault.TOOLS: lambda row: row.update(tools=[{"type": "function", "name": "f"}]),
    Fault.TOOL_CALLS: lambda row: row["messages"].insert(0, {"role": "tool", "content": ""}),
}


@given(row=rows(), fault=st.sampled_from(sorted(MUTATIONS)))
def test_one_thing_done_to_it_is_exactly_that_fault(row: Any, fault: Fault) -> None:
    row = deepcopy(row)
    MUTATIONS[fault](row)
    assert faults(row) == {fault}


odd = st.dictionaries(st.sampled_from(["role", "content", "tool_calls", "weight", "messages"]), json)
keys = st.sampled_from(["messages", "input", "preferred_output", "tools"])


@given(
    row=st.dictionaries(keys | text, json | odd | st.lists(odd)),
    method=st.sampled_from(["reinforcement", "supervised", "dpo"]),
)
def test_no_row_is_too_odd_to_be_looked_at(row: Any, method: str) -> None:
    faults(row, method)
