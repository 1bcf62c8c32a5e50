"""What jobs take up at the service: the files that they go on from, and places where only so many may run at a time.

Decides about no order: who goes first is the planner's.
"""

from __future__ import annotations

from rftplan.api.port import JobStatus
from rftplan.changes import Change
from rftplan.errors import Limit, LimitedError
from rftplan.kinds.base import Act
from rftplan.kinds.job.observe import SeenJob
from rftplan.kinds.job.steps import LaunchStep, ResumeStep


def files_of(seen: object) -> frozenset[str]:
    """The files of every job that is not over, and of one that succeeded and is in no entry yet."""
    if not isinstance(seen, SeenJob):
        return frozenset()
    adoptable = [job for job in (*seen.slot, *seen.nameless) if job.status is JobStatus.SUCCEEDED and job != seen.mine]
    going = [
        j
        for j in (seen.mine, *seen.slot, *seen.others, *seen.elsewhere, *seen.nameless)
        if j is not None and not j.status.ended
    ]
    files = (file for job in (*going, *adoptable) for file in (job.training_file, job.validation_file))
    return frozenset(file for file in files if file is not None)


def holding(seen: object) -> frozenset[str]:
    """The ids of the jobs that take a place: those of the list, and what was seen beside it."""
    if not isinstance(seen, SeenJob):
        return frozenset()
    jobs = (seen.mine, *seen.slot, *seen.others)
    return seen.busy | {job.id for job in jobs if job is not None and job.status.takes_place}


def wanted(change: Change) -> bool:
    """Whether it starts a run in no other's place. A relaunch gets the place of what it cancels, although for a moment
    both are there."""
    match change.step:
        case LaunchStep(cancels=cancels):
            return not any(job.status.takes_place for job in cancels)
        case ResumeStep():
            return True
        case _:
            return False


async def require_place(change: Change, act: Act) -> None:
    """LimitedError where others have taken, since the plan was made, what was free."""
    most = act.scope.most_running
    if most is None or not wanted(change):
        return
    taken = sum(job.status.takes_place for job in await act.port.list_jobs())
    if taken >= most:
        raise LimitedError(
            f"nothing was started: {taken} of {most} running", limit=Limit.JOBS, hint="come again when a job has ended"
        )
