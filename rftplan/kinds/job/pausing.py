"""Pausing jobs, at once or after the step that the service has to have taken first. Decides about no plan."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from rftplan.api.port import JobStatus
from rftplan.changes import Action, Change
from rftplan.events import Outcome, Result
from rftplan.kinds.base import Act, result
from rftplan.kinds.job.following import ended, looked_at, settle, with_status
from rftplan.kinds.job.progress import NO_PROGRESS
from rftplan.kinds.job.steps import AwaitPauseStep
from rftplan.kinds.job.whose_pause import with_step

_EARLY = (JobStatus.VALIDATING_FILES, JobStatus.QUEUED, JobStatus.PENDING, JobStatus.RESUMING, JobStatus.UNKNOWN)


async def pause_all(change: Change, job_ids: Sequence[str], act: Act) -> Result:
    """Pause them, one after the other."""
    said = []
    for id in job_ids:
        job = await act.effect(
            change.address,
            "pause",
            lambda _, id=id: act.port.pause_job(id),  # type: ignore[misc]
            lambda j: with_status(act.ledger.entries.get(change.address), j, "paused_by"),
        )
        if paused := await with_step(act.port, act.ledger.entries.get(change.address), job):
            act.ledger.record(change.address, paused)
        said.append(f"now {job.status}" if len(job_ids) == 1 else f"{id} is now {job.status}")
    return result(change, Outcome.DONE, id=job_ids[-1], detail=", ".join(said))


async def poll(change: Change, step: AwaitPauseStep, act: Act) -> Result | None:
    """Look once; None until each has taken its first step, or can take none any more."""
    looks = [await looked_at(change.address, id, act) for id in step.job_ids]
    early = any(
        job.status in _EARLY or (job.status is JobStatus.RUNNING and not progress.step) for job, progress in looks
    )
    return None if early else result(change, Outcome.DONE, id=step.job_ids[-1])


async def follow_up(change: Change, step: AwaitPauseStep, act: Act) -> Result:
    """Pause what runs now; what ended in the meantime is told as ended."""
    entry = act.ledger.entries.get(change.address)
    if (entry.id if entry else None) != step.known:
        detail = "somebody else applied in the meantime: run rftplan plan"
        return result(change, Outcome.DEFERRED, detail=detail)
    intent = act.open_intents.get(change.address)
    if intent is not None and intent.verb != "launch":
        act.ledger.abandon(intent)  # the status says all that is to know of it
    jobs = [await act.port.get_job(id) for id in step.job_ids]
    going = [job.id for job in jobs if job.status is JobStatus.RUNNING]
    if going:
        return replace(await pause_all(change, going, act), action=Action.UPDATE, verb="pause")
    await settle(change, act)
    return ended(change, jobs[-1], NO_PROGRESS) or result(
        change, Outcome.DONE, id=jobs[-1].id, detail="pausing already"
    )
