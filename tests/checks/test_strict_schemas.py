"""The rules of strict schemas."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.checks.schema_views import all_types, allowed_texts, at_path
from rftplan.checks.schemas import Format
from rftplan.checks.strict_schemas import faults
from tests.checks.graded import SIMILAR, Graded, an_object, strict

TEXT = {"type": "string"}


def deep(levels: int) -> dict[str, Any]:
    schema = an_object(leaf=TEXT)
    for _ in range(levels - 1):
        schema = an_object(inner=schema)
    return schema


FIRES: list[tuple[str, dict[str, Any], str]] = [
    ("G125", {"type": "array", "items": TEXT}, 'the root has to be of {"type": "object"}'),
    ("G125", {"anyOf": [an_object(a=TEXT), an_object(b=TEXT)]}, "the root is an anyOf; it has to be one object"),
    ("G125", {**an_object(a=TEXT), "additionalProperties": True}, "the root lets other properties in"),
    ("G125", {**an_object(a=TEXT, b=TEXT), "required": ["a"]}, "the root does not require b"),
    ("G125", {**an_object(a=TEXT), "required": ["a", "b"]}, "the root requires b, which it does not describe"),
    ("G125", an_object(a={"oneOf": [TEXT, {"type": "null"}]}), "/properties/a has oneOf, which is not taken"),
    ("G125", an_object(a={"type": "array", "items": {"type": "object"}}), "/properties/a/items lets other properties"),
    ("G125", an_object(a={"$ref": "#/$defs/b"}), "/properties/a refers to what is not there"),
    (
        "G126",
        an_object(a={"type": "string", "minLength": 1}),
        "/properties/a has minLength, which the service does not",
    ),
    ("G127", deep(11), "it has 11 levels of nesting, and the service takes 10"),
    ("G127", an_object(a={"enum": [str(number) for number in range(1001)]}), "it has 1001 values in enums"),
    ("G127", an_object(a={"enum": ["x" * 60_000, "y" * 60_001]}), "it has 120002 characters in names and values"),
    ("G127", an_object(**{f"p{number}": TEXT for number in range(5001)}), "it has 5001 properties"),
]


@pytest.mark.parametrize(("code", "schema", "says"), FIRES, ids=[says for _, _, says in FIRES])
def test_what_a_strict_schema_may_not_be(graded: Graded, code: str, schema: dict[str, Any], says: str) -> None:
    assert graded.codes(SIMILAR, response_format=strict(schema)) == [code]
    assert graded.detail().startswith(says)
    assert graded.found[0].address == "job.review"


def test_a_schema_that_is_not_strict_may_be_anything(graded: Graded) -> None:
    for _, schema, _ in FIRES:
        assert graded.codes(SIMILAR, response_format=strict(schema, strict=False)) == []


scalars = st.sampled_from([TEXT, {"type": "number"}, {"type": ["string", "null"]}, {"enum": ["a", "b"]}, {"const": 1}])
names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)


def _deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.dictionaries(names, inner, max_size=4).map(lambda properties: an_object(**properties))
        | inner.map(lambda items: {"type": "array", "items": items})
        | st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches})
        | st.just({"$ref": "#/$defs/other"})
        | st.just({"$ref": "#"})
    )


strict_schemas = st.dictionaries(names, st.recursive(scalars, _deeper, max_leaves=9), max_size=4).map(
    lambda properties: {**an_object(**properties), "$defs": {"other": an_object(a=TEXT)}}
)


@given(strict_schemas)
def test_no_strict_schema_has_a_finding(schema: dict[str, Any]) -> None:
    job: Any = None
    found = [(code.code, said) for code, said, _ in faults(Format(job, schema, enforced=True))]
    assert [fault for fault in found if fault[0] != "G127"] == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "required", "items", "anyOf", "enum", "$ref", "$defs", "a", "const"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["type", "properties", "required", "items", "anyOf", "$ref"]), json_values))
def test_whatever_a_schema_holds_it_is_read_to_its_end(schema: dict[str, Any]) -> None:
    job: Any = None
    assert all(said and hint for _, said, hint in faults(Format(job, schema, enforced=True)))
    found = at_path(schema, ["a", 0, "type"], schema)
    assert found is None or allowed_texts(found) is None or all_types(found) is not None
