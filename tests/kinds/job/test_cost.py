"""What a launch costs: never a figure that nobody has, and a person's leave where a budget cannot be promised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import JobStatus, Simulation
from rftplan.api.profiles import Profile, elsewhere, profile
from rftplan.canonical import JsonObject, fingerprint
from rftplan.changes import Action, Change, Hazard, Leave, Reason
from rftplan.data import DataFacts
from rftplan.errors import Place
from rftplan.estimate import Estimate, Range
from rftplan.kinds.base import Resource, Situation
from rftplan.kinds.budget import Budget, broken, doubtful
from rftplan.kinds.file.spec import FileSpec
from rftplan.kinds.job import KIND
from rftplan.kinds.job.cost import estimate_of
from rftplan.kinds.job.launch import identity
from rftplan.kinds.job.observe import SeenJob
from rftplan.kinds.prompts import sizes_probe
from rftplan.lockfile import Entry
from tests.kinds.builders import JOB, entry_for, first_launch, job_spec, launched, ran, remote, resource, situation

OPENAI = profile("openai")
CHECK = {"type": "string_check", "input": "a", "reference": "b", "operation": "eq"}
JUDGE: dict[str, Any] = {
    "type": "score_model",
    "model": "gpt-4o-2024-08-06",
    "input": [{"role": "user", "content": "four{{item.answer}}{{sample.output_text}}"}],
}
TRAIN = Address("file", "train")


def file_of(rows: int = 100, found: Mapping[str, JsonObject] | None = None) -> Resource:
    facts = DataFacts("a", 1, rows, "b", found=found or {})
    return Resource(TRAIN, FileSpec(path="train.jsonl"), Place("a"), (), "v1:f", {}, facts, "b")


def wanted(grader: Mapping[str, Any] = CHECK, n_epochs: Any = "auto", **fields: Any) -> Resource:
    settings = {"grader": grader, "hyperparameters": {"n_epochs": n_epochs}}
    spec = job_spec(training_file="train", method={"type": "reinforcement", "reinforcement": settings}, **fields)
    inputs = identity(spec, {TRAIN: file_of()})
    return Resource(JOB, spec, Place("specs/a.yaml", 3, 3), tuple(KIND.refs(spec)), fingerprint(inputs), inputs)


def estimated(want: Resource, entries: Mapping[Address, Entry], of: Profile = OPENAI) -> Estimate:
    return estimate_of(want, resources={}, entries=entries, profile=of)


HOURS = st.lists(st.floats(0, 100), max_size=8)


@given(HOURS, st.booleans())
def test_there_is_no_figure_of_fewer_than_three_runs_nor_of_simulated_ones(hours: list[float], simulated: bool) -> None:
    entries = ran(*hours, of=wanted(), simulation=Simulation("policy gradient") if simulated else None)
    found = estimated(wanted(), entries)
    counted = [] if simulated else hours
    assert found.runs == len(counted)
    assert (found.hours is None) == (found.training_usd is None) == (len(counted) < 3)
    if found.hours is not None and found.training_usd is not None:
        assert found.hours == Range(pytest.approx(min(hours), abs=1e-6), pytest.approx(max(hours), abs=1e-6))
        assert found.training_usd == found.hours.times(100.0)


@given(st.lists(st.floats(0, 100), min_size=3, max_size=7), st.floats(0, 100), st.floats(0, 1000), st.floats(0, 1000))
def test_another_run_never_narrows_the_range_and_a_higher_price_never_makes_it_cheaper(
    hours: list[float], another: float, price: float, more: float
) -> None:
    def at(usd: float, *took: float) -> Range:
        own = replace(OPENAI, prices=OPENAI.prices.with_own({"o4-mini-2025-04-16": usd}, {}))
        found = estimated(wanted(), ran(*took, of=wanted()), own).training_usd
        assert found is not None
        return found

    few, many, dear = at(price, *hours), at(price, *hours, another), at(price + more, *hours)
    assert many.low <= few.low <= few.high <= many.high
    assert few.low <= dear.low and few.high <= dear.high


def test_what_nobody_knows_the_price_of_has_none() -> None:
    alias = estimated(wanted(model="o4-mini"), {})
    assert (alias.hour_usd, alias.runs, alias.hours) == (100.0, 0, None)
    assert alias.source and alias.read and "no cap for one job" in alias.cap
    assert estimated(wanted(model="gpt-5"), {}).hour_usd is None
    assert estimated(wanted(), {}, elsewhere(OPENAI)).hour_usd is None
    assert estimated(resource(job_spec()), {}).hour_usd is None, "supervised training is not paid by the hour"


def judged(grader: Mapping[str, Any], answers: list[str] | None, train: Any = "train") -> Estimate:
    """The estimate of a job with one data file of these answers; None for a file that is not here."""
    probe = sizes_probe((("answer",),))
    watch = probe.begin()
    for line, answer in enumerate(answers or [], 1):
        watch.see(line, {"answer": answer})
    facts = None if answers is None else DataFacts("a", 1, len(answers), "b", found={probe.key: watch.found()})
    file = Resource(TRAIN, FileSpec(path="train.jsonl"), Place("a"), (), "v1:f", {}, facts, "b")
    method = {"type": "reinforcement", "reinforcement": {"grader": grader}}
    spec = job_spec(method=method, training_file=train)
    inputs = identity(spec, {TRAIN: file})
    refs = tuple(KIND.refs(spec))
    want = Resource(JOB, spec, Place("specs/a.yaml", 3, 3), refs, fingerprint(inputs), inputs)
    return estimate_of(want, resources={TRAIN: file}, entries={}, profile=OPENAI)


def test_a_judge_s_prompts_cost_their_own_text_and_the_rows_at_four_characters_a_token() -> None:
    (judge,) = judged(JUDGE, ["a" * 396, "a" * 796, "a" * 396]).judges
    mean = (4 + (396 + 796 + 396) / 3) / 4 * 1000 * 2.5 / 1e6
    assert judge.prompt_usd == Range(pytest.approx(mean), pytest.approx(800 / 4 * 1000 * 2.5 / 1e6))
    assert (judge.output_usd, judge.unknown) == (None, ("the answer", "its output"))
    assert judge.source and judge.read


def test_what_a_judge_may_answer_bounds_its_output() -> None:
    (judge,) = judged({**JUDGE, "sampling_params": {"max_completions_tokens": 200}}, ["a"]).judges
    assert judge.output_usd == pytest.approx(200 * 1000 * 10 / 1e6)
    assert judge.unknown == ("the answer",)


@pytest.mark.parametrize(("answers", "train"), [(None, "train"), ([], "train"), (["a"], {"id": "file-raw"})])
def test_rows_that_nobody_saw_leave_a_prompt_unknown(answers: list[str] | None, train: Any) -> None:
    (judge,) = judged(JUDGE, answers, train).judges
    assert judge.prompt_usd is None and judge.source is not None


def test_a_judge_without_a_price_costs_nobody_knows_what() -> None:
    (judge,) = judged({**JUDGE, "model": "gpt-9"}, ["a"]).judges
    assert (judge.prompt_usd, judge.output_usd, judge.source) == (None, None, None)
    bare = {**JUDGE, "input": [{"role": "user", "content": "abcd"}]}
    members = {"type": "multi", "graders": {"say": bare, "check": CHECK}, "calculate_output": "say"}
    (judge,) = judged(members, None).judges
    assert (judge.grader, judge.unknown) == ("review/say", ("its output",))
    assert judge.prompt_usd == Range(0.0025, 0.0025), "nothing of a row is read"


VALID = Address("file", "valid")


def validated(rows: int, *, of: int) -> tuple[Resource, dict[Address, Resource]]:
    """A job that validates on `of` rows, and the files that it has, where it trains on `rows`."""
    valid = Resource(VALID, FileSpec(path="valid.jsonl"), Place("a"), (), "v1:g", {}, DataFacts("c", 1, of, "d"), "d")
    files = {TRAIN: file_of(rows), VALID: valid}
    settings = {"grader": CHECK, "hyperparameters": {"n_epochs": 1}}
    method = {"type": "reinforcement", "reinforcement": settings}
    spec = job_spec(training_file="train", validation_file="valid", method=method)
    inputs = identity(spec, files)
    return Resource(JOB, spec, Place("specs/a.yaml"), tuple(KIND.refs(spec)), fingerprint(inputs), inputs), files


COUNTS = st.integers(1, 10_000)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_validation_rows_take_time_too(train: int, valid: int, trained: int, tested: int) -> None:
    want, files = validated(train, of=valid)
    before, had = validated(trained, of=tested)
    entries = ran(1, 2, 3, of=before, files=had)
    found = estimate_of(want, resources=files, entries=entries, profile=OPENAI)
    more, checks = train / trained, valid / tested
    assert found.growth == pytest.approx(max(more, checks, more * checks))
    assert found.shrinkage == pytest.approx(min(more, 1) * min(checks, 1))


def test_runs_of_an_older_lock_say_nothing_of_their_validation() -> None:
    want, files = validated(100, of=50)
    (at, entry), *_ = ran(3, 4, 5, of=want, files=files).items()
    old = replace(
        entry, history=tuple({k: v for k, v in run.items() if k != "validation_rows"} for run in entry.history)
    )
    found = estimate_of(want, resources=files, entries={at: old}, profile=OPENAI)
    assert (found.growth, found.shrinkage) == (None, 1.0)
    assert "validated on as many rows is not known" in str(doubtful(Budget(max_hours=9), found))
    small, few = validated(10, of=50)
    found = estimate_of(small, resources=few, entries={at: old}, profile=OPENAI)
    assert (found.growth, found.shrinkage) == (None, 0.1)
    assert broken(Budget(max_hours=1), found) is None, "it may well keep within"


def test_files_that_are_not_here_validate_on_nobody_knows_how_many_rows() -> None:
    want, files = validated(100, of=50)
    entries = ran(1, 2, 3, of=want, files=files)
    found = estimate_of(want, resources={TRAIN: files[TRAIN]}, entries=entries, profile=OPENAI)
    assert found.growth is None
    bare = wanted(n_epochs=1)
    assert estimate_of(bare, resources=files, entries=entries, profile=OPENAI).growth == 1.0
    unlike = ran(1, 2, 3, of=bare)
    assert estimate_of(want, resources=files, entries=unlike, profile=OPENAI).growth is None


def decided(
    given_: Situation, hours: tuple[float, ...], budget: Budget | None = None, *, rows: int = 100, before: int = 100
) -> Change:
    """With runs of these lengths in the lock, each on `before` rows, and `rows` to train on now."""
    scope = replace(given_.scope, budget=budget)
    assert given_.want is not None
    entries = {**ran(*hours, of=given_.want, rows=before), **given_.entries}
    return KIND.decide(replace(given_, scope=scope, entries=entries, resources={TRAIN: file_of(rows)}))


def test_a_launch_shows_its_estimate_and_a_launch_that_is_free_shows_none() -> None:
    launch = decided(situation(wanted()), (1, 2, 3))
    assert launch.estimate is not None and launch.estimate.training_usd == Range(100.0, pytest.approx(300.0))
    assert [(h.hazard, h.leave, h.detail) for h in launch.hazards] == [
        (Hazard.SPEND, Leave.POLICY, "starts a paid run")
    ]
    free = decided(situation(wanted(), paid=False), (1, 2, 3), Budget(max_hours=0.5))
    assert (free.action, free.estimate, free.hazards) == (Action.CREATE, None, ())


@pytest.mark.parametrize(
    ("hours", "own", "general", "action", "leave"),
    [
        ((1, 2, 3), {"max_hours": 3}, None, Action.CREATE, Leave.POLICY),
        ((1, 2, 3), {"max_hours": 2}, None, Action.CREATE, Leave.PERSON),
        ((1, 2, 3), {"max_hours": 0.5}, None, Action.HOLD, None),
        ((1, 2), {"max_hours": 0.5}, None, Action.CREATE, Leave.PERSON),
        ((1, 2, 3), {"max_usd": 300}, None, Action.CREATE, Leave.POLICY),
        ((1, 2, 3), {"max_usd": 99}, None, Action.HOLD, None),
        ((1, 2, 3), None, Budget(max_hours=0.5), Action.HOLD, None),
        ((1, 2, 3), {"max_hours": 9}, Budget(max_hours=0.5), Action.CREATE, Leave.POLICY),
        ((1, 2, 3), {"max_hours": 9}, Budget(max_usd=250), Action.CREATE, Leave.PERSON),
    ],
)
def test_a_budget_decides_who_may_spend(
    hours: tuple[float, ...], own: dict[str, float] | None, general: Budget | None, action: Action, leave: Leave | None
) -> None:
    change = decided(situation(wanted(budget=own)), hours, general)
    assert change.action is action
    assert [hazard.leave for hazard in change.hazards] == ([] if leave is None else [leave])
    if action is Action.HOLD:
        assert (change.reason, change.estimate) == (Reason.OVER_BUDGET, None)
        assert "3 comparable runs" in change.detail
    elif leave is Leave.PERSON:
        assert "policy.allow does not cover it: its budget is" in change.hazards[0].detail


def test_a_resume_is_compared_with_the_whole_run() -> None:
    want = wanted(budget={"max_hours": 2})
    job = remote(JobStatus.PAUSED, launch=first_launch(want))
    given_ = situation(want, entry=entry_for(want, job, paused_by="us"), seen=SeenJob(mine=job, slot=(job,)))
    change = decided(given_, (1, 2, 3))
    assert (change.verb, change.hazards[0].leave) == ("resume", Leave.PERSON)
    assert change.estimate is not None and change.estimate.runs == 3
    assert decided(given_, (3, 4, 5)).reason is Reason.OVER_BUDGET


def test_what_stays_as_it_is_has_no_estimate() -> None:
    _, given_ = launched(JobStatus.RUNNING)
    change = decided(given_, (1, 2, 3), Budget(max_hours=0.5))
    assert (change.action, change.estimate) == (Action.NOOP, None)


def test_a_budget_is_no_part_of_what_a_job_is() -> None:
    assert wanted(budget={"max_usd": 5}).fingerprint == wanted().fingerprint


@pytest.mark.parametrize(
    ("rows", "before", "action", "leave"),
    [
        (100, 100, Action.CREATE, Leave.POLICY),
        (130, 100, Action.CREATE, Leave.POLICY),
        (200, 100, Action.CREATE, Leave.PERSON),
        (10, 100, Action.CREATE, Leave.POLICY),
        (0, 100, Action.CREATE, Leave.PERSON),
        (100, 0, Action.CREATE, Leave.PERSON),
    ],
)
def test_runs_on_fewer_rows_promise_less(rows: int, before: int, action: Action, leave: Leave) -> None:
    change = decided(situation(wanted(budget={"max_hours": 4})), (1, 2, 3), rows=rows, before=before)
    assert (change.action, [hazard.leave for hazard in change.hazards]) == (action, [leave])


def test_runs_on_more_rows_break_no_smaller_budget() -> None:
    given_ = situation(wanted(budget={"max_hours": 1}))
    assert decided(given_, (3, 4, 5), rows=100, before=100).reason is Reason.OVER_BUDGET
    small = decided(given_, (3, 4, 5), rows=10, before=100)
    assert (small.action, [hazard.leave for hazard in small.hazards]) == (Action.CREATE, [Leave.PERSON])
    assert "its budget is 1 hour," in small.hazards[0].detail


@pytest.mark.parametrize(
    ("now", "then", "growth"), [(6, 2, 3.0), ("auto", "auto", 1.0), (6, "auto", None), ("auto", 6, None)]
)
def test_epochs_count_like_rows_where_both_say_them(now: Any, then: Any, growth: float | None) -> None:
    entries = ran(1, 2, 3, of=wanted(n_epochs=then))
    found = estimate_of(wanted(n_epochs=now), resources={TRAIN: file_of()}, entries=entries, profile=OPENAI)
    assert found.growth == growth
