"""What the texts of a grader name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.graded import CHECK, JUDGE, SIMILAR, Graded, multi, python, rows

CALL = {**CHECK, "input": "{{sample.output_tools[0].function.name}}"}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]


def judged(text: str) -> dict[str, Any]:
    return {**JUDGE, "input": [{"role": "user", "content": text}]}


def test_tool_calls_without_tools_have_no_value(graded: Graded) -> None:
    assert graded.codes(CALL) == ["G106", "G106"]  # in train and in test
    assert {one.detail for one in graded.found} == {
        f"no row of file.{name} has tools, so {{{{sample.output_tools[0].function.name}}}} has no value in any answer"
        for name in ("test", "train")
    }
    assert graded.codes(CALL, train=rows(tools=[])) == ["G106", "G106"]


def test_some_rows_without_tools_are_counted(graded: Graded) -> None:
    mixed = [*rows("ab"), *rows("cd", tools=None), *rows("efgh", tools=TOOLS)]
    assert graded.codes(CALL, train=mixed, test=rows(tools=TOOLS)) == ["G107"]
    assert graded.detail().startswith("4 of 8 rows of file.train have no tools: there ")


def test_rows_with_tools_are_no_finding_nor_is_the_list_itself(graded: Graded) -> None:
    assert graded.codes(CALL, train=rows(tools=TOOLS)) == []
    assert graded.codes({**SIMILAR, "input": "{{sample.output_tools}}"}) == []


@pytest.mark.parametrize("path", ["[0].function.arguments.city", "[0].function.arguments[0]"])
def test_arguments_have_no_parts(graded: Graded, path: str) -> None:
    into = {**CHECK, "input": f"{{{{sample.output_tools{path}}}}}"}
    assert graded.codes(into, train=rows(tools=TOOLS)) == ["G108"]
    whole = {**CHECK, "input": "{{sample.output_tools[0].function.arguments}}"}
    assert graded.codes(whole, train=rows(tools=TOOLS)) == []


@pytest.mark.parametrize("text", ["item.answer", "{item.answer}", " { item.answer } ", "item.answers[0].text"])
def test_a_variable_without_its_braces_is_compared_letter_by_letter(graded: Graded, text: str) -> None:
    assert graded.codes({**CHECK, "reference": text}) == ["G109"]
    name = text.strip(" {}")
    assert graded.hint() == f'write "{{{{{name}}}}}"'


def test_single_braces_in_a_prompt_are_a_warning(graded: Graded) -> None:
    assert graded.codes(judged("Is {sample.output_text} like {{item.answer}}?")) == ["G110"]
    assert graded.hint() == 'write "{{sample.output_text}}"'


@pytest.mark.parametrize(
    "text",
    [
        "Compare {{item.answer}} with {{ sample.output_text }}.",
        'As JSON: {"right":{{{item.answer}}},"given":"{{sample.output_text}}"}',
        "An item. Sample {x} {{sample.output_text}}; item.answer is what is right: {{item.answer}}",
    ],
)
def test_braces_and_names_in_prose_are_no_finding(graded: Graded, text: str) -> None:
    assert graded.codes(judged(text)) == []


def test_one_reference_for_all_rows_is_found(graded: Graded) -> None:
    assert graded.codes({**CHECK, "reference": "yes"}) == ["G111"]
    assert (
        graded.codes(multi("a + b", a={**CHECK, "reference": "yes"}, b={**CHECK, "reference": "no"})).count("G111") == 2
    )
    assert "G111" in graded.codes(multi("0.5 * a + 0.5 * b", a=CHECK, b={**SIMILAR, "reference": "A fine answer."}))


def test_a_check_of_the_form_beside_others_is_no_finding(graded: Graded) -> None:
    form = {**CHECK, "operation": "like", "reference": "Answer:"}
    assert graded.codes(multi("0.9 * a + 0.1 * form", a=CHECK, form=form)) == []
    kind = {**CHECK, "input": "{{item.answer}}", "reference": "a"}
    assert graded.codes(multi("0.5 * a + 0.5 * kind * b", a=CHECK, kind=kind, b=JUDGE)) == []


@pytest.mark.parametrize(
    "grader",
    [
        {**CHECK, "input": "{{item.answer}}", "reference": "a"},
        judged("Is {{item.answer}} right?"),
        multi("0.5 * a + 0.5 * b", a={**CHECK, "input": "a"}, b=judged("Score the answer.")),
    ],
)
def test_a_grader_that_never_reads_the_answer_is_an_error(graded: Graded, grader: dict[str, Any]) -> None:
    assert graded.codes(grader) == ["G112"]


def test_a_member_that_never_reads_it_is_a_warning(graded: Graded) -> None:
    assert graded.codes(multi("0.5 * a + 0.5 * b", a=CHECK, b=judged("Is {{item.answer}} right?"))) == ["G113"]


def test_of_what_python_and_ears_read_nothing_is_said(graded: Graded) -> None:
    source = "def grade(sample, item):\n    return float(len(sample['output_text']))\n"
    assert graded.codes(python(source)) == []
    sound = {"type": "input_audio", "input_audio": {"data": "{{sample.output_audio.data}}", "format": "mp3"}}
    assert graded.codes({**JUDGE, "input": [{"role": "user", "content": [sound]}]}) == []
