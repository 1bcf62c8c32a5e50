"""Many answers at once: what a batch says is what each answer says alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftplan.grading import (
    Grader,
    Isolation,
    Limits,
    PythonFailure,
    PythonWorker,
    Result,
    Sample,
    StandInJudge,
    grade_all,
    parse_grader,
)

PLAIN = """
seen = []
def grade(sample, item):
    seen.append(1)
    if item["do"] == "fail":
        raise ValueError(item["text"])
    if item["do"] == "none":
        return None
    if item["do"] == "grow":
        return float(len("x" * 60_000_000) > 0)
    return len(seen) + len(item["text"]) + len(sample["output_text"])
"""
APART = "import random\n" + PLAIN
CODE = {"type": "python", "name": "code", "source": PLAIN}
CHECK = {"type": "string_check", "name": "c", "input": "{{sample.output_text}}", "reference": "b", "operation": "eq"}
MULTI = {
    "type": "multi",
    "name": "both",
    "graders": {"code": CODE, "other": {**CODE, "source": APART}, "check": CHECK},
    "calculate_output": "code / 10 + other + check",
}

items = st.fixed_dictionaries(
    {"do": st.sampled_from(["score", "score", "score", "fail", "none", "grow"]), "text": st.text(max_size=20)}
)
answers = st.lists(st.tuples(st.sampled_from(["a", "b", "ab"]).map(Sample.of_text), items), max_size=12)


@pytest.fixture(scope="module")
def worker() -> Iterator[PythonWorker]:
    with PythonWorker(Isolation.TRUSTED) as shared:
        yield shared


def test_of_large_answers_no_more_are_taken_than_are_sent(worker: PythonWorker) -> None:
    taken = 0

    def large() -> Iterator[tuple[Sample, dict[str, Any]]]:
        nonlocal taken
        for _ in range(40):
            taken += 1
            yield Sample.of_text("a"), {"do": "score", "text": "x" * 100_000}

    graded = grade_all(parse_grader(MULTI, runner=worker), large(), StandInJudge())
    ahead = [taken - done for done, _ in enumerate(graded, start=1)]
    assert len(ahead) == 40 and max(ahead) == 0


def alone(grader: Grader, given: list[tuple[Sample, dict[str, Any]]]) -> list[Result]:
    return [grader.grade(sample, item, StandInJudge()) for sample, item in given]


@pytest.mark.parametrize("body", [CODE, CHECK, MULTI], ids=lambda body: body["type"])
@settings(max_examples=15, deadline=None)
@given(given=answers)
def test_a_batch_says_what_each_answer_says_alone(
    worker: PythonWorker, body: dict[str, Any], given: list[tuple[Sample, dict[str, Any]]]
) -> None:
    grader = parse_grader(body, runner=worker)
    assert list(grade_all(grader, given, StandInJudge())) == alone(grader, given)


def test_more_than_a_pipe_holds_is_graded_too(worker: PythonWorker) -> None:
    lengths = [0, 20_000, 20_000, 300_000, 5, 70_000, *[10] * 300]
    rows = [(Sample.of_text("").as_dict(), {"do": "score", "text": "x" * length}) for length in lengths]
    assert list(worker.scores(PLAIN, rows)) == [1 + length for length in lengths]


def test_a_row_that_cannot_be_written_keeps_its_place(worker: PythonWorker) -> None:
    good: dict[str, Any] = {"do": "score", "text": ""}
    sample = Sample.of_text("").as_dict()
    rows = [(sample, good), (sample, {"do": {1, 2}}), (sample, good)]
    first, second, third = worker.scores(PLAIN, rows)
    assert (first, third) == (1, 1)
    assert isinstance(second, PythonFailure) and "cannot be written as JSON" in second.details


def test_an_endless_row_in_the_midst_costs_itself_alone() -> None:
    source = "def grade(sample, item):\n    while item['loop']: pass\n    return 0.5\n"
    sample = Sample.of_text("").as_dict()
    rows = [(sample, {"loop": number == 20}) for number in range(40)]
    with PythonWorker(Isolation.TRUSTED, Limits(seconds=0.5)) as short:
        scores = list(short.scores(source, rows))
    assert [number for number, score in enumerate(scores) if score != 0.5] == [20]
    late = scores[20]
    assert isinstance(late, PythonFailure) and late.details.startswith("timeout")


def test_two_python_members_take_turns_without_waiting_for_each_other(worker: PythonWorker) -> None:
    grader = parse_grader(MULTI, runner=worker)
    given = [(Sample.of_text("b"), {"do": "score", "text": ""})] * 150
    results = list(grade_all(grader, given, StandInJudge()))
    assert {result.reward for result in results} == {2 / 10 + 2 + 1}
