"""`tests:` run like unit tests: what passes, what fails and why, and what only the stand-in could say is skipped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.errors import SpecError, UserError
from rftplan.grader_tests import Expected, RanTest, RanTests, Verdict, run_tests
from rftplan.grading import Flag, Isolation, PythonWorker
from rftplan.wiring import trusted
from tests.findings import edited
from tests.world import SPEC, Small

GRADERS: Mapping[str, Any] = {
    "exact": {
        "type": "string_check",
        "input": "{{sample.output_json.a}}",
        "operation": "eq",
        "reference": "{{item.a}}",
    },
    "code": {
        "type": "python",
        "source": "def grade(sample, item):\n    return 0.1 + 0.2 * len(sample['output_json']['a'])\n",
    },
    "tools": {
        "type": "string_check",
        "input": "{{sample.output_tools[0].function.name}}",
        "operation": "eq",
        "reference": "look",
    },
    "judged": {
        "type": "score_model",
        "model": "gpt-4o-2024-08-06",
        "input": [{"role": "user", "content": "{{sample.output_text}} {{item.a}}"}],
    },
    "both": {
        "type": "multi",
        "graders": {
            "one": {"type": "string_check", "input": "{{sample.output_json.a}}", "operation": "eq", "reference": "x"},
            "two": {"type": "string_check", "input": "{{item.a}}", "operation": "eq", "reference": "x"},
        },
        "calculate_output": "0.7 * one + 0.1 * two",
    },
}


def ran(small: Small, *names: str, **tests: Mapping[str, Any]) -> RanTests:
    small.write("specs/more.yaml", json.dumps({"graders": GRADERS, "tests": tests}, indent=1))
    return run_tests(small.options, names, world=replace(small.world, new_runner=trusted))


def case(grader: str, sample: Any, expect: Any, **item: Any) -> dict[str, Any]:
    return {"grader": grader, "item": item, "sample": sample, "expect": expect}


def one(small: Small, test: Mapping[str, Any]) -> RanTest:
    (found,) = ran(small, one=test).tests
    return found


@pytest.mark.parametrize(
    ("test", "verdict"),
    [
        (case("exact", '{"a": "x"}', 1, a="x"), Verdict.PASSED),
        (case("exact", {"output_json": {"a": "x"}}, {"min": 1}, a="x"), Verdict.PASSED),
        (case("exact", '{"a": "y"}', 1, a="x"), Verdict.FAILED),
        (case("exact", '{"a": "y"}', {"max": 0.5}, a="x"), Verdict.PASSED),
        (case("match", {"output_text": "y", "output_json": {"a": "x"}}, 1, answer="y"), Verdict.PASSED),
        (case("tools", {"output_tools": [{"function": {"name": "look"}}]}, 1), Verdict.PASSED),
        (case("tools", "no call", 0), Verdict.PASSED),
        (case("both", '{"a": "x"}', 0.8, a="x"), Verdict.PASSED),
        (case("both", '{"a": "x"}', {"min": 0.81, "max": 1}, a="x"), Verdict.FAILED),
        (case("code", '{"a": "x"}', 0.3), Verdict.PASSED),
    ],
)
def test_a_score_that_is_expected_passes_and_another_fails(
    small: Small, test: Mapping[str, Any], verdict: Verdict
) -> None:
    assert one(small, test).verdict is verdict


def test_an_answer_that_cannot_be_graded_earns_the_0_that_a_test_may_expect(small: Small) -> None:
    assert one(small, case("exact", "no JSON", 0, a="x")).verdict is Verdict.PASSED
    assert one(small, case("exact", '{"b": "x"}', 0, a="x")).verdict is Verdict.PASSED


def test_a_0_that_a_broken_grader_leaves_is_none_that_a_test_can_pass_with(small: Small) -> None:
    for test in (case("exact", '{"a": "x"}', 0), case("exact", "no JSON", 0), case("code", "no JSON", 0)):
        found = one(small, test)
        assert (found.verdict, found.reason) == (
            Verdict.FAILED,
            "the score is what an error leaves, not what the answer earned",
        )
        assert found.result is not None and found.result.errors


def test_a_failure_has_its_place_its_parts_and_its_errors(small: Small) -> None:
    found = one(small, case("both", "no JSON", 0.7, a="x"))
    assert found.result is not None
    assert (str(found.place), found.grader, found.expected) == (
        "specs/more.yaml:49:3",
        "grader.both",
        Expected(0.7, 0.7),
    )
    assert found.result.sub_rewards == {"one": 0.0, "two": 1.0}
    assert list(found.result.errors.values()) == ["one: sample.output_json.a: the sample is not JSON"]


def test_what_only_the_stand_in_could_judge_is_skipped_and_said(small: Small) -> None:
    run = ran(small, judged=case("judged", "x", 1, a="x"), exact=case("exact", '{"a": "x"}', 1, a="x"))
    skipped, passed = run.tests
    assert (skipped.verdict, skipped.result, passed.verdict) == (Verdict.SKIPPED, None, Verdict.PASSED)
    assert skipped.reason == "grader.judged asks a model, and here is only the stand-in judge (text overlap)"
    assert run.judge is not None and run.judge.stand_in
    assert [run.count(verdict) for verdict in Verdict] == [1, 0, 1]


def test_a_judge_that_is_named_is_asked_and_one_that_does_not_answer_is_a_failure(small: Small) -> None:
    judge = "{base_url: 'http://127.0.0.1:9/v1', model: m}"
    small.edit("specs/main.yaml", "provider: local", f"provider: {{type: local, judge: {judge}}}")
    run = ran(small, judged=case("judged", "x", 0, a="x"))
    (found,) = run.tests
    assert run.judge is not None and not run.judge.stand_in
    assert (found.verdict, found.result and list(found.result.errors)) == (Verdict.FAILED, [Flag.MODEL_SERVER])


def test_who_would_judge_is_not_said_where_nobody_has_to(small: Small) -> None:
    assert ran(small, exact=case("exact", '{"a": "x"}', 1, a="x")).judge is None


def test_a_python_grader_that_nothing_keeps_in_fails_with_the_way_out(small: Small) -> None:
    class Refusing(PythonWorker):
        @property
        def refusal(self) -> str | None:
            return "Python graders are not run here: there is nothing."

    small.write("specs/more.yaml", json.dumps({"graders": GRADERS, "tests": {"one": case("code", '{"a": "x"}', 0.3)}}))
    world = replace(small.world, new_runner=lambda: Refusing(Isolation.REQUIRED))
    (found,) = run_tests(small.options, world=world).tests
    assert (found.verdict, found.result) == (Verdict.FAILED, None)
    assert found.reason == "Python graders are not run here: there is nothing."
    assert found.hint is not None and "--trust-python" in found.hint


def test_tests_are_chosen_by_name_in_the_order_of_the_specs(small: Small) -> None:
    tests = {name: case("exact", '{"a": "x"}', 1, a="x") for name in ("one", "two", "three")}
    assert [found.name for found in ran(small, "three", "test.one", **tests).tests] == ["one", "three"]
    assert len(ran(small, **tests).tests) == 3
    with pytest.raises(UserError, match='no test "tow"') as caught:
        ran(small, "tow", **tests)
    assert caught.value.hint == "did you mean two?"


def test_specs_with_errors_are_not_tested_but_missing_data_is_no_matter(small: Small) -> None:
    test = case("exact", '{"a": "x"}', 1, a="x")
    (small.root / "specs" / "data" / "train.jsonl").unlink()
    small.write("specs/data/test.jsonl", "no JSON\n")
    assert one(small, test).verdict is Verdict.PASSED
    small.write("specs/main.yaml", SPEC.replace("grader: match", "grader: mtach"))
    with pytest.raises(SpecError) as caught:
        one(small, test)
    assert [found.code for found in caught.value.diagnostics] == ["S207"]


def test_without_a_response_format_no_text_is_read_as_json_as_in_training(small: Small) -> None:
    start, end = SPEC.index("  match:"), SPEC.index("jobs:")
    source = (
        "def grade(sample, item):\n    return 0.25 if sample['output_json'] is None and sample['choices'] else 0.75\n"
    )
    grader = json.dumps({"type": "python", "source": source})
    small.write("specs/main.yaml", edited((SPEC[start:end], f"  match: {grader}\n")))
    tests = {
        "text": case("match", '{"a": "x"}', 0.25),
        "given": case("match", {"output_json": {"a": "x"}}, 0.75),
    }
    assert ran(small, **tests).count(Verdict.PASSED) == 2


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(-2, 2))
def test_a_range_holds_what_lies_between_its_ends(low: float, high: float, score: float) -> None:
    assert Expected(low, high).holds(score) is (low - 1e-9 <= score <= high + 1e-9)
    assert Expected(score, score).holds(score)
