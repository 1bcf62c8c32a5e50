"""What is said of a deployment that waits: true in every state of its job, and announced only where it follows."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.api.port import JobStatus
from rftplan.changes import Action, Change, Reason
from rftplan.kinds.deployment import SeenDeployment
from rftplan.kinds.deployment.decide import lock_was_lost
from rftplan.kinds.job.decide import decide as job_decides
from rftplan.kinds.job.observe import SeenJob
from rftplan.kinds.job.spec import Run
from rftplan.kinds.job.steps import ClearStep
from tests.kinds.builders import job_spec, launched, remote, resource, situation
from tests.kinds.deployment.test_decide import HELD, JOB, LAUNCH, RELAUNCH, by, decide, live

S = JobStatus
TO_ITS_END = "nothing is promoted until it has run to its end"
AGAIN = "nothing is promoted until it is launched again"


def following(state: str) -> tuple[str, bool]:
    return state, True


def still(state: str) -> tuple[str, bool]:
    return state, False


SHALL_BE_PAUSED = still(f"shall be paused; {TO_ITS_END}")
CANCELLED_NOW = still(f"is cancelled now; {AGAIN}")
HOLDS = still("is held")
TABLE: dict[tuple[JobStatus, str | None], tuple[tuple[str, bool], ...]] = {
    (S.VALIDATING_FILES, None): (following("is validating_files"), SHALL_BE_PAUSED, CANCELLED_NOW),
    (S.QUEUED, None): (following("is queued"), SHALL_BE_PAUSED, CANCELLED_NOW),
    (S.PENDING, None): (following("is pending"), SHALL_BE_PAUSED, CANCELLED_NOW),
    (S.RESUMING, None): (following("is resuming"), SHALL_BE_PAUSED, CANCELLED_NOW),
    (S.RUNNING, None): (following("is running"), still(f"is paused now; {TO_ITS_END}"), CANCELLED_NOW),
    (S.PAUSING, None): (still("is pausing"),) * 3,
    (S.PAUSED, "us"): (following("is resumed first"), still(f"is paused; {TO_ITS_END}"), CANCELLED_NOW),
    (S.PAUSED, None): (HOLDS, still(f"is paused; {TO_ITS_END}"), CANCELLED_NOW),
    (S.FAILED, None): (HOLDS, HOLDS, still(f"failed; {AGAIN}")),
    (S.CANCELLED, None): (HOLDS, HOLDS, still(f"was cancelled; {AGAIN}")),
    (S.UNKNOWN, None): (still('is "unknown", a status not known here'),) * 3,
}
"""What is said, and whether the promotion is announced, for each run state that the specs may want."""


def test_every_state_that_is_no_success_has_its_line() -> None:
    assert {status for status, _ in TABLE} == set(JobStatus) - {S.SUCCEEDED}


@pytest.mark.parametrize("run", Run)
@pytest.mark.parametrize(("status", "paused_by"), list(TABLE))
def test_what_is_said_is_true_in_every_state(status: JobStatus, paused_by: str | None, run: Run) -> None:
    resolved: dict[str, Any] = {"paused_by": paused_by} if paused_by else {}
    upstream = job_decides(launched(status, run.value, **resolved)[1])
    said, follows = TABLE[status, paused_by][list(Run).index(run)]
    change = decide(entry=live(), seen=SeenDeployment(remote(status)), upstream=upstream)
    assert change.detail == f"job.review {said}; ft:6 stays live"
    assert change.then == (("promote",) if follows else ())
    assert bool(change.hazards) is follows


NOT_THERE = SeenDeployment(None)
KEPT_BACK = job_decides(situation(resource(job_spec(run="paused"))))
REST: list[tuple[str, Change, SeenDeployment, str]] = [
    ("launched", LAUNCH, NOT_THERE, "is launched first"),
    ("launched anew", RELAUNCH, by(S.SUCCEEDED), "is launched first"),
    ("held after a success", HELD, by(S.SUCCEEDED), "is held"),
    ("kept from launching", KEPT_BACK, NOT_THERE, "is kept from launching by its run state"),
    ("gone", Change(JOB, Action.NOOP, "keep", Reason.GONE), NOT_THERE, f"is not at the service any more; {AGAIN}"),
    ("of unknown fate", Change(JOB, Action.DEFER, "wait", Reason.FATE_UNKNOWN), NOT_THERE,
     "may have been launched, and that is found out first"),
    ("running while what it replaces is cancelled",
     Change(JOB, Action.UPDATE, "cancel", Reason.SUPERSEDED, step=ClearStep((remote(S.RUNNING),))), by(S.RUNNING),
     "is running"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("run", "said"), [("paused", f"is paused now; {TO_ITS_END}"), ("cancelled", f"is cancelled now; {AGAIN}")]
)
def test_a_job_that_is_found_and_stopped_is_said_to_be(run: str, said: str) -> None:
    """And a lock that was lost is one all the same, whatever becomes of the job that it forgot."""
    want, given = launched(S.RUNNING, run)
    assert isinstance(given.seen, SeenJob)
    upstream = job_decides(situation(want, seen=replace(given.seen, mine=None), fresh=True))
    change = decide(seen=SeenDeployment(remote(S.RUNNING)), upstream=upstream)
    assert change.detail == f"job.review {said}"
    assert lock_was_lost(situation(None), upstream)


@pytest.mark.parametrize(("upstream", "seen", "said"), [row[1:] for row in REST], ids=[row[0] for row in REST])
def test_what_is_said_where_no_status_says_it(upstream: Change, seen: SeenDeployment, said: str) -> None:
    assert decide(seen=seen, upstream=replace(upstream, address=JOB)).detail == f"job.review {said}"
