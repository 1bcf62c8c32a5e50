"""How a job stands, and what has changed about it without us."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.api.port import JobFault, JobStatus, Simulation
from rftplan.kinds.base import Situation
from rftplan.kinds.job import KIND
from rftplan.kinds.job.observe import SeenJob
from rftplan.kinds.job.progress import Progress
from tests.kinds.builders import entry_for, first_launch, job_spec, launched, remote, resource, situation

QUIET = {JobStatus.VALIDATING_FILES, JobStatus.QUEUED, JobStatus.PENDING, JobStatus.RUNNING, JobStatus.RESUMING}


def seen_with(given: Situation, **changes: Any) -> Situation:
    assert isinstance(given.seen, SeenJob) and given.seen.mine is not None
    return replace(given, seen=replace(given.seen, mine=replace(given.seen.mine, **changes)))


@pytest.mark.parametrize("status", JobStatus)
def test_what_stopped_without_us_is_drift_and_progress_is_none(status: JobStatus) -> None:
    _, given = launched(status)
    drift = KIND.drift(given)
    if status in QUIET | {JobStatus.SUCCEEDED, JobStatus.UNKNOWN}:
        assert drift == []
    else:
        assert [(d.fields[0].before, d.fields[0].after) for d in drift] == [("running", status.value)]


@pytest.mark.parametrize("status", [JobStatus.PAUSING, JobStatus.PAUSED])
def test_our_own_pause_is_no_drift(status: JobStatus) -> None:
    assert KIND.drift(launched(status, paused_by="us")[1]) == []


def test_a_job_that_is_gone_is_drift_and_stands_as_gone() -> None:
    want, given = launched(JobStatus.RUNNING)
    gone = situation(want, entry=given.entry, seen=SeenJob())
    (drift,) = KIND.drift(gone)
    assert drift.detail == "ftjob-1 is no longer at the service"
    assert (KIND.standing(gone).state, KIND.standing(gone).id) == ("gone", "ftjob-1")


def test_what_was_never_launched_stands_as_that() -> None:
    fresh = situation(resource(job_spec()))
    assert (KIND.standing(fresh).state, KIND.standing(fresh).id) == ("not launched", None)
    assert KIND.drift(fresh) == ()


def test_a_standing_tells_step_reward_fault_and_that_it_is_simulated() -> None:
    _, given = launched(JobStatus.RUNNING)
    assert KIND.standing(given).detail == "step 3 of 10"
    full = seen_with(given, raw_status="odd", error=JobFault("no more quota"), simulation=Simulation("simulator", None))
    assert isinstance(full.seen, SeenJob)
    full = replace(full, seen=replace(full.seen, progress=Progress(3, 10, 0.5, 0.25)))
    standing = KIND.standing(full)
    assert (standing.state, standing.detail) == (
        "odd",
        "step 3 of 10, valid reward 0.25, no more quota, SIMULATED",
    )


def test_the_lineage_of_a_lost_lock_is_that_of_the_launch_in_the_slot_or_of_what_a_person_replaces() -> None:
    want = resource(job_spec())
    ours = remote(JobStatus.RUNNING, launch=first_launch(want), lineage="lost-one")
    assert KIND.lineage(situation(want, seen=SeenJob(slot=(remote(JobStatus.RUNNING), ours)))) == "lost-one"
    assert KIND.lineage(situation(want, seen=SeenJob(mine=ours))) is None
    assert KIND.lineage(situation(want)) is None
    assert KIND.lineage(situation(want, seen=SeenJob(others=(ours,)))) is None
    assert KIND.lineage(situation(want, seen=SeenJob(others=(ours,)), replace=True)) == "lost-one"
    assert entry_for(want, ours).id == ours.id
