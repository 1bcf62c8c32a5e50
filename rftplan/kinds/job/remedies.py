"""The changes that bring a job to where the spec wants it: launch, adopt, pause, cancel. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rftplan.api.port import JobStatus, RemoteJob
from rftplan.canonical import JsonObject
from rftplan.changes import Action, Change, FieldChange, Hazard, HazardOf, Reason
from rftplan.kinds.base import Resource, Situation
from rftplan.kinds.job.accepted import edits
from rftplan.kinds.job.doubt import hold_for_nameless, let_stand
from rftplan.kinds.job.kept import CANCELLED_BY, resolved_values
from rftplan.kinds.job.launch import LAUNCH_KEY, TOKEN_KEY, age, attempt_of, attempts
from rftplan.kinds.job.observe import SeenJob, current_job, same_launch
from rftplan.kinds.job.progress import NO_PROGRESS
from rftplan.kinds.job.runs import with_run
from rftplan.kinds.job.spec import JobSpec, Run
from rftplan.kinds.job.steps import (
    AdoptStep,
    AdoptToStopStep,
    AwaitPauseStep,
    CancelStep,
    LaunchStep,
    PauseStep,
)
from rftplan.lockfile import Entry, Origin


def active_jobs(situation: Situation, seen: SeenJob, *, keep: str | None = None) -> tuple[RemoteJob, ...]:
    """Every active job of ours under this address but `keep`, oldest first."""
    return tuple(job for job in _active(seen, keep) if not _foreign(situation, job))


def _active(seen: SeenJob, keep: str | None) -> list[RemoteJob]:
    found = (*seen.others, *seen.slot, *((seen.mine,) if seen.mine else ()))
    jobs = {job.id: job for job in found if not job.status.ended and job.id != keep}
    return sorted(jobs.values(), key=age)


def _foreign(situation: Situation, job: RemoteJob) -> bool:
    """Launched under another lock. A lock that was lost is taken up again by what the specs still want, and by what a
    person replaces; anything else without a lock may be somebody else's work under the same names."""
    lineage = job.metadata.get(TOKEN_KEY, "").partition(":")[0]
    if not lineage or lineage == situation.scope.lineage or situation.replace:
        return False
    want = situation.want
    same = want is not None and job.metadata.get(LAUNCH_KEY, "").rpartition(":")[0] == want.fingerprint
    return not (situation.scope.fresh and same)


def hold_for_foreign(situation: Situation, jobs: Sequence[RemoteJob]) -> Change | None:
    """HOLD if any of these was launched under another lock: it is not ours to take or to cancel."""
    for job in jobs:
        if _foreign(situation, job):
            detail = f"{job.id} was launched under another lock ({job.metadata[TOKEN_KEY].partition(':')[0]})"
            return situation.change(Action.HOLD, "hold", Reason.FOREIGN_LINEAGE, detail)
    return None


def hold_for_active(situation: Situation, seen: SeenJob) -> Change | None:
    """HOLD if a job that runs under this address was launched under another lock."""
    return hold_for_foreign(situation, _active(seen, None))


def oldest(situation: Situation, seen: SeenJob, job: RemoteJob) -> tuple[RemoteJob, Change | None]:
    """Which of the launches of this job's slot stays: the oldest, or what came to something while this one ended
    badly. HOLD where a later one runs that costs already, or that is not ours to cancel."""
    launch = job.metadata.get(LAUNCH_KEY)
    twins = [j for j in seen.slot if j.metadata.get(LAUNCH_KEY) == launch and j.id != job.id and _counts(j)]
    if launch is None or not twins:
        return job, None
    stays = min((j for j in (job, *twins) if _counts(j)), key=age)
    if job.status is JobStatus.SUCCEEDED:
        stays = job
    others = [j for j in (job, *twins) if not j.status.ended and j.id != stays.id]
    if all(j.status.unbilled and (j.id == job.id or not _foreign(situation, j)) for j in others):
        return stays, None
    ids = ", ".join(j.id for j in others)
    return job, situation.change(
        Action.HOLD, "hold", Reason.DUPLICATE, f"{ids} runs in the same slot as {stays.id}, which stays"
    )


def _counts(job: RemoteJob) -> bool:
    """Whether it runs, or came to something."""
    return not job.status.ended or job.status is JobStatus.SUCCEEDED


