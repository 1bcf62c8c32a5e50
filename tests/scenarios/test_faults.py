"""rftplan on the service's bad days: what DESIGN promises holds under every fault that the service can show."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rftplan.changes import Action, Reason
from rftplan.errors import SpecError
from rftplan.events import Outcome
from rftplan.in_process import FAULTS, in_process
from rftplan.server.app import close_app, create_app
from rftplan.server.faults import FaultKind, read_fault
from rftplan.server.settings import default_settings
from tests.world import SPEC, Clock, Small

LAUNCH = "on=POST /v1/fine_tuning/jobs"
PASSING = sorted(set(FaultKind) - {"lockout", "daily-limit", "retired", "pause", "file-gone", "stale"})


def under(small: Small, line: str) -> Small:
    small.environ[FAULTS] = line
    return small


@contextmanager
def served(small: Small, base_url: str | None, line: str) -> Iterator[None]:
    """The service under these faults: in this process or, by its URL, in the place of one that `serve` runs."""
    if base_url is None:
        under(small, line)
        yield
        return
    faults = [read_fault(line)] if line else []
    store = small.root / "served/service.sqlite"
    app = create_app(default_settings(store, "sk-test", now=small.clock.now, faults=faults))
    small.write(
        "specs/main.yaml", SPEC.replace("provider: local", f"provider: {{type: local, base_url: '{base_url}'}}")
    )
    small.environ["RFTPLAN_LOCAL_KEY"] = "sk-test"
    small.wrap = lambda _network: in_process(app)
    try:
        yield
    finally:
        close_app(app)


@pytest.mark.parametrize("where", [LAUNCH, "on=POST /v1/files"])
@pytest.mark.parametrize("kind", PASSING)
def test_a_fault_that_passes_never_makes_two_of_one(small: Small, kind: str, where: str) -> None:
    under(small, f"{kind} {where}").apply(wait=True)
    under(small, "").train()
    assert len(small.jobs()) == 1
    assert len(small.files()) == 2
    assert small.verbs() == {}


@pytest.mark.parametrize("lag", [1, 60, 119])
@pytest.mark.parametrize("kind", ["lost-after", "half-reply", "500-after"])
def test_a_lost_answer_and_a_list_that_lags_within_the_settle_time_launch_once(
    tmp_path: Path, kind: str, lag: int
) -> None:
    """A paid provider's settle time is 120 seconds; the service in its place is the local one."""
    clock = Clock()
    said = [read_fault(f"{kind} {LAUNCH}"), read_fault(f"stale seconds={lag} on=GET /v1/fine_tuning/jobs")]
    app = create_app(default_settings(tmp_path / "remote/service.sqlite", "sk-test", now=clock.now, faults=said))
    small = Small.at(
        tmp_path / "project",
        SPEC.replace("provider: local", "provider: {type: openai, base_url: 'http://127.0.0.1:9/v1'}"),
        clock=clock,
        environ={"OPENAI_API_KEY": "sk-test"},
        wrap=lambda _network: in_process(app),
    )
    try:
        assert small.results()["job.review"].outcome is Outcome.DEFERRED
        assert small.changes()["job.review"].reason is Reason.FATE_UNKNOWN
        clock.time += 121
        small.train()
        clock.time += lag
        assert len(small.jobs()) == 1
    finally:
        close_app(app)


def test_a_list_that_lags_where_the_profile_says_that_none_does_is_outside_the_promise(small: Small) -> None:
    """In one process a job is listed before its create is answered (settle time 0). Were it not so, there would be
    two launches: this is what the promise assumes. The next apply cancels the later one while it costs nothing, and
    holds where it runs already."""
    under(small, f"lost-after {LAUNCH}; stale seconds=1 on=GET /v1/fine_tuning/jobs").apply()
    first, second = sorted(under(small, "").jobs(), key=lambda job: (job.created_at, job.id))
    found = small.changes()["job.review"]
    assert found.reason is Reason.DUPLICATE
    shutil.copytree(small.root, small.root.parent / "later")
    small.apply()
    small.train()
    ends = {job.id: str(job.status) for job in small.jobs()}
    assert ends == {first.id: "succeeded", second.id: "cancelled"}
    assert small.verbs() == {}
    later = Small(small.root.parent / "later", clock=Clock(small.clock.time))
    later.clock.time = Clock().time + 1.5
    held = later.changes()["job.review"]
    assert (held.action, held.reason) == (Action.HOLD, Reason.DUPLICATE)
    assert "runs in the same slot" in held.detail


