"""What graders read against the rows that they will read: the fault that costs a whole run and says nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftplan.checks import CODES
from tests.findings import edited, found_in, with_grader
from tests.world import Small

TRAIN, TEST = "specs/data/train.jsonl", "specs/data/test.jsonl"
REFERENCE = 'reference: "{{item.answer}}"'
AT = "specs/main.yaml:10:16"


def rows(*items: dict[str, Any]) -> str:
    prompt = {"messages": [{"role": "user", "content": "2 + 2?"}]}
    return "".join(json.dumps({**prompt, **item}) + "\n" for item in items)


def about(small: Small, spec: str, **files: str) -> list[str]:
    """What these rules say; others have their own tests."""
    return [line for line in found_in(small, spec, **files) if line[:4] in ("G101", "G102", "G103", "G104", "G105")]


def test_fields_that_every_row_has_are_no_finding(small: Small) -> None:
    assert about(small, edited()) == []


def test_a_field_that_no_row_has_names_the_closest(small: Small) -> None:
    spec = edited((REFERENCE, 'reference: "{{item.anwser}}"'))
    assert about(small, spec) == [
        f'G103 {AT} {{{{item.anwser}}}} is missing in 12 of 12 rows of file.train | did you mean "item.answer"?',
        f'G103 {AT} {{{{item.anwser}}}} is missing in 50 of 50 rows of file.test | did you mean "item.answer"?',
    ]


def test_a_field_that_some_rows_lack_names_their_lines(small: Small) -> None:
    data = rows({"answer": "4"}, {}, {"answer": "4"}, {"anwser": "4"})
    assert about(small, edited(), **{TEST: data}) == [
        f"G103 {AT} {{{{item.answer}}}} is missing in 2 of 4 rows of file.test (lines 2, 4) "
        '| some rows have "anwser": rename it'
    ]


def test_many_rows_name_the_first_lines(small: Small) -> None:
    data = rows({"answer": "4"}, *({} for _ in range(9)))
    (line,) = about(small, edited(), **{TEST: data})
    assert line.endswith("is missing in 9 of 10 rows of file.test (lines 2, 3, 4…) | give it to every row")


def test_the_prompt_is_no_field_of_item(small: Small) -> None:
    spec = edited((REFERENCE, 'reference: "{{item.messages[0].content}}"'))
    (line, _) = about(small, spec)
    assert line.startswith(f"G103 {AT} {{{{item.messages[0].content}}}} is missing in 12 of 12 rows of file.train | ")
    assert "messages is the prompt and no field of item" in line


def test_a_path_into_a_list_or_an_object_is_followed(small: Small) -> None:
    spec = edited((REFERENCE, 'reference: "{{item.answers[1].text}}"'))
    good = {"answers": [{}, {"text": "4"}]}
    data = rows(good, {"answers": []}, {"answers": [{}, {}]}, {"answers": {"1": {"text": "4"}}})
    assert about(small, spec, **{TRAIN: rows(good), TEST: data}) == [
        f"G103 {AT} {{{{item.answers[1].text}}}} is missing in 3 of 4 rows of file.test (lines 2, 3, 4) "
        "| give it to every row"
    ]


def test_an_empty_list_is_a_value(small: Small) -> None:
    multi = '    type: text_similarity\n    input: "{{sample.output_text}}"\n    reference: "{{item.tags}}"\n'
    spec = with_grader(multi + "    evaluation_metric: fuzzy_match\n")
    data = rows({"tags": []})
    assert about(small, spec, **{TRAIN: data, TEST: data}) == []


def test_null_is_told_apart_from_missing(small: Small) -> None:
    data = rows({"answer": None}, {"answer": "4"})
    assert about(small, edited(), **{TEST: data}) == [
        f"G104 {AT} {{{{item.answer}}}} is null in 1 of 2 rows of file.test (line 1) | give it a value"
    ]


@pytest.mark.parametrize(
    ("value", "called"), [(4, "a number"), (True, "true or false"), ([1], "a list"), ({"a": 1}, "an object")]
)
def test_a_string_check_of_what_is_no_text_is_a_warning(small: Small, value: Any, called: str) -> None:
    data = rows({"answer": "4"}, {"answer": value})
    (line,) = about(small, edited(), **{TEST: data})
    assert line.startswith(f"G105 {AT} {{{{item.answer}}}} is {called} in 1 of 2 rows of file.test (line 2)")
    assert CODES["G105"].severity == "warning"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("{{item.answer}", "'{{' is never closed."),
        ("{{answer}}", "'{{answer}}' is not a variable"),
        ("{{rows.answer}}", "Unknown namespace 'rows'."),
    ],
)
def test_a_text_that_is_no_template(small: Small, written: str, says: str) -> None:
    (line,) = about(small, edited((REFERENCE, f'reference: "{written}"')))
    assert line.startswith(f"G101 {AT} {says}")


def test_what_no_sample_has_names_the_closest(small: Small) -> None:
    (line,) = about(small, edited(("{{sample.output_text}}", "{{sample.output_txt}}")))
    assert line.startswith("G102 specs/main.yaml:8:12 {{sample.output_txt}} has no value in any row; a sample has ")
    assert line.endswith('| did you mean "sample.output_text"?')


def test_a_grader_in_place_and_inside_a_multi_is_found_at_its_own_text(small: Small) -> None:
    inner = '{type: string_check, input: "{{sample.output_text}}", operation: eq, reference: "{{item.anser}}"}'
    multi = f"    type: multi\n    graders:\n      one: {inner}\n    calculate_output: one\n"
    assert {line.split()[1] for line in about(small, with_grader(multi))} == {"specs/main.yaml:9:92"}
    in_place = edited(("grader: match", f"grader: {inner}"))
    assert {line.split()[1] for line in about(small, in_place)} == {"specs/main.yaml:19:97"}


def test_a_grader_that_no_job_uses_is_not_held_against_any_rows(small: Small) -> None:
    spare = '  spare: {type: string_check, input: a, operation: eq, reference: "{{item.other}}"}\n'
    spec = edited(("jobs:\n", f"{spare}jobs:\n"))
    assert about(small, spec) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(
    lacking=st.lists(st.booleans(), min_size=1, max_size=8),
    nulls=st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_every_row_counts_once(small: Small, lacking: list[bool], nulls: list[bool]) -> None:
    items = [{} if gone else {"answer": None if null else "4"} for gone, null in zip(lacking, nulls, strict=False)]
    lines = about(small, edited(), **{TEST: rows(*items)})
    missing = sum(lacking)
    null = sum(1 for item in items if item.get("answer", "") is None)
    assert sum(f"missing in {missing} of {len(items)} rows" in line for line in lines) == bool(missing)
    assert sum(f"null in {null} of {len(items)} rows" in line for line in lines) == bool(null)
    assert len(lines) == bool(missing) + bool(null)
