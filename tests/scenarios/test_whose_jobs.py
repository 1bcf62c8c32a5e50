"""Whose a job is, who ended it, and what is still open: what decides about a second paid run."""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rftplan.address import Address
from rftplan.changes import Action, Hazard, Reason
from rftplan.events import Outcome
from tests.faults import Fault, always, once
from tests.scenarios.test_bad_luck import JOBS, PAID, PaidService, with_fault
from tests.world import Clock, Small

S = "specs/main.yaml"
JOB = Address("job", "review")


@pytest.fixture
def small(tmp_path) -> Small:
    return Small.at(tmp_path)


def test_a_job_that_failed_before_our_cancel_reached_it_is_not_taken_for_ended_by_us(small):
    small.apply()
    jid = small.jobs()[0].id
    small.edit(S, "    model: o4-mini", "    run: cancelled\n    model: o4-mini")
    small.wrap = lambda inner: FailedMeanwhile(inner, jid)
    small.apply()
    assert small.lock().tombstones == {}
    small.edit(S, "    run: cancelled\n", "")
    change = small.changes()["job.review"]
    assert (change.action, change.reason) == (Action.HOLD, Reason.JOB_FAILED)


@dataclass
class FailedMeanwhile:
    """A service where one job fails by itself before it can be cancelled."""

    inner: Any
    job_id: str

    async def handle_async_request(self, request):
        if request.method == "POST" and request.url.path.endswith("/cancel"):
            refused = {"message": "the job has failed", "type": "invalid_request_error", "param": None, "code": None}
            return httpx2.Response(400, json={"error": refused})
        response = await self.inner.handle_async_request(request)
        if request.method == "GET" and request.url.path.startswith(JOBS):
            body = json.loads(await response.aread())
            for job in body.get("data", [body]):
                if job["id"] == self.job_id:
                    job |= {"status": "failed", "error": {"code": "grader_bad", "message": "no grader", "param": None}}
            return httpx2.Response(response.status_code, json=body)
        return response

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None

    async def aclose(self):
        await self.inner.aclose()


def test_a_replacement_that_was_never_launched_leaves_nothing_open(tmp_path):
    clock = Clock()
    service = PaidService(tmp_path / "remote", clock)
    small = Small.at(tmp_path / "p", PAID, clock=clock, environ={"OPENAI_API_KEY": "sk-test"}, wrap=service.transport)
    small.train()
    service.plan = once("POST", JOBS, Fault.LOST_BEFORE)
    assert small.results(replace=frozenset({JOB}))["job.review"].outcome is Outcome.DEFERRED
    service.plan = lambda *_: None
    assert small.changes()["job.review"].reason is Reason.FATE_UNKNOWN
    clock.time += 1000
    small.apply()
    journal = "".join(path.read_text() for path in (small.root / ".rftplan").rglob("journal*.jsonl"))
    service.close()
    assert '"intent"' not in journal


def lose_the_lock(small: Small) -> None:
    (small.root / "rftplan.lock").unlink()
    shutil.rmtree(small.root / ".rftplan/default")


def active(small: Small) -> list[str]:
    return [job.id for job in small.jobs() if not job.status.ended]


def second_team(small: Small, root: Path) -> Small:
    """Another project of the same name at the same service, with a lock of its own to come."""
    other = Small.at(root, clock=small.clock, ids=itertools.count(1000))
    (root / ".rftplan").mkdir()
    (root / ".rftplan/local").symlink_to(small.root / ".rftplan/local")
    return other


@pytest.mark.parametrize("run", ["running", "paused", "cancelled"])
def test_a_first_apply_does_nothing_to_what_another_lock_launched_under_the_same_name(tmp_path, run):
    ours = Small.at(tmp_path / "a")
    ours.launch_until_step()
    theirs = second_team(ours, tmp_path / "b")
    theirs.edit(S, "n_epochs: 2", "n_epochs: 3")
    theirs.edit(S, "    model: o4-mini", f"    run: {run}\n    model: o4-mini")
    for _ in range(3):
        change = theirs.changes()["job.review"]
        assert (change.action, change.reason) == (Action.HOLD, Reason.FOREIGN_LINEAGE)
        theirs.apply()
    assert [str(job.status) for job in ours.jobs()] == ["running"]


