"""The runs that the lock keeps, and which of them tell something about the next one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import JobStatus, Simulation
from rftplan.api.profiles import profile
from rftplan.canonical import JsonObject
from rftplan.kinds.job.progress import Progress
from rftplan.kinds.job.runs import MOST_RUNS, comparable_runs, grader_type, seconds_of, with_run
from rftplan.lockfile import Entry
from tests.kinds.builders import JOB, remote

OPENAI = profile("openai")
MODEL = "o4-mini-2025-04-16"
CHECK: JsonObject = {"type": "string_check", "input": "a", "reference": "b", "operation": "eq"}
JUDGE: JsonObject = {"type": "score_model", "model": "gpt-4o-2024-08-06", "input": []}
DONE = Progress(9, 9, seconds=3600.0)


def inputs(grader: JsonObject = CHECK, **hyperparameters: Any) -> JsonObject:
    settings: JsonObject = {"grader": grader}
    if hyperparameters:
        settings["hyperparameters"] = hyperparameters
    return {"model": MODEL, "method": {"type": "reinforcement", "reinforcement": settings}}


def kept(count: int, launched: JsonObject | None = None, **job: Any) -> tuple[JsonObject, ...]:
    """The history after so many runs."""
    history: tuple[JsonObject, ...] = ()
    for number in range(count):
        ended = remote(JobStatus.SUCCEEDED, id=f"ftjob-{number}", **job)
        history = with_run(history, ended, launched or inputs(), DONE, {})
    return history


def known(history: tuple[JsonObject, ...], want: JsonObject | None = None, model: str = MODEL) -> tuple[float, ...]:
    entries = {JOB: Entry("v1:a", {}, id="ftjob-9", history=history)}
    return tuple(seconds_of(run) for run in comparable_runs(entries, want or inputs(), model, OPENAI))


@given(st.integers(0, 30))
def test_the_newest_runs_are_kept_and_each_once(count: int) -> None:
    history = kept(count)
    ids = [run["job_id"] for run in history]
    assert ids == [f"ftjob-{number}" for number in range(count)][-MOST_RUNS:]
    assert len(with_run(history, remote(JobStatus.SUCCEEDED, id="ftjob-0"), inputs(), DONE, {})) <= MOST_RUNS
    assert len(known((*history, *history))) == len(ids), "the same run in two entries is one run"


@pytest.mark.parametrize("status", [s for s in JobStatus if s is not JobStatus.SUCCEEDED])
def test_a_run_that_did_not_succeed_is_not_kept(status: JobStatus) -> None:
    assert with_run((), remote(status), inputs(), DONE, {}) == ()


@pytest.mark.parametrize("progress", [Progress(), Progress(8, 9, seconds=1.0), Progress(9, 9)])
def test_a_run_that_stopped_early_or_whose_time_nobody_knows_is_not_kept(progress: Progress) -> None:
    assert with_run((), remote(JobStatus.SUCCEEDED), inputs(), progress, {}) == ()


def test_only_reinforcement_is_kept() -> None:
    assert with_run((), remote(JobStatus.SUCCEEDED), {"model": MODEL, "method": {"type": "supervised"}}, DONE, {}) == ()
    assert known(kept(3), {"model": MODEL, "method": {"type": "supervised"}}) == ()


def test_runs_of_the_same_settings_count() -> None:
    assert known(kept(3)) == (3600.0,) * 3
    assert known(kept(3), model="o4-mini") == (3600.0,) * 3, "the alias is the same model"


def test_a_simulated_run_never_counts() -> None:
    simulated = kept(5, simulation=Simulation("policy gradient"))
    assert all(run["simulated"] is True for run in simulated)
    assert known(simulated) == ()


@pytest.mark.parametrize(
    ("want", "model"),
    [
        (inputs(), "gpt-5"),
        (inputs(reasoning_effort="high"), MODEL),
        (inputs(compute_multiplier=2), MODEL),
        (inputs(eval_samples=10), MODEL),
        (inputs(eval_interval=1), MODEL),
        (inputs(JUDGE), MODEL),
        (inputs({"type": "multi", "graders": {"a": CHECK}, "calculate_output": "a"}), MODEL),
    ],
)
def test_a_run_of_another_model_effort_multiplier_or_grader_does_not_count(want: JsonObject, model: str) -> None:
    assert known(kept(3), want, model) == ()


def test_what_changes_no_figure_of_these_counts_all_the_same() -> None:
    assert len(known(kept(3), inputs({**CHECK, "reference": "c"}, n_epochs=5))) == 3


def test_a_judge_s_model_is_part_of_the_grader() -> None:
    assert grader_type(JUDGE) == "score_model gpt-4o-2024-08-06"
    members: JsonObject = {"z": CHECK, "a": JUDGE}
    assert grader_type({"type": "multi", "graders": members}) == "multi(score_model gpt-4o-2024-08-06, string_check)"
    assert grader_type(None) == "unknown"


def test_what_an_older_or_an_edited_lock_has_there_is_passed_over() -> None:
    run = kept(1)[0]
    odd: list[JsonObject] = [{}, {**run, "seconds": "long"}, {**run, "seconds": -1}, {"revision": 1}]
    assert known(tuple(odd)) == ()
    other = {Address("deployment", "review"): Entry("v1:a", {}, history=kept(3))}
    assert comparable_runs(other, inputs(), MODEL, OPENAI) == ()
    assert replace(Entry("v1:a", {}), history=kept(1)).history == (run,)
