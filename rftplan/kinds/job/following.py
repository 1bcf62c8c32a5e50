"""Looking at a job that runs, and keeping how it ended. Changes nothing at the service."""

from __future__ import annotations

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import JobStatus, RemoteJob
from rftplan.canonical import JsonObject
from rftplan.changes import Change
from rftplan.events import Outcome, Result, Trained
from rftplan.kinds.base import Act, result
from rftplan.kinds.job import quality
from rftplan.kinds.job.kept import of_launch, resolved_values
from rftplan.kinds.job.progress import Progress, progress_of
from rftplan.kinds.job.runs import with_run
from rftplan.kinds.job.steps import ClearStep
from rftplan.kinds.job.trouble import said
from rftplan.lockfile import Entry


async def poll(change: Change, act: Act) -> Result | None:
    """Look at the job once and tell how far it is; its end is the result."""
    entry = act.ledger.entries.get(change.address)
    if entry is None or entry.id is None:
        return None
    job, progress = await looked_at(change.address, entry.id, act)
    return ended(change, job, progress)


async def looked_at(address: Address, job_id: str, act: Act) -> tuple[RemoteJob, Progress]:
    """The job as it is now, told to whoever listens."""
    job = await act.port.get_job(job_id)
    progress = await progress_of(act.port, job)
    act.on_event(
        Trained(
            address,
            job.id,
            job.raw_status,
            progress.step,
            progress.total_steps,
            progress.train_reward,
            progress.valid_reward,
            _caveat(job),
            progress.grader_errors,
            progress.quality,
            progress.train_loss,
            progress.valid_loss,
        )
    )
    return job, progress


def ended(change: Change, job: RemoteJob, progress: Progress) -> Result | None:
    """What a job that goes on no longer came to; None while it does."""
    verb = change.verb if change.action.acts and not isinstance(change.step, ClearStep) else "train"
    if job.status is JobStatus.SUCCEEDED:
        told = (f"succeeded{_steps(progress)}", quality.said(progress.quality), said(progress.grader_errors))
        detail = "; ".join(filter(None, told))
        return result(change, Outcome.DONE, id=job.id, detail=detail, verb=verb)
    if job.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        why = job.error.message if job.error else f"the job is {job.status}"
        return result(change, Outcome.FAILED, id=job.id, error=why, detail=said(progress.grader_errors), verb=verb)
    if job.status is JobStatus.PAUSED:
        return result(change, Outcome.HELD, id=job.id, detail="it was paused while this waited for it", verb="train")
    return None


def _steps(progress: Progress) -> str:
    return f" after {progress.step} of {progress.total_steps} steps" if progress.step is not None else ""


def _caveat(job: RemoteJob) -> str | None:
    if job.simulation is None:
        return None
    return "SIMULATED" + (f", {job.simulation.judge}" if job.simulation.judge else "")


def told(change: Change, outcome: Result, entry: Entry) -> Result:
    """The end as it is to be told: a pause that `rftplan pause` made meanwhile is nobody's to look into."""
    if outcome.outcome is not Outcome.HELD or entry.resolved.get("paused_by") != "us":
        return outcome
    said = f"it was paused from here while this waited for it; rftplan resume {change.address} lets it go on"
    return replace(outcome, outcome=Outcome.DEFERRED, detail=said)


async def settle(change: Change, act: Act) -> None:
    """Keep how the job ended."""
    entry = act.ledger.entries.get(change.address)
    if entry is None or entry.id is None:
        return
    job = await act.port.get_job(entry.id)
    if job.status.ended:
        progress = await progress_of(act.port, job)
        history = with_run(entry.history, job, entry.inputs, progress, act.resources)
        resolved = resolved_values(job, progress) | of_launch(entry)
        act.ledger.record(change.address, replace(entry, resolved=resolved, history=history))


def with_status(entry: Entry | None, job: RemoteJob, ours: str | None) -> Entry | None:
    """The entry with what the service says now, and `ours` as our doing: paused_by or cancelled_by. A job that is not
    the entry's own changes nothing."""
    if entry is None or entry.id != job.id:
        return entry
    values: JsonObject = resolved_values(job) | of_launch(entry)
    if ours is not None:
        values[ours] = "us"
    return replace(entry, resolved=values)