def we_ended(situation: Situation, launch: str | None) -> bool:
    """A launch with a tombstone, or whose cancel we sent and died before we knew of its end."""
    intent = situation.intent.intent if situation.intent else None
    cut_off = intent is not None and intent.verb == "cancel" and intent.launch == launch
    return launch in situation.tombstones or cut_off


def adopt(situation: Situation, seen: SeenJob, job: RemoteJob, *, verb: str, reason: Reason, origin: Origin) -> Change:
    """Take a job that is there already as the address's own; what else is active in its place is cancelled."""
    want = situation.want
    assert want is not None
    cancels = active_jobs(situation, seen, keep=job.id)
    attempt = max(attempt_of(job.metadata.get(LAUNCH_KEY, "")), 1)
    looked_at = current_job(want, situation.entry, seen)
    progress = seen.progress if looked_at is not None and looked_at.id == job.id else NO_PROGRESS
    entry = Entry(
        fingerprint=want.fingerprint,
        inputs=want.inputs,
        id=job.id,
        origin=origin,
        attempt=attempt,
        resolved=resolved_values(job) | let_stand(situation, job),
        history=with_run(_history(situation, seen), job, want.inputs, progress, situation.resources),
    )
    step, there = AdoptStep(entry, cancels), f"{job.id} is {job.status} there already"
    run: Run = want.spec.run
    if job.status.ended or run is Run.RUNNING:
        return situation.change(Action.ADOPT, verb, reason, there, hazards=_cancelling(cancels), step=step)
    stop, then = _stopping(seen, job, run)
    risks = _cancelling((*cancels, *(stop.jobs if isinstance(stop, CancelStep) else ())))
    return situation.change(
        Action.ADOPT, verb, reason, f"{there}; {then}", hazards=risks, step=AdoptToStopStep(step, stop)
    )


def _stopping(seen: SeenJob, job: RemoteJob, run: Run) -> tuple[PauseStep | CancelStep | None, str]:
    """How an adopted job comes to stand still, as far as that can be done at once, and what is said of it."""
    if run is Run.CANCELLED and job.status not in (JobStatus.PAUSING, JobStatus.UNKNOWN):
        return CancelStep((job,)), "it is cancelled then"
    if run is Run.PAUSED and job.status is JobStatus.RUNNING and job.id in seen.begun:
        return PauseStep((job.id,)), "it is paused then"
    if run is Run.PAUSED and job.status in (JobStatus.PAUSED, JobStatus.PAUSING):
        return None, "it stays so"
    return None, f"run: {run} is for a later apply"


def _cancelling(jobs: Sequence[RemoteJob]) -> tuple[HazardOf, ...]:
    return tuple(HazardOf(Hazard.CANCEL_ACTIVE, f"cancels {job.id}, which is {job.status}") for job in jobs)


def launch(situation: Situation, seen: SeenJob, reason: Reason, detail: str) -> Change:
    """CREATE where nothing was, REPLACE beside what is there; always a new attempt, never an old slot."""
    want, entry = situation.want, situation.entry
    assert want is not None
    spec: JobSpec = want.spec
    if entry is not None and spec.lifecycle.prevent_replace:
        return situation.change(
            Action.HOLD,
            "hold",
            Reason.PREVENTED,
            "lifecycle.prevent_replace is set",
            fields=_changed(entry, want),
        )
    buried = max((attempt_of(t) for t in situation.tombstones if t.startswith(want.fingerprint)), default=0)
    # An edit that is let stand is no other launch: the attempts go on counting where it was failed at before.
    own = entry.attempt if entry is not None and same_launch(want, entry) else 0
    if (doubted := hold_for_active(situation, seen) or hold_for_nameless(situation, seen)) is not None:
        return doubted
    cancels = active_jobs(situation, seen)
    attempt = max(attempts(seen.slot), seen.taken, buried, own) + 1
    hazards = [HazardOf(Hazard.SPEND, "starts a paid run")] if situation.scope.profile.paid else []
    hazards += _cancelling(cancels)
    return situation.change(
        Action.CREATE if entry is None else Action.REPLACE,
        "launch" if entry is None else "relaunch",
        reason,
        detail,
        fields=_changed(entry, want) if entry is not None else (),
        hazards=tuple(hazards),
        needs=tuple(ref.address for ref in want.refs),
        step=LaunchStep(attempt, cancels, _history(situation, seen), frozenset(job.id for job in seen.nameless)),
        attempt=attempt,
    )


