"""What a grader expects of an answer, and what the response format lets it be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.checks.schema_views import all_types, allowed_texts, at_path
from tests.checks.graded import CHECK, JUDGE, Graded, an_object, multi, rows, strict

TEXT = {"type": "string"}
VERDICT = {"type": "string", "enum": ["yes", "no", "needs_review"]}
FORMAT = strict(an_object(verdict=VERDICT, why=TEXT))
EVEN = rows(["yes", "no"] * 6)


def check(path: str, **more: Any) -> dict[str, Any]:
    return {**CHECK, "input": f"{{{{sample.output_json{path}}}}}", **more}


@pytest.mark.parametrize("form", [None, {"type": "text"}])
def test_json_without_a_response_format_is_never_there(graded: Graded, form: Any) -> None:
    assert graded.codes(check(".verdict"), train=EVEN, response_format=form) == ["G120"]
    assert graded.detail().startswith(
        "job.review has no response_format, so {{sample.output_json.verdict}} has no value"
    )
    judge = {**JUDGE, "input": [{"role": "user", "content": "{{sample.output_json.why}} {{item.answer}}"}]}
    assert graded.codes(multi("0.5*a + 0.5*b", a=CHECK, b=judge), train=EVEN, response_format=form) == ["G120"]


@pytest.mark.parametrize("form", [FORMAT, {"type": "json_object"}, strict(True)["json_schema"] and FORMAT])
def test_a_path_that_the_schema_has_is_no_finding(graded: Graded, form: Any) -> None:
    assert graded.codes(check(".verdict"), train=EVEN, response_format=form) == []
    assert graded.codes(CHECK, train=EVEN) == []


@pytest.mark.parametrize("path", [".verdct", "[0]", ".why.text", ".verdict[0]"])
def test_a_path_that_a_strict_schema_forbids_is_an_error(graded: Graded, path: str) -> None:
    assert graded.codes(check(path), train=EVEN, response_format=FORMAT) == ["G121"]
    assert graded.detail().endswith("the schema of job.review forbids it in every answer")
    assert graded.hint() == ('did you mean "verdict"?' if path == ".verdct" else None)


def test_one_that_no_strict_schema_describes_is_a_warning(graded: Graded) -> None:
    loose = strict(an_object(verdict=VERDICT), strict=False)
    assert graded.codes(check(".verdct"), train=EVEN, response_format=loose) == ["G122"]
    open_ = strict({"type": "object", "properties": {"verdict": VERDICT}}, strict=False)
    assert graded.codes(check(".verdct"), train=EVEN, response_format=open_) == ["G122"]
    free = strict({"type": "object"}, strict=False)
    assert graded.codes(check(".anything.at.all"), train=EVEN, response_format=free) == []


NESTED = an_object(
    steps={"type": "array", "items": {"$ref": "#/$defs/step"}},
    maybe={"anyOf": [{"$ref": "#/$defs/step"}, {"type": "null"}]},
)
NESTED["$defs"] = {"step": an_object(text=TEXT, next={"anyOf": [{"$ref": "#/$defs/step"}, {"type": "null"}]})}


@pytest.mark.parametrize("path", [".steps[3].text", ".maybe.text", ".maybe.next.next.next.text", ".steps", ""])
def test_references_lists_and_alternatives_are_followed(graded: Graded, path: str) -> None:
    judge = {**JUDGE, "input": [{"role": "user", "content": f"{{{{sample.output_json{path}}}}} {{{{item.answer}}}}"}]}
    assert graded.codes(judge, response_format=strict(NESTED)) == []


@pytest.mark.parametrize("path", [".steps.text", ".maybe.txt", ".maybe.next.next.nxt", ".steps[0].text[0]"])
def test_and_end_where_they_end(graded: Graded, path: str) -> None:
    judge = {**JUDGE, "input": [{"role": "user", "content": f"{{{{sample.output_json{path}}}}} {{{{item.answer}}}}"}]}
    assert graded.codes(judge, response_format=strict(NESTED)) == ["G121"]


def test_a_right_answer_that_the_enum_lacks_is_an_error(graded: Graded) -> None:
    train = rows(["yes", "no", "needs review", "needs review"])
    assert graded.codes(check(".verdict"), train=train, test=EVEN, response_format=FORMAT) == ["G123"]
    assert '{{item.answer}} in file.train is "needs review" (2 rows), which the schema of job.review' in graded.detail()
    assert graded.hint() == 'it lists "yes", "no", "needs_review"'
    loose = strict(an_object(verdict=VERDICT), strict=False)
    assert graded.codes(check(".verdict"), train=train, test=EVEN, response_format=loose) == ["G122"]


def test_values_match_as_the_check_matches(graded: Graded) -> None:
    train = rows(["YES", "No", "needs"] * 4)
    assert graded.codes(check(".verdict", operation="ilike"), train=train, response_format=FORMAT) == []
    assert graded.codes(check(".verdict", operation="ne"), train=train, response_format=FORMAT) == []
    assert graded.codes(check(".verdict"), train=train, response_format=FORMAT) == ["G123", "G123"]
    assert graded.codes(check(".why"), train=train, response_format=FORMAT) == []


@pytest.mark.parametrize(
    ("schema", "kinds"),
    [
        ({"type": "number"}, "number"),
        ({"type": ["boolean", "null"]}, "boolean"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer"),
        ({"type": "array", "items": TEXT}, "array"),
        ({"enum": [1, 2]}, "number"),
    ],
)
def test_what_is_no_text_against_text_is_a_warning(graded: Graded, schema: Any, kinds: str) -> None:
    form = strict(an_object(verdict=schema))
    assert graded.codes(check(".verdict"), train=EVEN, response_format=form) == ["G124"]
    assert graded.detail().startswith(f"{{{{sample.output_json.verdict}}}} is {kinds} by the schema of job.review")


def test_what_can_be_text_is_no_finding(graded: Graded) -> None:
    for schema in ({"type": ["string", "number"]}, {"anyOf": [TEXT, {"type": "null"}]}, {"description": "any"}):
        assert "G124" not in graded.codes(
            check(".verdict"), train=EVEN, response_format=strict(an_object(verdict=schema))
        )


values = st.recursive(
    st.sampled_from(["yes", "no", 1, 2.5, True, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def schema_for(value: Any, draw: st.DataObject) -> dict[str, Any]:
    """A schema that the value follows, with alternatives that it does not."""
    if isinstance(value, dict):
        schema = an_object(**{key: schema_for(part, draw) for key, part in value.items()})
        schema["additionalProperties"] = draw.draw(st.sampled_from([False, True]))
    elif isinstance(value, list):
        schema = {"type": "array", "items": {"anyOf": [schema_for(part, draw) for part in value]} if value else {}}
    else:
        kind = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}[type(value)]
        schema = draw.draw(st.sampled_from([{"type": kind}, {"type": [kind, "null"]}, {"enum": [value, "other"]}]))
    return draw.draw(st.sampled_from([schema, {"anyOf": [{"type": "null"}, schema]}]))


@given(values, st.data())
def test_no_part_of_an_answer_that_follows_the_schema_is_said_to_be_forbidden(value: Any, data: st.DataObject) -> None:
    schema = schema_for(value, data)
    path: list[str | int] = []
    while True:
        found = at_path(schema, path, schema)
        assert found is None or found
        if isinstance(value, str) and found:
            texts, kinds = allowed_texts(found), all_types(found)
            assert texts is None or value in texts
            assert kinds is None or "string" in kinds
        if not value or not isinstance(value, list | dict):
            return
        step = data.draw(st.sampled_from([*range(len(value))] if isinstance(value, list) else sorted(value)))
        path.append(step)
        value = value[step]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        {"$ref": "https://example.com/schema"},
        {"allOf": [{"type": "object"}]},
        {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
    ],
)
def test_a_schema_that_cannot_be_followed_allows_anything(schema: dict[str, Any]) -> None:
    assert at_path(schema, ["a", "b"], schema) is None


def test_a_whole_object_is_never_equal_to_a_word(graded: Graded) -> None:
    assert graded.codes(CHECK, train=EVEN, response_format=FORMAT) == ["G128"]
    assert "every answer is a JSON object, and {{item.answer}} in file.train is none" in graded.detail()


def test_a_whole_object_may_be_compared_with_json_or_searched(graded: Graded) -> None:
    written = rows(['{"verdict":"yes"}', '{"verdict":"no"}'] * 6)
    assert "G128" not in graded.codes(CHECK, train=written, response_format=FORMAT)
    assert "G128" not in graded.codes({**CHECK, "operation": "like"}, train=EVEN, response_format=FORMAT)
    assert "G128" not in graded.codes({**CHECK, "operation": "ne"}, train=EVEN, response_format=FORMAT)
