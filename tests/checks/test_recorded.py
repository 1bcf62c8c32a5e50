"""Recorded samples before a launch: every line that is none, and every sample that belongs to no row."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rftplan.address import Address
from rftplan.checks.recorded import OF_NO_ROW
from rftplan.codes import SAMPLE_SHAPE
from tests.findings import edited
from tests.world import SPEC, Small, rows

RECORDED = edited(
    ("files:\n", "files:\n  recorded: {path: data/recorded.jsonl}\n"),
    ("    validation_file: test\n", "    validation_file: test\n    simulate: {candidates: recorded}\n"),
)


def entries() -> list[dict[str, Any]]:
    """A sample of each training row, by its messages and by its item in turn."""
    made = []
    for number, row in enumerate(map(json.loads, rows().splitlines())):
        entry = {"sample": row["answer"], "item": {"answer": row["answer"]}}
        made.append(entry if number % 2 else {**entry, "messages": row["messages"]})
    return made


def lines(small: Small, samples: list[Any], spec: str = RECORDED) -> list[str]:
    small.write("specs/main.yaml", spec)
    small.write("specs/data/recorded.jsonl", "".join(json.dumps(one) + "\n" for one in samples))
    return [
        f"{one.code} {one.place.path if one.place else ''}:{one.place.line if one.place else 0} {one.detail}"
        f" | {one.hint}"
        for one in small.check()
    ]


def test_samples_of_the_rows_are_no_finding(small: Small) -> None:
    assert lines(small, entries()) == []


def test_samples_of_other_rows_are_named_with_their_lines(small: Small) -> None:
    other = {"sample": "x", "item": {"answer": "no row has it"}}
    (line,) = lines(small, [*entries(), other, other])
    assert line.startswith(
        f"{OF_NO_ROW.code} specs/data/recorded.jsonl:13 2 of 14 samples belong to no row of job.review (lines 13, 14)"
    )
    (line,) = lines(small, [other])
    assert "1 of 1 samples belong to no row" in line


def test_a_sample_of_a_validation_row_belongs_too(small: Small) -> None:
    row = json.loads(rows(1, start=100))
    assert lines(small, [{"sample": "x", "item": {"answer": row["answer"]}}]) == []


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ({"sample": "x"}, "{sample, item: del(.sample)}"),
        ({"messages": [], "answer": "1"}, "take simulate: out, and answers are made from the rows"),
        ({"samples": [], "item": {}, "messages": []}, ".samples[] |"),
    ],
)
def test_an_entry_that_is_no_sample_is_an_error_at_its_line(small: Small, entry: Any, hint: str) -> None:
    (line,) = lines(small, [*entries(), entry])
    assert line.startswith(f"{SAMPLE_SHAPE.code} specs/data/recorded.jsonl:13 ")
    assert hint in line


def test_many_entries_that_are_none_are_counted(small: Small) -> None:
    found = lines(small, [{"sample": "x"}] * 20)
    assert [line.split()[1].rpartition(":")[2] for line in found] == ["1", "2", "3", "4", "5"]
    assert "(and 15 more)" in found[-1]


def test_a_file_that_stays_here_and_a_method_that_draws_nothing_are_refused(small: Small) -> None:
    _, line = lines(small, entries(), RECORDED.replace("recorded.jsonl}", "recorded.jsonl, upload: never}"))
    assert line.startswith("J109 specs/main.yaml:") and "what a simulation draws from has to be at the service" in line
    method = SPEC[SPEC.index("    method:") : SPEC.index("deployments:")]
    (line,) = lines(small, entries(), RECORDED.replace(method, "    method: {type: supervised}\n"))
    assert line.startswith("S204 specs/main.yaml:") and "simulate: is for method reinforcement" in line


def test_a_simulated_launch_draws_from_them_and_is_the_same_job_without(small: Small) -> None:
    assert lines(small, [{**one, "sample": "never right"} for one in entries()]) == []
    small.apply(wait=True)
    job = small.lock().resources[Address("job", "review")]
    notes = [one.message for one in small.service(lambda port: port.list_events(str(job.id)))]
    assert any(note.endswith("rows are answered with 12 recorded samples: 12 wrong.") for note in notes)
    small.write("specs/main.yaml", SPEC)
    assert "job.review" not in small.verbs()