def test_a_destroy_without_a_lock_leaves_what_the_specs_never_said_and_says_so(tmp_path):
    ours = Small.at(tmp_path / "a")
    ours.launch_until_step()
    theirs = second_team(ours, tmp_path / "b")
    theirs.edit(S, "n_epochs: 2", "n_epochs: 3")
    assert theirs.changes(destroy=True)["job.review"].reason is Reason.FOREIGN_LINEAGE
    theirs.apply(destroy=True)
    assert len(active(ours)) == 1


@pytest.mark.parametrize("applied", [False, True], ids=["at once", "after an apply that held it"])
def test_an_edit_without_the_lock_is_held_until_a_person_replaces(small, applied):
    small.launch_until_step()
    (old,) = active(small)
    lose_the_lock(small)
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    if applied:
        small.apply()
        assert active(small) == [old]
    assert small.changes()["job.review"].reason is Reason.FOREIGN_LINEAGE
    replaced = small.plan(replace=frozenset({JOB}))
    assert [(str(at), hazard.hazard) for at, hazard in replaced.hazards()] == [("job.review", Hazard.CANCEL_ACTIVE)]
    small.apply(replace=frozenset({JOB}))
    assert active(small) == [small.lock().resources[JOB].id] != [old]


def test_what_was_replaced_without_the_lock_is_cancelled_later_if_its_cancel_failed(small):
    small.apply()
    (old,) = active(small)
    lose_the_lock(small)
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    with_fault(small, always("POST", f"{JOBS}/{old}/cancel", Fault.ERROR_BEFORE))
    small.apply(replace=frozenset({JOB}))
    assert len(active(small)) == 2
    small.wrap = lambda inner: inner
    small.apply()
    assert active(small) == [small.lock().resources[JOB].id]


def test_what_an_edit_left_running_is_ours_too_when_the_lock_was_lost(small):
    small.apply()
    (first,) = active(small)
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    with_fault(small, always("POST", f"{JOBS}/{first}/cancel", Fault.ERROR_BEFORE))
    small.apply()
    small.wrap = lambda inner: inner
    lose_the_lock(small)
    small.apply()
    assert active(small) == [small.lock().resources[JOB].id] != [first]


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("run", ["paused", "cancelled"])
def test_a_job_that_is_found_and_shall_not_run_is_stopped_by_the_apply_that_finds_it(small, run, wait):
    small.launch_until_step()
    lose_the_lock(small)
    small.edit(S, "    model: o4-mini", f"    run: {run}\n    model: o4-mini")
    hazards = [hazard.hazard for _, hazard in small.plan().hazards()]
    assert hazards == ([Hazard.CANCEL_ACTIVE] if run == "cancelled" else [])
    small.apply(wait=wait)
    small.clock.time += 10
    assert [str(job.status) for job in small.jobs()] == [run]
    small.apply()
    assert small.changes()["job.review"].action is Action.NOOP
    small.edit(S, f"    run: {run}\n", "")
    assert small.results(wait=True)["job.review"].outcome is Outcome.DONE
    assert len(small.jobs()) == (1 if run == "paused" else 2)


def test_a_launch_that_was_cut_off_and_shall_not_run_is_not_followed_to_its_end(tmp_path):
    clock = Clock()
    service = PaidService(tmp_path / "remote", clock)
    small = Small.at(tmp_path / "p", PAID, clock=clock, environ={"OPENAI_API_KEY": "sk-test"}, wrap=service.transport)

    def cut_off(method: str, path: str, count: int) -> Fault | None:
        looks_after = (method, path) == ("GET", JOBS) and count > 2
        return Fault.REFUSED if looks_after else once("POST", JOBS, Fault.LOST_AFTER)(method, path, count)

    service.plan = cut_off
    small.apply()
    service.plan = lambda *_: None
    small.edit(S, "    model: o4-mini", "    run: paused\n    model: o4-mini")
    change = small.changes()["job.review"]
    assert (change.reason, change.detail.endswith("run: paused is for a later apply")) == (
        Reason.INTENT_RECOVERED,
        True,
    )
    small.apply(wait=True)
    (job,) = small.jobs()
    service.close()
    assert not job.status.ended