def test_a_lost_answer_while_all_lists_of_this_process_are_behind_launches_twice_and_the_next_plan_holds(
    small: Small,
) -> None:
    """As docs/local-service.md says it: `stale` with nothing else said."""
    under(small, f"lost-after {LAUNCH}; stale").apply()
    small.clock.time += 2
    assert len(under(small, "").jobs()) == 2
    held = small.changes()["job.review"]
    assert (held.action, held.reason) == (Action.HOLD, Reason.DUPLICATE)


def test_a_lockout_is_told_with_what_to_do_and_the_files_stay(small: Small) -> None:
    found = under(small, "lockout").results()["job.review"]
    assert found.outcome is Outcome.FAILED
    assert found.error is not None
    assert "no longer able to create" in str(found.error)
    assert found.hint is not None and "the local service plays this (its fault lockout)" in found.hint
    assert "files already uploaded are still there" in found.hint and "provider: local" not in found.hint
    assert (len(small.jobs()), len(small.files())) == (0, 2)


def test_a_daily_limit_is_told_in_the_services_words_and_the_next_apply_launches(small: Small) -> None:
    found = under(small, "daily-limit").results()["job.review"]
    assert found.outcome is Outcome.DEFERRED
    assert "requests per day for the model 'o4-mini-2025-04-16'" in found.detail
    assert found.detail.endswith("the limit counts by the day: come again tomorrow")
    under(small, "").train()
    assert len(small.jobs()) == 1


@pytest.mark.parametrize("base_url", [None, "http://127.0.0.1:8321/v1"])
def test_a_retired_model_stops_the_plan_before_anything_is_sent(small: Small, base_url: str | None) -> None:
    with served(small, base_url, "retired model=o4-mini*"):
        for act in (small.plan, small.apply):
            with pytest.raises(SpecError) as stopped:
                act()
            (found,) = [one for one in stopped.value.diagnostics if one.code == "M101"]
            assert found.address == "job.review"
            assert "o4-mini-2025-04-16 was shut down on 2027-01-15 (provider local says so)" in found.detail
    with served(small, base_url, ""):
        assert (small.jobs(), small.files()) == ([], [])


@pytest.mark.parametrize("base_url", [None, "http://127.0.0.1:8321/v1"])
def test_a_model_that_is_about_to_retire_is_a_warning_of_the_plan(small: Small, base_url: str | None) -> None:
    with served(small, base_url, "retired model=o4-mini date=2027-02-01"):
        (warned,) = [one for one in small.plan().diagnostics if one.code == "M103"]
    assert "shuts down on 2027-02-01 (provider local says so), in 17 days" in warned.detail


def test_the_stand_in_judge_outlives_the_models_that_retire(small: Small) -> None:
    judge = """\
  match:
    type: score_model
    model: gpt-4o-2024-08-06
    input: [{role: user, content: "is {{sample.output_text}} {{item.answer}}?"}]
"""
    head, rest = SPEC.split("  match:\n")
    small.write("specs/main.yaml", head + judge + rest[rest.index("jobs:") :])
    assert [one.code for one in under(small, "retired model=gpt-4o*").plan().diagnostics if one.code[0] == "M"] == []


def test_a_pause_by_the_service_is_held_for_a_person(small: Small) -> None:
    small.launch_until_step()
    under(small, "pause").plan()
    small.clock.time += 5
    change = under(small, "").changes()["job.review"]
    assert change.reason is Reason.PAUSED_ELSEWHERE
    assert len(small.jobs()) == 1


def test_a_file_that_disappears_before_the_launch_is_uploaded_again(small: Small) -> None:
    found = under(small, f"file-gone {LAUNCH}").results()["job.review"]
    assert found.outcome is Outcome.FAILED
    assert "no such File object" in str(found.error)
    under(small, "").train()
    assert (len(small.jobs()), len(small.files())) == (1, 2)
