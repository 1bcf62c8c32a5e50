"""What would make a job match its spec: which launch stands for it, and what then. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rftplan.api.port import JobStatus, RemoteJob
from rftplan.changes import Action, Change, Reason
from rftplan.kinds.base import RecordStep, Resource, Situation
from rftplan.kinds.job.launch import LAUNCH_KEY, TOKEN_KEY
from rftplan.kinds.job.observe import SeenJob, age, resolved_values, same_launch
from rftplan.kinds.job.remedies import active_jobs, adopt, after_failure, cancel, launch, pause, we_ended
from rftplan.kinds.job.spec import JobSpec, Run
from rftplan.kinds.job.table import by_status
from rftplan.lockfile import Entry, Origin


def decide(situation: Situation) -> Change:
    """What would make the job match its spec."""
    seen = situation.seen if isinstance(situation.seen, SeenJob) else SeenJob()
    if situation.want is None:
        return _removed(situation, seen)
    if situation.intent is not None and (change := _recover(situation, seen, situation.want)) is not None:
        return change
    entry = situation.entry
    if entry is not None and same_launch(situation.want, entry):
        if situation.replace and situation.want.spec.run is Run.RUNNING:
            return launch(situation, seen, Reason.ASKED_TO_REPLACE, "")
        return _same_fingerprint(situation, seen, situation.want, entry)
    return _other_fingerprint(situation, seen, situation.want)


def _recover(situation: Situation, seen: SeenJob, want: Resource) -> Change | None:
    """An effect of unknown fate comes first: find it, wait until a look-up proves something, or go on."""
    assert situation.intent is not None
    intent = situation.intent.intent
    if intent.verb != "launch":
        return None  # a pause, resume or cancel: the status says all that is to know
    for job in (*seen.slot, *seen.others):
        if job.metadata.get(TOKEN_KEY) == intent.token:
            if job not in seen.slot:
                return None  # the spec has moved on since; the job is cancelled as superseded
            return adopt(situation, job, want, "recover", Reason.INTENT_RECOVERED, Origin.CREATED)
    if situation.intent.settled:
        return None
    return situation.change(Action.DEFER, "wait", Reason.FATE_UNKNOWN, _MAY_STILL_APPEAR)


_MAY_STILL_APPEAR: Final = (
    "a launch was cut off and may still appear; it is looked up again before anything is repeated"
)


def _other_fingerprint(situation: Situation, seen: SeenJob, want: Resource) -> Change:
    """Nothing of ours stands for what the spec wants."""
    spec: JobSpec = want.spec
    if spec.run is not Run.RUNNING:
        return _keep_from_running(situation, seen, spec.run)
    usable = [j for j in seen.slot if not j.status.ended or j.status is JobStatus.SUCCEEDED]
    if situation.replace:
        return launch(situation, seen, Reason.ASKED_TO_REPLACE, "")
    if len(usable) > 1:
        ids = ", ".join(job.id for job in usable)
        return situation.change(Action.HOLD, "hold", Reason.AMBIGUOUS, f"{ids} are launches of the same slot")
    if usable:
        return _adopt_or_hold(situation, usable[0], want)
    if seen.slot:
        return after_failure(situation, seen, max(seen.slot, key=age), ours=_buried(situation, seen))
    if seen.elsewhere:
        other = seen.elsewhere[0]
        return situation.change(
            Action.HOLD,
            "hold",
            Reason.LOOKS_MOVED,
            f"{other.id} is the same launch under {other.metadata.get('rftplan_address')}, which the spec lacks",
        )
    if situation.entry is None:
        return launch(situation, seen, Reason.NOT_THERE, "")
    return launch(situation, seen, Reason.CONTENT_CHANGED, "")


def _buried(situation: Situation, seen: SeenJob) -> bool:
    return we_ended(situation, max(seen.slot, key=age).metadata.get(LAUNCH_KEY))


def _adopt_or_hold(situation: Situation, job: RemoteJob, want: Resource) -> Change:
    lineage = job.metadata.get(TOKEN_KEY, "").partition(":")[0]
    if lineage != situation.scope.lineage and not situation.scope.fresh:
        return situation.change(
            Action.HOLD,
            "hold",
            Reason.FOREIGN_LINEAGE,
            f"{job.id} was launched under another lock ({lineage})",
        )
    return adopt(situation, job, want, "adopt", Reason.FOUND_AT_SERVICE, Origin.ADOPTED)


def _keep_from_running(situation: Situation, seen: SeenJob, run: Run) -> Change:
    """The spec changed and shall not run: stop what runs, launch nothing."""
    active = active_jobs(situation, seen)
    if not active:
        return situation.change(Action.NOOP, "keep", Reason.RUN_STATE_HELD_BACK, f"run: {run}")
    if run is Run.CANCELLED:
        return cancel(situation, active, Reason.RUN_STATE_DIFFERS, "run: cancelled")
    job = active[-1]
    if job.status in (JobStatus.PAUSED, JobStatus.PAUSING):
        return situation.change(Action.NOOP, "keep", Reason.MATCHES, f"{job.id} is {job.status}")
    return pause(situation, seen, job)


def _same_fingerprint(situation: Situation, seen: SeenJob, want: Resource, entry: Entry) -> Change:
    job = seen.mine
    spec: JobSpec = want.spec
    if job is None:
        if spec.run is Run.CANCELLED:
            return situation.change(Action.NOOP, "keep", Reason.GONE, f"{entry.id} is not at the service any more")
        return situation.change(Action.HOLD, "hold", Reason.GONE, f"{entry.id} is not at the service any more")
    rivals = [j for j in seen.slot if j.id != job.id and not j.status.ended and _launched_as(j) == _launched_as(job)]
    if rivals:
        ids = ", ".join(j.id for j in rivals)
        return situation.change(Action.HOLD, "hold", Reason.DUPLICATE, f"{ids} runs in the same slot as {job.id}")
    change = by_status(situation, seen, job, entry, spec.run)
    if change.action is Action.NOOP and seen.others:
        return cancel(situation, seen.others, Reason.SUPERSEDED, f"{job.id} stands in their place")
    if change.action is Action.NOOP and job.status.ended:
        change = _record_end(situation, seen, job, entry, change)
    if change.reason is Reason.MATCHES and entry.fingerprint != want.fingerprint:
        return replace(change, reason=Reason.ALIAS_RESOLVED)
    return change


def _launched_as(job: RemoteJob) -> str | None:
    return job.metadata.get(LAUNCH_KEY)


def _record_end(situation: Situation, seen: SeenJob, job: RemoteJob, entry: Entry, change: Change) -> Change:
    """Nothing to do, but the lock does not know yet how the job ended."""
    if entry.resolved.get("status") == job.status.value:
        return change
    values = resolved_values(job, seen.progress)
    ended = Entry(
        entry.fingerprint,
        entry.inputs,
        entry.id,
        entry.origin,
        entry.attempt,
        values,
        entry.holds,
        entry.history,
    )
    return situation.change(change.action, change.verb, change.reason, change.detail, step=RecordStep(ended))


def _cut_off(situation: Situation, seen: SeenJob) -> tuple[RemoteJob, ...]:
    """The launch that was cut off before the lock knew of it, if it is there and active."""
    if situation.intent is None or situation.entry is not None:
        return ()
    token = situation.intent.intent.token
    return tuple(j for j in seen.slot if j.metadata.get(TOKEN_KEY) == token and not j.status.ended)


def _removed(situation: Situation, seen: SeenJob) -> Change:
    active = (*active_jobs(situation, seen), *_cut_off(situation, seen))
    if not active and situation.intent is not None and not situation.intent.settled:
        return situation.change(Action.DEFER, "wait", Reason.FATE_UNKNOWN, _MAY_STILL_APPEAR)
    if not active:
        return situation.change(Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC, "the job has ended; it stays there")
    change = cancel(situation, active, Reason.REMOVED_FROM_SPEC, "still active", forget=True)
    return situation.change(
        Action.DELETE, "cancel", change.reason, change.detail, hazards=change.hazards, step=change.step
    )
