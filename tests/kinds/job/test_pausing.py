"""A job that shall be paused before it has taken a step: announced, waited for, done and told as what it is."""

from __future__ import annotations

import pytest

from rftplan.address import Address
from rftplan.api.port import JobStatus
from rftplan.changes import Action, Reason
from rftplan.events import Event, Outcome, StepEnded
from rftplan.kinds.job.decide import decide
from rftplan.kinds.job.observe import SeenJob
from rftplan.kinds.job.steps import AwaitPauseStep
from tests.kinds.builders import job_spec, launched, remote, resource, situation
from tests.world import Small

JOB = Address("job", "review")
S = JobStatus


@pytest.fixture
def early(small: Small) -> Small:
    """Launched, and wanted paused before it has taken a step."""
    small.apply()
    small.edit("specs/main.yaml", "    model: o4-mini", "    run: paused\n    model: o4-mini")
    return small


def test_the_plan_announces_the_pause_and_waiting_does_it_after_the_first_step(early: Small) -> None:
    change = early.changes()["job.review"]
    assert (change.action, change.reason, change.then) == (Action.DEFER, Reason.BEFORE_FIRST_STEP, ("pause",))
    told = early.results(wait=True)["job.review"]
    assert (told.action, told.verb, told.outcome) == (Action.UPDATE, "pause", Outcome.DONE)
    early.clock.time += 5
    assert [job.status for job in early.jobs()] == [S.PAUSED]
    assert early.lock().resources[JOB].resolved["paused_by"] == "us"
    assert "job.review" not in early.verbs()
    early.edit("specs/main.yaml", "run: paused", "run: running")
    early.train()
    assert len(early.jobs()) == 1


def test_without_waiting_it_trains_on_and_nothing_is_said_to_be_paused(early: Small) -> None:
    told = early.results()
    assert told.get("job.review") is None
    early.clock.time += 600
    assert [job.status for job in early.jobs()] == [S.SUCCEEDED]


def test_a_job_that_ends_before_it_could_be_paused_is_told_as_ended(early: Small) -> None:
    id = early.jobs()[0].id

    async def cancel_meanwhile(seconds: float) -> None:
        early.clock.sleep = sleep  # type: ignore[method-assign]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:
            pool.submit(early.service, lambda port: port.cancel_job(id)).result()
        await sleep(seconds)

    sleep = early.clock.sleep
    early.clock.sleep = cancel_meanwhile  # type: ignore[method-assign]
    told = early.results(wait=True)["job.review"]
    assert (told.outcome, told.error) == (Outcome.FAILED, "the job is cancelled")
    assert early.lock().resources[JOB].resolved["status"] == "cancelled"


def test_what_somebody_applied_in_the_meantime_is_not_paused(early: Small) -> None:
    """The pause belongs to the job that the plan saw."""

    def replaced(event: Event) -> None:
        if isinstance(event, StepEnded) and event.result.address == JOB and not done:
            done.append(event)
            text = (early.root / "rftplan.lock").read_text()
            id = str(early.lock().resources[JOB].id)
            early.write("rftplan.lock", text.replace(id, "ftjob-another"))

    done: list[Event] = []
    told = early.results(wait=True, on_event=replaced)["job.review"]
    assert (told.outcome, "somebody else applied" in told.detail) == (Outcome.DEFERRED, True)


@pytest.mark.parametrize("status", [S.VALIDATING_FILES, S.QUEUED, S.PENDING, S.RESUMING, S.RUNNING])
def test_every_state_before_the_first_step_announces_the_same(status: JobStatus) -> None:
    change = decide(launched(status, "paused", step=None)[1])
    assert change.step == AwaitPauseStep(("ftjob-1",), known="ftjob-1")
    assert change.detail == f"ftjob-1 is {status}, and trains on until then"


def test_old_jobs_of_a_changed_spec_are_waited_for_as_well() -> None:
    old = tuple(remote(S.RUNNING, id=f"ftjob-{n}", launch=f"v1:{n}:1", created_at=n) for n in range(2))
    change = decide(situation(resource(job_spec(run="paused")), seen=SeenJob(others=old)))
    assert change.step == AwaitPauseStep(("ftjob-0", "ftjob-1"), known=None)
