"""Doing what was decided about a job: every call bracketed in the journal, nothing decided anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rftplan.address import Address
from rftplan.api.port import JobStatus, RemoteJob
from rftplan.canonical import JsonObject
from rftplan.changes import Change
from rftplan.errors import ApiError, NotFoundError, RejectedError
from rftplan.events import Outcome, Result
from rftplan.journal import LostEffect
from rftplan.kinds.base import Act, result
from rftplan.kinds.file import used
from rftplan.kinds.grader import GraderSpec
from rftplan.kinds.job.following import with_status
from rftplan.kinds.job.launch import (
    ADDRESS_KEY,
    LAUNCH_KEY,
    TOKEN_KEY,
    launch_of,
    request_body,
    sent_grader,
)
from rftplan.kinds.job.observe import age, resolved_values
from rftplan.kinds.job.pausing import pause_all
from rftplan.kinds.job.steps import AdoptStep, AdoptToStopStep, CancelStep, LaunchStep, PauseStep, ResumeStep
from rftplan.lockfile import FORGOTTEN, Entry


async def perform(change: Change, act: Act) -> Result:
    """Carry out one decided step."""
    _close_answered(change, act)
    match change.step:
        case LaunchStep():
            return await _launch(change, change.step, act)
        case AdoptStep():
            return await _adopt(change, change.step, act)
        case AdoptToStopStep():
            return await _adopt_to_stop(change, change.step, act)
        case PauseStep(job_ids):
            return await pause_all(change, job_ids, act)
        case ResumeStep(job_id):
            job = await act.effect(
                change.address,
                "resume",
                lambda _: act.port.resume_job(job_id),
                lambda j: with_status(act.ledger.entries.get(change.address), j, None),
            )
            return result(change, Outcome.DONE, id=job.id, detail=f"now {job.status}")
        case CancelStep():
            return await _cancel_step(change, change.step, act)
        case _:
            _forget(change, act)
            return result(change, Outcome.DONE)


async def _adopt(change: Change, step: AdoptStep, act: Act) -> Result:
    for old in step.cancels:  # first: once the adopted job is known, nobody looks for others
        await _cancel_one(change, old, act)
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


async def _launch(change: Change, step: LaunchStep, act: Act) -> Result:
    want = act.resources[change.address]
    spec = want.spec
    if spec.reinforcement is not None and isinstance(spec.reinforcement.grader, GraderSpec):
        await act.port.validate_grader(sent_grader(want, act.resources))
    launch = launch_of(want.fingerprint, step.attempt)
    try:
        there = await _slot(change.address, launch, act)
    except ApiError as error:
        return result(change, Outcome.FAILED, error=f"nothing was launched: its place could not be looked at: {error}")
    if there:
        detail = f"{there[0].id} appeared in its place since the plan was made; run rftplan plan"
        return result(change, Outcome.DEFERRED, id=there[0].id, detail=detail)
    stale = act.open_intents.get(change.address)
    if stale is not None and stale.verb == "launch":
        act.ledger.abandon(stale)
    job, tokens = await _create(change, launch, step.history, act)
    _keep_files(change, act)
    return await _tidy_up(change, step, job, tokens, act)


async def _tidy_up(change: Change, step: LaunchStep, job: RemoteJob, tokens: frozenset[str], act: Act) -> Result:
    """One launch a slot, and nothing left of what it replaces. The job is there and on record: whatever goes
    wrong now is told beside it, and the next apply goes on here."""
    try:
        kept, rivals = await _one_a_slot(change, job, tokens, act)
    except (ApiError, LostEffect) as error:
        detail = f"{job.id} was launched; what else is in its place is not known: {error}; run rftplan apply again"
        return result(change, Outcome.DEFERRED, id=job.id, detail=detail)
    try:
        for old in step.cancels:
            await _cancel_one(change, old, act)
    except ApiError as error:
        return result(change, Outcome.FAILED, id=kept.id, error=f"{kept.id} was launched, but: {error}")
    if rivals:
        ids = ", ".join(j.id for j in rivals)
        return result(change, Outcome.HELD, id=kept.id, detail=f"duplicate: {ids} runs in the same slot")
    detail = f"replaces {', '.join(j.id for j in step.cancels)}" if step.cancels else ""
    return result(change, Outcome.DONE, id=kept.id, detail=detail)


def _keep_files(change: Change, act: Act) -> None:
    """What the job starts from is part of what the model is, even after the job has left the specs."""
    for ref in act.resources[change.address].refs:
        entry = act.ledger.entries.get(ref.address)
        if entry is not None and ref.address.kind == "file":
            act.ledger.record(ref.address, used(entry))


async def _create(
    change: Change, launch: str, history: tuple[JsonObject, ...], act: Act
) -> tuple[RemoteJob, frozenset[str]]:
    """Launch once. After a lost reply the slot is looked up; the create is repeated only where the profile says
    that a look-up proves the absence at once, otherwise LostEffect leaves the intent open."""
    want = act.resources[change.address]
    tokens: set[str] = set()

    async def create(token: str) -> RemoteJob:
        tokens.add(token)
        metadata = {
            ADDRESS_KEY: act.scope.launch_address(change.address),
            LAUNCH_KEY: launch,
            TOKEN_KEY: token,
        }
        body = request_body(
            want,
            resources=act.resources,
            entries=act.ledger.entries,
            profile=act.scope.profile,
            metadata=metadata,
        )
        return await act.port.create_job(body)

    def entry_of(job: RemoteJob) -> Entry:
        return Entry(
            fingerprint=want.fingerprint,
            inputs=want.inputs,
            id=job.id,
            attempt=int(launch.rpartition(":")[2]),
            resolved=resolved_values(job),
            history=history,
        )

    try:
        job = await act.effect(change.address, "launch", create, entry_of, launch=launch)
        return job, frozenset(tokens)
    except LostEffect as lost:
        try:
            ours = [j for j in await _slot(change.address, launch, act) if j.metadata.get(TOKEN_KEY) in tokens]
        except ApiError:
            raise lost from None  # nobody can say yet: the intent stays open
        if ours:
            act.ledger.finish(lost.intent, entry_of(ours[0]))
            return ours[0], frozenset(tokens)
        if act.scope.profile.settle_seconds > 0 or act.scope.profile.call_seconds > 0:
            raise
        act.ledger.abandon(lost.intent)
    job = await act.effect(change.address, "launch", create, entry_of, launch=launch)
    return job, frozenset(tokens)


async def _slot(address: Address, launch: str, act: Act) -> list[RemoteJob]:
    """Every launch of this slot, oldest first, under whatever address it was launched."""
    names = act.scope.launch_addresses(address, act.ledger.entries)
    lists = [await act.port.list_jobs({ADDRESS_KEY: name, LAUNCH_KEY: launch}) for name in names]
    return sorted((job for jobs in lists for job in jobs), key=age)


async def _one_a_slot(
    change: Change, job: RemoteJob, tokens: frozenset[str], act: Act
) -> tuple[RemoteJob, list[RemoteJob]]:
    """The oldest launch of the slot stays, and our own later one is cancelled while that is free. What else is
    active in the slot comes back beside it: a person has to choose."""
    launch = job.metadata[LAUNCH_KEY]
    listed = {j.id: j for j in (*await _slot(change.address, launch, act), job)}  # the list may be stale
    standing = sorted((j for j in listed.values() if j.status not in _BAD_ENDS or j.id == job.id), key=age)
    first, rivals = standing[0], []
    for later in standing[1:]:
        if later.metadata.get(TOKEN_KEY) in tokens and later.status.unbilled:
            await act.effect(
                change.address,
                "cancel",
                lambda _, id=later.id: act.port.cancel_job(id),  # type: ignore[misc]
                lambda _: act.ledger.entries.get(change.address),
            )
        elif not later.status.ended and later.metadata.get(TOKEN_KEY) in tokens:
            rivals.append(later)
    if first.id != job.id:
        entry = act.ledger.entries[change.address]
        act.ledger.record(change.address, replace(entry, id=first.id, resolved=resolved_values(first)))
    return first, rivals


_BAD_ENDS: Final = (JobStatus.FAILED, JobStatus.CANCELLED)
_OWN_ENDS: Final = (JobStatus.FAILED, JobStatus.SUCCEEDED)


def _take(change: Change, entry: Entry, act: Act) -> Result:
    intent = act.open_intents.get(change.address)
    if intent is not None and intent.verb == "launch":
        act.ledger.finish(intent, entry)
    else:
        act.ledger.record(change.address, entry)
    _keep_files(change, act)
    return result(change, Outcome.DONE, id=entry.id)


async def _cancel_step(change: Change, step: CancelStep, act: Act) -> Result:
    for job in step.jobs:
        await _cancel_one(change, job, act)
    if step.forget:
        _forget(change, act)
    return result(change, Outcome.DONE, id=step.jobs[-1].id)


async def _cancel_one(change: Change, job: RemoteJob, act: Act) -> None:
    """Cancel and leave a tombstone, so that our own cancel is never taken for somebody else's. A job that ended by
    itself before was not ended by us."""

    async def cancel(_token: str) -> RemoteJob:
        try:
            return await act.port.cancel_job(job.id)
        except NotFoundError:
            raise
        except RejectedError:
            now = await act.port.get_job(job.id)
            if not now.status.ended:
                raise
            return now  # it ended by itself in the meantime

    own = act.ledger.entries.get(change.address)
    launch = job.metadata.get(LAUNCH_KEY)
    if launch is None and own is not None and own.id == job.id:
        launch = launch_of(own.fingerprint, own.attempt)
    await act.effect(
        change.address,
        "cancel",
        cancel,
        lambda j: with_status(act.ledger.entries.get(change.address), j, None),
        launch=launch,
        tombstone_of=lambda j: None if j.status in _OWN_ENDS else launch,
    )
