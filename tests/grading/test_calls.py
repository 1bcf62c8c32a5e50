"""Tool calls by kind: right is what the grader compares a call with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading import Sample, StandInJudge, parse_grader
from rftplan.grading.calls import Call, Spoken, SpokenBook, call_links, tools_of
from rftplan.grading.candidates import Kind

TOOLS = [{"type": "function", "function": {"name": "look_up"}}, {"type": "function", "function": {"name": "send"}}]


def check(part: str, field: str, root: str = "output_tools") -> dict[str, Any]:
    return {
        "type": "string_check",
        "name": part,
        "input": f"{{{{sample.{root}[0].function.{part}}}}}",
        "operation": "eq",
        "reference": f"{{{{item.{field}}}}}",
    }


def both(**members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "multi", "name": "m", "graders": members, "calculate_output": " + ".join(members)}


NAME, ARGUMENTS = check("name", "tool"), check("arguments", "arguments")
ITEMS = [
    {"tool": "look_up", "arguments": '{"id": 1}'},
    {"tool": "send", "arguments": {"to": "a"}},
    {"tool": "look_up", "arguments": '{"id": 1}'},
]


def book(grader: dict[str, Any], items: list[dict[str, Any]] | None = None) -> SpokenBook:
    return SpokenBook(ITEMS if items is None else items, parse_grader(grader), None)


def test_the_kinds_of_calls() -> None:
    made = book(both(name=NAME, arguments=ARGUMENTS)).candidates(ITEMS[0], TOOLS, turn=0)
    assert made == {
        Kind.RIGHT: Spoken("", Call("look_up", '{"id": 1}')),
        Kind.WRONG: Spoken("", Call("send", '{"to": "a"}')),
        Kind.CONSTANT: Spoken("", Call("look_up", '{"id": 1}')),
        Kind.MALFORMED: Spoken("", Call("look_up", '{"id"')),
    }
    with pytest.raises(ValueError):
        json.loads(made[Kind.MALFORMED].call.arguments)  # type: ignore[union-attr]


def test_what_the_grader_does_not_ask_for_is_filled_in() -> None:
    only_name = book(NAME).candidates(ITEMS[1], TOOLS, turn=1)[Kind.RIGHT]
    assert only_name.call == Call("send", "{}")
    only_arguments = book(check("arguments", "arguments", "choices[0].message.tool_calls"))
    assert only_arguments.candidates(ITEMS[1], TOOLS, turn=1)[Kind.RIGHT].call == Call("look_up", '{"to": "a"}')


def parameters(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [name for name in properties if name != "note"]}


LOOK_UP = parameters(
    id={"type": "integer"}, city={"type": "string"}, sure={"type": "boolean"}, note={"type": "string"},
    unit={"enum": ["C", "F"]}, near={"$ref": "#/$defs/place"},
) | {"$defs": {"place": parameters(lat={"type": "number"})}}  # fmt: skip


def test_a_call_by_its_name_has_the_arguments_that_its_tool_requires() -> None:
    offered = [{"type": "function", "function": {"name": "look_up", "parameters": LOOK_UP}}, TOOLS[1]]
    items = [{"tool": "look_up", "id": 7, "sure": "no"}, {"tool": "send"}]
    made = book(NAME, items).candidates(items[0], offered, turn=0)
    right, wrong = made[Kind.RIGHT].call, made[Kind.WRONG].call
    assert right is not None and right.name == "look_up"
    filled = {"id": 7, "city": "Not stated.", "sure": False, "unit": "C", "near": {"lat": 0}}
    assert json.loads(right.arguments) == filled
    assert wrong == Call("send", "{}")
    with pytest.raises(ValueError):
        json.loads(made[Kind.MALFORMED].call.arguments)  # type: ignore[union-attr]


def test_arguments_that_the_grader_compares_are_the_rows_whatever_the_tool_requires() -> None:
    offered = [{"type": "function", "function": {"name": "look_up", "parameters": LOOK_UP}}]
    assert book(ARGUMENTS).candidates(ITEMS[0], offered, turn=0)[Kind.RIGHT].call == Call("look_up", '{"id": 1}')


@pytest.mark.parametrize(
    "schema", [None, [], {"required": "id"}, {"required": [1, "id"]}, {"required": ["id"], "properties": 3}]
)
def test_a_tool_that_says_nothing_of_its_arguments_is_called_without_any(schema: Any) -> None:
    offered = [{"type": "function", "function": {"name": "look_up", "parameters": schema}}]
    assert book(NAME).candidates(ITEMS[0], offered, turn=0)[Kind.RIGHT].call == Call("look_up", "{}")


def test_without_tools_or_without_a_comparison_there_is_no_call() -> None:
    text = {**NAME, "input": "{{sample.output_text}}"}
    assert call_links(parse_grader(text)) == {}
    assert call_links(parse_grader({**NAME, "operation": "ne"})) == {}
    for made in (book(text).candidates(ITEMS[0], TOOLS, turn=0), book(NAME).candidates(ITEMS[0], [], turn=0)):
        assert all(answer.call is None for answer in made.values())


def test_a_text_that_is_asked_for_as_well_comes_with_the_call() -> None:
    said = {"type": "string_check", "name": "t", "input": "{{sample.output_text}}", "operation": "eq"}
    grader = both(name=NAME, text={**said, "reference": "{{item.text}}"})
    items = [{**item, "text": f"Text {place}"} for place, item in enumerate(ITEMS)]
    made = book(grader, items).candidates(items[1], TOOLS, turn=1)
    assert made[Kind.RIGHT] == Spoken("Text 1", Call("send", "{}"))
    assert made[Kind.WRONG] == Spoken("Text 2", Call("look_up", "{}"))
    assert made[Kind.VERBOSE].call == Call("send", "{}")


def test_tools_are_read_from_rows_that_make_sense_and_others() -> None:
    assert tools_of({"tools": TOOLS}) == TOOLS
    for odd in ({}, {"tools": None}, {"tools": "x"}, {"tools": [3]}):
        assert tools_of(odd) == []


VALUES = st.text(min_size=1, max_size=5)
ROWS = st.lists(st.fixed_dictionaries({"tool": VALUES, "arguments": VALUES}), min_size=1, max_size=5)


@given(ROWS, st.integers(0, 9))
def test_the_right_call_scores_most_and_a_wrong_one_less(rows: list[dict[str, Any]], turn: int) -> None:
    body = both(name=NAME, arguments=ARGUMENTS)
    grader, judge = parse_grader(body), StandInJudge()
    item = rows[turn % len(rows)]
    rewards = {}
    for kind, answer in book(body, rows).candidates(item, TOOLS, turn=turn).items():
        assert answer.call is not None
        sample = Sample.of_plain_text(answer.text, tools=[answer.call.as_tool()])
        rewards[kind] = grader.grade(sample, item, judge).reward
    assert rewards.pop(Kind.RIGHT) == 2.0
    assert all(reward < 2.0 for kind, reward in rewards.items() if kind is not Kind.CONSTANT)
