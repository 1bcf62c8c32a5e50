"""How watching a job ends."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rftplan.api.port import JobEvent, JobFault, JobStatus
from rftplan.monitor.ending import End, Ending, ending
from tests.monitor.runs import STARTED, facts, job, rewards

GOING = [one for one in JobStatus if not one.ended and one is not JobStatus.PAUSED]


@pytest.mark.parametrize("status", GOING)
def test_what_goes_on_has_no_ending(status: JobStatus) -> None:
    assert ending(facts(job(status)), ours=True) is None


def test_a_success_before_the_last_step_is_told_apart() -> None:
    whole, part = (facts(job(JobStatus.SUCCEEDED), rewards([0.1] * n)) for n in (20, 12))
    assert ending(whole, ours=False) == Ending(End.SUCCEEDED)
    assert ending(part, ours=False) == Ending(End.PARTIAL)
    assert ending(facts(job(JobStatus.SUCCEEDED)), ours=False) == Ending(End.SUCCEEDED)


@pytest.mark.parametrize(("status", "end"), [(JobStatus.CANCELLED, End.CANCELLED), (JobStatus.PAUSED, End.PAUSED)])
def test_what_a_person_did_from_here_needs_no_person(status: JobStatus, end: End) -> None:
    for ours in (True, False):
        found = ending(facts(job(status)), ours=ours)
        assert found == Ending(end, ours) and found.needs_a_person is not ours


def test_a_failure_says_why_by_the_service_and_without_a_reason_by_its_last_word() -> None:
    failed = job(JobStatus.FAILED)
    said = ending(facts(replace(failed, error=JobFault("too many errors"))), ours=False)
    assert said == Ending(End.FAILED, detail="too many errors") and said.needs_a_person
    told = [JobEvent("e", STARTED, "error", "python grader failed", "message")]
    assert ending(facts(failed, told), ours=False) == Ending(End.FAILED, detail="python grader failed")
    assert ending(facts(failed), ours=False) == Ending(End.FAILED, detail="the service does not say why")


def test_who_cannot_look_any_more_has_to_act() -> None:
    assert Ending(End.LOST).needs_a_person
