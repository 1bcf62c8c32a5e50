"""Which answers are built for a row, and when none can be called right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading import parse_grader
from rftplan.grading.candidates import BUILT, AnswerBook, Kind, item_of, links_of
from tests.server.simulation import EXACT, GRADER, RESPONSE_FORMAT, question_rows

ITEMS = [item_of(row) for row in question_rows(12)]


def book(grader: dict[str, Any], response_format: dict[str, Any] | None, items: list[dict[str, Any]]) -> AnswerBook:
    return AnswerBook(items, parse_grader(grader), response_format)


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"schema": {"type": "object", "properties": properties}}}


def judged(prompt: str) -> dict[str, Any]:
    return {"type": "score_model", "model": "m", "input": [{"role": "user", "content": prompt}]}


def test_a_right_answer_tells_where_it_is_made_up() -> None:
    form = schema(label={"type": "string"}, date={"type": "string"}, kind={"const": "x"})
    label = {**EXACT, "input": "{{sample.output_json.label}}", "reference": "{{item.label}}"}
    code = {"type": "python", "source": "def grade(sample, item): return 1.0"}
    both = {"type": "multi", "graders": {"a": label, "b": code}, "calculate_output": "0.5 * a + 0.5 * b"}
    told: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
        (label, {"label": "x"}, False),  # the gap is there, and nobody reads it
        (both, {"label": "x"}, True),
        (both, {"label": "x", "date": "2026-01-01"}, False),
        (judged("{{sample.output_text}} {{item.label}}"), {"label": "x"}, True),
    ]
    for grader, item, expected in told:
        assert book(grader, form, [item]).reads_what_is_made_up(item) is expected, grader


def test_graders_see_neither_messages_nor_tools() -> None:
    assert item_of({"messages": [], "tools": [], "a": 1}) == {"a": 1}


def test_answers_to_a_schema_are_objects_of_it_but_for_the_malformed() -> None:
    texts = book(GRADER, RESPONSE_FORMAT, ITEMS).candidates(ITEMS[0], turn=0)
    assert set(texts) == set(BUILT)
    objects = {kind: json.loads(text) for kind, text in texts.items() if kind is not Kind.MALFORMED}
    right = objects[Kind.RIGHT]
    assert right == ITEMS[0]
    assert all(set(answer) == set(right) for answer in objects.values())
    for kind in (Kind.NEAR, Kind.VERBOSE):
        assert objects[kind]["compliant"] == right["compliant"]
    assert right["explanation"].startswith(objects[Kind.NEAR]["explanation"])
    assert objects[Kind.VERBOSE]["explanation"].startswith(right["explanation"])
    assert objects[Kind.WRONG] in ITEMS[1:]
    with pytest.raises(json.JSONDecodeError):
        json.loads(texts[Kind.MALFORMED])


def test_the_constant_answer_is_the_same_for_all_and_made_of_what_is_most_often_right() -> None:
    items = [{"compliant": "yes", "explanation": str(n)} for n in range(3)]
    answers = book(GRADER, RESPONSE_FORMAT, [{"compliant": "no", "explanation": "x"}, *items])
    constants = {answers.candidates(item, turn=0)[Kind.CONSTANT] for item in items}
    assert [json.loads(text)["compliant"] for text in constants] == ["yes"]


def test_a_text_answer_is_the_field_that_is_compared() -> None:
    items = [{"answer": "Paris"}, {"answer": "Rome"}]
    texts = book(EXACT, None, items).candidates(items[0], turn=0)
    assert texts[Kind.RIGHT] == "Paris"
    assert texts[Kind.NEAR] == "Paris."
    assert texts[Kind.WRONG] == "Rome"
    assert texts[Kind.MALFORMED] == ""
    assert texts[Kind.VERBOSE].startswith("The answer is Paris.")


def test_a_near_number_is_one_off() -> None:
    assert book(EXACT, None, [{"answer": 41}]).candidates({"answer": 41}, turn=0)[Kind.NEAR] == "42"


def test_where_all_rows_agree_there_is_no_wrong_answer() -> None:
    items = [{"answer": "Paris"}] * 3
    assert Kind.WRONG not in book(EXACT, None, items).candidates(items[0], turn=0)


@pytest.mark.parametrize(
    ("grader", "item", "right"),
    [
        (EXACT | {"input": "{{item.answer}}", "reference": "{{sample.output_text}}", "operation": "like"},
         {"answer": "Paris"}, "Paris"),
        (EXACT | {"reference": "{{item.a}} {{item.b}}"}, {"a": "x", "b": 2}, "x 2"),
        (EXACT | {"reference": "always"}, {}, "always"),
        (judged("{{item.facts}} {{sample.output_text}}"), {"facts": "x"}, "x"),
        (judged("{{item.question}} {{item.best_answer}} {{sample.output_text}}"),
         {"question": "q", "best_answer": "x"}, "x"),
    ],
)  # fmt: skip
def test_a_right_text_is_found_where_the_grader_tells(grader: dict[str, Any], item: Any, right: str) -> None:
    assert book(grader, None, [item]).candidates(item, turn=0)[Kind.RIGHT] == right


@pytest.mark.parametrize(
    ("grader", "item"),
    [
        (EXACT | {"operation": "ne"}, {"answer": "Paris"}),
        (EXACT | {"input": "It is {{sample.output_text}}"}, {"answer": "Paris"}),
        (EXACT, {}),
        (EXACT | {"operation": "like", "reference": "because"}, {"answer": "Paris"}),
        (judged("{{sample.output_text}}"), {"a": "x"}),
        (judged("{{item.a}} {{item.b}} {{sample.output_text}}"), {"a": "x", "b": "y"}),
    ],
)
def test_where_the_grader_does_not_tell_nothing_is_called_right(grader: dict[str, Any], item: Any) -> None:
    texts = book(grader, None, [item]).candidates(item, turn=0)
    assert set(texts) == {Kind.CONSTANT, Kind.MALFORMED}


@pytest.mark.parametrize(
    ("properties", "item", "right"),
    [
        ({"answer": {"type": "string"}}, {"answer": 3}, {"answer": "3"}),
        ({"answer": {"type": "integer"}}, {"answer": "3"}, {"answer": 3}),
        ({"answer": {"type": "number"}}, {"answer": "3.5"}, {"answer": 3.5}),
        ({"answer": {"type": ["string", "null"]}}, {"answer": "x"}, {"answer": "x"}),
        ({"answer": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, {"answer": "x"}, {"answer": "x"}),
        ({"answer": {"type": "string"}, "steps": {"type": "array"}}, {"answer": "x"}, {"answer": "x", "steps": []}),
        ({"answer": {}, "sure": {"enum": [1, 2]}}, {"answer": "x"}, {"answer": "x", "sure": 1}),
        ({"answer": {}, "v": {"const": 4}}, {"answer": "x", "v": None}, {"answer": "x", "v": 4}),
        ({"in": {"type": "object", "properties": {"answer": {"type": "string"}}}}, {"in": {"answer": "x"}},
         {"in": {"answer": "x"}}),
    ],
)  # fmt: skip
def test_properties_are_filled_from_fields_of_the_same_name(properties: Any, item: Any, right: Any) -> None:
    grader = EXACT | {"input": "{{sample.output_text}}", "reference": "{{item.other}}"}
    assert book(grader, schema(**properties), [item]).right(item) == right


@pytest.mark.parametrize(
    ("properties", "item"),
    [
        ({"answer": {"enum": ["yes", "no"]}}, {"answer": "maybe"}),
        ({"answer": {"type": "integer"}}, {"answer": "three"}),
        ({"answer": {"type": "boolean"}}, {"answer": "yes"}),
        ({"result": {"type": "string"}}, {"answer": "x"}),
    ],
)
def test_a_reference_that_does_not_fit_the_schema_gives_no_right_answer(properties: Any, item: Any) -> None:
    texts = book(EXACT, schema(**properties), [item]).candidates(item, turn=0)
    assert set(texts) == {Kind.CONSTANT, Kind.MALFORMED}


def test_a_property_takes_the_field_that_the_grader_compares_it_with() -> None:
    grader = EXACT | {"input": "{{sample.output_json.verdict.value}}", "reference": "{{item.label}}"}
    nested = {"type": "object", "properties": {"value": {"$ref": "#/$defs/word"}}}
    shape = schema(verdict=nested)
    shape["json_schema"]["schema"]["$defs"] = {"word": {"type": "string"}}
    assert book(grader, shape, [{"label": "x"}]).right({"label": "x"}) == {"verdict": {"value": "x"}}


def test_a_schema_that_refers_to_itself_ends() -> None:
    shape = schema(answer={"type": "string"})
    shape["json_schema"]["schema"]["properties"]["next"] = {"$ref": "#"}
    right = book(EXACT, shape, [{"answer": "x"}]).right({"answer": "x"})
    assert right["answer"] == "x"
    loop = schema(answer={"$ref": "#/properties/answer"})
    assert book(EXACT, loop, [{"answer": "x"}]).right({"answer": "x"}) == {"answer": "x"}


def tree(first: Any, second: Any) -> dict[str, Any]:
    return schema(op={"type": "string"}, left={"anyOf": [first, second]}, right={"anyOf": [second, first]})


def test_a_schema_that_is_a_tree_ends_at_once_but_where_something_is_known_or_read() -> None:
    grader = EXACT | {"input": "{{sample.output_json.op}}", "reference": "{{item.op}}"}
    form = tree({"$ref": "#"}, {"type": "null"})
    assert book(grader, form, []).right({"op": "x"}) == {"op": "x", "left": None, "right": None}
    rows = {"op": "x", "left": {"op": "y", "right": {"op": "z"}}}
    inner = {"op": "z", "left": None, "right": None}
    assert book(grader, form, []).right(rows) == {
        "op": "x", "left": {"op": "y", "left": None, "right": inner}, "right": None
    }  # fmt: skip
    deep = grader | {"input": "{{sample.output_json.left.op}}"}
    leaf = {"op": "x", "left": None, "right": None}
    assert book(deep, form, []).right({"op": "x"}) == {"op": "x", "left": leaf, "right": None}
    mixed = grader | {"input": "{{sample.output_json.right.op}} {{item.op}}"}
    assert json.loads(book(mixed, form, []).candidates({}, turn=0)[Kind.CONSTANT])["right"]["op"] == "Not stated."


REFERENCES = st.sampled_from([{"$ref": "#"}, *({"$ref": f"#/$defs/{name}"} for name in "abcdef")])
PARTS = st.dictionaries(
    st.sampled_from("uvwxyz"),
    st.one_of(
        REFERENCES,
        st.builds(lambda one, other: {"anyOf": [one, other]}, REFERENCES, REFERENCES | st.just({"type": "null"})),
    ),
)


@given(PARTS, st.dictionaries(st.sampled_from("abcdef"), PARTS))
def test_whatever_a_schema_refers_to_its_answers_stay_small(parts: Any, defs: dict[str, Any]) -> None:
    form = schema(answer={"type": "string"}, **parts)
    objects = {name: {"type": "object", "properties": inner} for name, inner in defs.items()}
    form["json_schema"]["schema"]["$defs"] = objects
    answers = book(EXACT, form, [{"answer": "x"}])
    right = answers.right({"answer": "x"})
    assert right["answer"] == "x" and set(right) == {"answer", *parts}
    assert json.dumps(right).count(":") < 2_000


def test_without_a_schema_the_paths_that_the_grader_reads_are_the_object() -> None:
    grader = EXACT | {"input": "{{sample.output_json.final.answer}}"}
    assert book(grader, {"type": "json_object"}, [{"answer": "x"}]).right({"answer": "x"}) == {"final": {"answer": "x"}}


def test_direct_comparisons_come_before_what_a_judge_is_asked() -> None:
    assert [link.path for link in links_of(parse_grader(GRADER))] == [("compliant",), ("explanation",)]
