"""Templates: what is a variable, where it is looked up, how a value becomes text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftplan.grading import (
    Flag,
    Namespace,
    Reference,
    Sample,
    TemplateError,
    VariableError,
    parse_template,
    variables,
)

ANSWER = Sample.of_text('{"compliant": "yes", "steps": [{"n": 1}, {"n": 2}], "none": null, "a b": 3}')
ITEM = {"label": "yes", "n": 1.5, "flag": True, "tags": ["a", "b"], "deep": {"x": {"y": "z"}}, "my-key": "k"}

keys = st.text(st.characters(codec="utf-8", exclude_characters="\"'{}"), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


def rendered(text: str, *, sample: Sample = ANSWER, item: dict[str, Any] = ITEM) -> str:
    return parse_template(text).render(sample, item)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("no variable", "no variable"),
        ("{{item.label}}", "yes"),
        ("a {{ item.label }} b {{item.label}}", "a yes b yes"),
        ("{{ item.deep.x.y }}", "z"),
        ("{{item['my-key']}} {{item.my-key}} {{ item[\"my-key\"] }}", "k k k"),
        ("{{item.tags[1]}}", "b"),
        ("{{item.n}} {{item.flag}} {{item.tags}}", '1.5 true ["a", "b"]'),
        ("{{item.deep}}", '{"x": {"y": "z"}}'),
        ("{{sample.output_json.compliant}}", "yes"),
        ("{{sample.output_json.steps[1].n}}", "2"),
        ("{{sample.output_json.none}}", "null"),
        ('{{sample.output_json["a b"]}}', "3"),
        ("{{sample.choices[0].message.role}}", "assistant"),
        ('{"a":{{{item.n}}}}', '{"a":{1.5}}'),
        ("} }} {", "} }} {"),
    ],
)
def test_variables_are_filled_in(text: str, expected: str) -> None:
    assert rendered(text) == expected


def test_the_answer_itself_and_its_tool_calls_can_be_read() -> None:
    sample = Sample.of_text("hello", tools=[{"function": {"name": "look_up", "arguments": "{}"}}])
    text = "{{sample.output_text}} {{sample.output_tools[0].function.name}}"
    assert rendered(text, sample=sample) == "hello look_up"


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("{{item.nothing}}", Flag.INVALID_VARIABLE),
        ("{{item.label.x}}", Flag.INVALID_VARIABLE),
        ("{{item.label[0]}}", Flag.INVALID_VARIABLE),
        ("{{item.tags[9]}}", Flag.INVALID_VARIABLE),
        ("{{item.tags.x}}", Flag.INVALID_VARIABLE),
        ("{{item.deep[0]}}", Flag.INVALID_VARIABLE),
        ("{{sample.output_audio}}", Flag.INVALID_VARIABLE),
        ("{{sample.output_tools[0].function.name}}", Flag.INVALID_VARIABLE),
        ("{{sample.output_json.nothing}}", Flag.INVALID_VARIABLE),
    ],
)
def test_a_variable_without_a_value_says_which(text: str, flag: Flag) -> None:
    with pytest.raises(VariableError) as caught:
        rendered(text)
    assert caught.value.flag is flag
    assert text.strip("{}").split(".")[0] in caught.value.message


def test_output_json_of_an_answer_that_is_not_json_is_a_parse_error() -> None:
    with pytest.raises(VariableError) as caught:
        rendered("{{sample.output_json.a}}", sample=Sample.of_text("not json"))
    assert caught.value.flag is Flag.SAMPLE_PARSE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{item.x", "'{{' is never closed."),
        ("a {{}}", "'{{}}' is not a variable; write '{{item.field}}'."),
        ("{{item}}", "'{{item}}' is not a variable; write '{{item.field}}'."),
        ("{{item.}}", "'{{item.}}' is not a variable; write '{{item.field}}'."),
        ("{{item.x | upper}}", "'{{item.x | upper}}' is not a variable; write '{{item.field}}'."),
        ("{{sample[0]}}", "'{{sample[0]}}' is not a variable; write '{{item.field}}'."),
        ("{{row.x}}", "Unknown namespace 'row'. Supported namespaces are: 'item' and 'sample'."),
    ],
)
def test_what_is_no_variable_is_refused(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse_template(text)
    assert caught.value.message == message
    assert text[caught.value.offset :].startswith("{{")


def test_variables_are_listed_with_their_places() -> None:
    assert variables("a {{ item.x }}{{sample.output_json.a[0]}}") == (
        Reference(Namespace.ITEM, ("x",), 2),
        Reference(Namespace.SAMPLE, ("output_json", "a", 0), 14),
    )
    assert str(variables("{{ sample.output_json.a[0]['b c'] }}")[0]) == 'sample.output_json.a[0]["b c"]'


@given(keys, values, st.text(alphabet="ab {}", max_size=5).filter(lambda text: "{{" not in text))
def test_any_key_can_be_read_and_any_value_rendered(key: str, value: Any, before: str) -> None:
    text = f'{before} {{{{ item["{key}"] }}}}'
    expected = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    assert rendered(text, item={key: value}) == f"{before} {expected}"


@settings(max_examples=500)
@given(st.text(alphabet="{}[]().'\" itemsaplou_jn0", max_size=40) | st.text(max_size=30), values)
def test_no_text_makes_it_raise_anything_but_its_own_errors(text: str, value: Any) -> None:
    try:
        template = parse_template(text)
        template.render(Sample("x", value), {"item": value, "t": value})
    except (TemplateError, VariableError):
        return
    # What was read can be written again and means the same.
    again = "".join(p if isinstance(p, str) else f"{{{{{p}}}}}" for p in template.parts)
    assert [ref.path for ref in variables(again)] == [ref.path for ref in template.references]


def test_a_small_template_that_repeats_a_large_variable_does_not_fill_the_memory() -> None:
    template = parse_template("{{item.a}}" * 100_000)
    with pytest.raises(VariableError, match="longer than 16,000,000 characters") as failed:
        template.render(Sample.of_text(""), {"a": "x" * 1_000_000})
    assert failed.value.flag is Flag.OTHER
    assert template.render(Sample.of_text(""), {"a": "x"}) == "x" * 100_000