def _history(situation: Situation, seen: SeenJob) -> tuple[JsonObject, ...]:
    """The runs that the lock knows of this address, with the one that it did not see end."""
    entry = situation.entry
    if entry is None:
        return ()
    if seen.mine is None:
        return entry.history
    return with_run(entry.history, seen.mine, entry.inputs, seen.ended, situation.resources)


def _changed(entry: Entry, want: Resource) -> tuple[FieldChange, ...]:
    return edits(entry, want)


def after_failure(situation: Situation, seen: SeenJob, job: RemoteJob, *, ours: bool) -> Change:
    """The newest launch failed or was cancelled: again only after our own cancel, or with `retry`."""
    assert situation.want is not None
    spec: JobSpec = situation.want.spec
    if ours:
        return launch(situation, seen, Reason.AFTER_OUR_CANCEL, f"{job.id} was cancelled from here")
    if by_hand(situation.entry, job):
        return situation.change(Action.HOLD, "hold", Reason.CANCELLED_BY_HAND, f"{job.id} was cancelled from here")
    launched = max(attempts(seen.slot), situation.entry.attempt if situation.entry else 0, 1)
    if spec.run is Run.RUNNING and spec.retry is not None and launched < spec.retry.attempts:
        return launch(
            situation,
            seen,
            Reason.RETRY,
            f"{job.id} {_said(job)}; launch {launched + 1} of {spec.retry.attempts}",
        )
    reason = Reason.JOB_FAILED if job.status is JobStatus.FAILED else Reason.CANCELLED_ELSEWHERE
    return situation.change(Action.HOLD, "hold", reason, f"{job.id} {_said(job)}")


def by_hand(entry: Entry | None, job: RemoteJob) -> bool:
    """Whether `rftplan cancel` ended it, for a person said so: no tombstone, which would launch it again."""
    known = entry is not None and entry.id == job.id and entry.resolved.get(CANCELLED_BY) == "us"
    return known and job.status is JobStatus.CANCELLED


def _said(job: RemoteJob) -> str:
    if job.status is JobStatus.CANCELLED:
        return "was cancelled by somebody else"
    if job.error is None:
        return "failed, and the service does not say why"
    code = f" ({job.error.code})" if job.error.code else ""
    return f"failed: {job.error.message}{code}"


def pause(situation: Situation, seen: SeenJob, jobs: Sequence[RemoteJob]) -> Change:
    """Pause them, each once it has taken a step: before that the service has nothing to resume from."""
    ready = [job for job in jobs if job.status is JobStatus.RUNNING and job.id in seen.begun]
    if not ready:
        return pause_later(situation, jobs)
    early = ", ".join(job.id for job in jobs if job not in ready)
    detail = ", ".join(f"{job.id} is {job.status}" for job in ready) + (
        f"; {early} has no step yet to pause at, trains on, and is paused by a later apply" if early else ""
    )
    step = PauseStep(tuple(job.id for job in ready))
    return situation.change(Action.UPDATE, "pause", Reason.RUN_STATE_DIFFERS, detail, step=step)


def pause_later(situation: Situation, jobs: Sequence[RemoteJob]) -> Change:
    """They train on for now: `apply --wait` pauses them after the first step, or the apply that comes after it."""
    states = ", ".join(f"{job.id} is {job.status}" for job in jobs)
    return situation.change(
        Action.DEFER,
        "wait",
        Reason.BEFORE_FIRST_STEP,
        f"{states}, and trains on until then",
        then=("pause",),
        step=AwaitPauseStep(tuple(job.id for job in jobs), situation.entry.id if situation.entry else None),
    )


def cancel(situation: Situation, jobs: Sequence[RemoteJob], reason: Reason, detail: str, **rest: Any) -> Change:
    """Cancel these, each a hazard of its own."""
    return situation.change(
        Action.UPDATE,
        "cancel",
        reason,
        detail,
        hazards=_cancelling(jobs),
        step=CancelStep(tuple(jobs), **rest),
    )
