"""Doing what was decided about a job: every call bracketed in the journal, nothing decided anew."""

from __future__ import annotations

from msgspec.structs import replace

from rftplan.changes import Change
from rftplan.events import Outcome, Result
from rftplan.kinds.base import Act, result
from rftplan.kinds.job.cancelling import cancel_one
from rftplan.kinds.job.deleting import delete_models
from rftplan.kinds.job.following import with_status
from rftplan.kinds.job.launching import keep_files, launch_once
from rftplan.kinds.job.pausing import pause_all
from rftplan.kinds.job.places import require_place
from rftplan.kinds.job.steps import (
    AdoptStep,
    AdoptToStopStep,
    CancelStep,
    ClearStep,
    DeleteModelsStep,
    LaunchStep,
    PauseStep,
    ResumeStep,
)
from rftplan.lockfile import FORGOTTEN, Entry


async def perform(change: Change, act: Act) -> Result:
    """Carry out one decided step."""
    _close_answered(change, act)
    match change.step:
        case LaunchStep():
            await require_place(change, act)
            return await launch_once(change, change.step, act)
        case AdoptStep():
            return await _adopt(change, change.step, act)
        case AdoptToStopStep():
            return await _adopt_to_stop(change, change.step, act)
        case PauseStep(job_ids):
            return await pause_all(change, job_ids, act)
        case ResumeStep(job_id):
            await require_place(change, act)
            job = await act.effect(
                change.address,
                "resume",
                lambda _: act.port.resume_job(job_id),
                lambda j: with_status(act.ledger.entries.get(change.address), j, None),
            )
            return result(change, Outcome.DONE, id=job.id, detail=f"now {job.status}")
        case CancelStep():
            return await _cancel_step(change, change.step, act)
        case ClearStep(jobs):
            return await _cancel_step(change, CancelStep(jobs), act)
        case DeleteModelsStep(models):
            await delete_models(change, change.step, act)
            _forget(change, act)
            return result(change, Outcome.DONE, detail=", ".join(models))
        case _:
            _forget(change, act)
            return result(change, Outcome.DONE)


async def _adopt(change: Change, step: AdoptStep, act: Act) -> Result:
    for old in step.cancels:  # first: once the adopted job is known, nobody looks for others
        await cancel_one(change, old, act, stays=step.entry)
    return _take(change, step.entry, act)


async def _adopt_to_stop(change: Change, step: AdoptToStopStep, act: Act) -> Result:
    done = await _adopt(change, step.adopt, act)
    if isinstance(step.stop, PauseStep):
        done = await pause_all(change, step.stop.job_ids, act)
    if isinstance(step.stop, CancelStep):
        done = await _cancel_step(change, step.stop, act)
    return replace(done, detail=change.detail)


def _close_answered(change: Change, act: Act) -> None:
    """Close an intent that what we see at the service has answered.

    A launch is closed where it is launched or adopted. A cancel leaves its tombstone where the plan took the
    job for ended by us (it launches anew, or forgets); of everything else the status says all there is to know.
    """
    intent = act.open_intents.get(change.address)
    if intent is None or intent.verb == "launch":
        return
    if intent.verb == "cancel" and (change.step is None or isinstance(change.step, LaunchStep)):
        act.ledger.finish(intent, act.ledger.entries.get(change.address), tombstone=intent.launch)
    else:
        act.ledger.abandon(intent)


def _forget(change: Change, act: Act) -> None:
    """The lock knows nothing of the job any more; a launch that was cut off is answered by that."""
    intent = act.open_intents.get(change.address)
    if intent is not None and intent.verb == "launch":
        act.ledger.finish(intent, None, tombstone=FORGOTTEN)
    else:
        act.ledger.record(change.address, None, tombstone=FORGOTTEN)


def _take(change: Change, entry: Entry, act: Act) -> Result:
    intent = act.open_intents.get(change.address)
    if intent is not None and intent.verb == "launch":
        act.ledger.finish(intent, entry)
    else:
        act.ledger.record(change.address, entry)
    keep_files(change, act)
    return result(change, Outcome.DONE, id=entry.id)


async def _cancel_step(change: Change, step: CancelStep, act: Act) -> Result:
    for job in step.jobs:
        await cancel_one(change, job, act, stays=act.ledger.entries.get(change.address))
    if step.forget:
        _forget(change, act)
    return result(change, Outcome.DONE, id=step.jobs[-1].id)
