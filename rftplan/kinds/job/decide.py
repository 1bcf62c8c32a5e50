"""What would make a job match its spec: which launch stands for it, and what then. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from rftplan.api.port import JobStatus, RemoteJob
from rftplan.changes import Action, Change, Reason
from rftplan.kinds.base import Resource, Situation, stands_for
from rftplan.kinds.job.accepted import as_launched, told
from rftplan.kinds.job.cost import priced
from rftplan.kinds.job.deleting import DELETE_MODEL, models_deleted, to_delete
from rftplan.kinds.job.doubt import beside, hold_for_fate, hold_for_nameless
from rftplan.kinds.job.ignored import ignored_edits, ignored_told
from rftplan.kinds.job.kept import resolved_values
from rftplan.kinds.job.launch import ADDRESS_KEY, LAUNCH_KEY, TOKEN_KEY, age, launch_of
from rftplan.kinds.job.observe import SeenJob, deciding, later, same_launch, usable
from rftplan.kinds.job.remedies import (
    active_jobs,
    adopt,
    after_failure,
    cancel,
    hold_for_active,
    hold_for_foreign,
    launch,
    oldest,
    pause,
    we_ended,
)
from rftplan.kinds.job.runs import with_run
from rftplan.kinds.job.spec import JobSpec, Run
from rftplan.kinds.job.steps import ClearStep, FollowStep, RecordedFollowStep
from rftplan.kinds.job.table import by_status
from rftplan.kinds.steps import RecordStep
from rftplan.kinds.twins import twin
from rftplan.lockfile import FORGOTTEN, Entry, Origin


def decide(situation: Situation) -> Change:
    """What would make the job match its spec, and what it would cost; an intent whose fate is known is closed."""
    return _with_closing(situation, priced(situation, _decided(situation)))


def _with_closing(situation: Situation, change: Change) -> Change:
    """A launch that came to nothing, and that nothing follows; a cancel that is seen to have come through, whatever
    follows; anything else once the status has said what there is to say of it."""
    open_, seen = situation.intent, situation.seen
    if open_ is None:
        return change
    intent = open_.intent
    if intent.verb == "cancel" and isinstance(seen, SeenJob) and intent.launch in seen.cancelled:
        return replace(change, closes=intent.number, tombstone=intent.launch)
    waits = change.action.acts or (intent.verb != "launch" and change.action is Action.DEFER)
    waits = waits or change.reason is Reason.FATE_UNKNOWABLE  # until a person has said what became of it
    return change if waits or not open_.settled else replace(change, closes=intent.number)


def _decided(situation: Situation) -> Change:
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
            stays, held = oldest(situation, seen, job)
            reason = Reason.INTENT_RECOVERED
            return held or adopt(situation, seen, stays, verb="recover", reason=reason, origin=Origin.CREATED)
    if (held := hold_for_fate(situation, seen)) is not None:
        return held
    if situation.intent.settled or (seen.maybe and situation.replace):
        return None
    return situation.change(Action.DEFER, "wait", Reason.FATE_UNKNOWN, _MAY_STILL_APPEAR)


_MAY_STILL_APPEAR: Final = (
    "a launch was cut off and may still appear; it is looked up again before anything is repeated"
)


def _other_fingerprint(situation: Situation, seen: SeenJob, want: Resource) -> Change:
    """Nothing of ours stands for what the spec wants."""
    spec: JobSpec = want.spec
    found = usable(seen)
    if spec.run is not Run.RUNNING and len(found) != 1:
        return _keep_from_running(situation, seen, spec.run)
    if situation.replace and spec.run is Run.RUNNING:
        return launch(situation, seen, Reason.ASKED_TO_REPLACE, "")
    if found:
        return _taken(situation, seen, found, _origin(situation))
    if seen.slot:
        newest = max(deciding(seen), key=age)
        return after_failure(situation, seen, newest, ours=_buried(situation, newest))
    if (moved := _looks_moved(situation, seen, want)) is not None:
        said, origin = moved
        detail = f"{said}, which the spec lacks; if it moved, say moved: [{{from: {origin}, to: {situation.address}}}]"
        kept = tuple(address for address in situation.orphans if str(address) == origin)
        return situation.change(Action.HOLD, "hold", Reason.LOOKS_MOVED, detail, needs=kept)
    if situation.entry is None:
        return launch(situation, seen, Reason.NOT_THERE, "")
    return launch(situation, seen, Reason.CONTENT_CHANGED, "")


def _taken(situation: Situation, seen: SeenJob, found: Sequence[RemoteJob], origin: Origin) -> Change:
    """What stands already for what the spec wants."""
    if len(found) > 1:
        return situation.change(Action.HOLD, "hold", Reason.AMBIGUOUS, _ambiguous(found))
    held = hold_for_foreign(situation, found)
    return held or adopt(situation, seen, found[0], verb="adopt", reason=Reason.FOUND_AT_SERVICE, origin=origin)


def _origin(situation: Situation) -> Origin:
    """A lock that knows the address was not lost: what comes back is what it launched before an edit, or before
    it was made to forget."""
    if situation.entry is not None:
        return situation.entry.origin
    return Origin.CREATED if FORGOTTEN in situation.tombstones else Origin.ADOPTED


def _buried(situation: Situation, newest: RemoteJob) -> bool:
    return newest.status is JobStatus.CANCELLED and we_ended(situation, newest.metadata.get(LAUNCH_KEY))


def _ambiguous(found: Sequence[RemoteJob]) -> str:
    """Which they are, and what leaves one of them: what has ended cannot be cancelled any more."""
    ids = ", ".join(job.id for job in found)
    active = ", ".join(job.id for job in found if not job.status.ended)
    ended = sum(job.status.ended for job in found)
    if ended > 1:
        helps = "nothing can be cancelled that would leave one of them"
    else:
        helps = f"cancel {active if ended else 'all of them but one'} at the service"
    return f"{ids} are launches of the same slot; {helps}"


def _looks_moved(situation: Situation, seen: SeenJob, want: Resource) -> tuple[str, str] | None:
    """The same launch under an address that the spec lacks, in the lock or at the service: what, and where."""
    for address, entry in sorted(situation.orphans.items()):
        if address.kind == situation.address.kind and same_launch(want, entry):
            return f"{entry.id} is the same launch under {address}", str(address)
    if seen.elsewhere:
        written = seen.elsewhere[0].metadata.get(ADDRESS_KEY, "")
        return f"{seen.elsewhere[0].id} is the same launch under {written}", written.rpartition("/")[2]
    return None


def _keep_from_running(situation: Situation, seen: SeenJob, run: Run) -> Change:
    """The spec changed and shall not run: stop what runs, launch nothing."""
    active = active_jobs(situation, seen)
    if not active:
        held = hold_for_active(situation, seen)
        return held or situation.change(Action.NOOP, "keep", Reason.RUN_STATE_HELD_BACK, f"run: {run}")
    known = [job for job in active if job.status not in (JobStatus.PAUSING, JobStatus.UNKNOWN)]
    if not known:
        job = active[-1]
        reason = Reason.UNKNOWN_STATUS if job.status is JobStatus.UNKNOWN else Reason.CHANGING_STATE
        return situation.change(Action.DEFER, "wait", reason, f'{job.id} is "{job.raw_status}"')
    if run is Run.CANCELLED:
        return cancel(situation, known, Reason.RUN_STATE_DIFFERS, "run: cancelled")
    going = [job for job in known if job.status is not JobStatus.PAUSED]
    if not going:
        return situation.change(Action.NOOP, "keep", Reason.MATCHES, f"{known[-1].id} is {known[-1].status}")
    return pause(situation, seen, going)


def _same_fingerprint(situation: Situation, seen: SeenJob, want: Resource, entry: Entry) -> Change:
    job = seen.mine
    spec: JobSpec = want.spec
    if found := later(seen, entry):
        return _taken(situation, seen, found, entry.origin)
    if job is None:
        if spec.run is Run.CANCELLED:
            return situation.change(Action.NOOP, "keep", Reason.GONE, f"{entry.id} is not at the service any more")
        return situation.change(Action.HOLD, "hold", Reason.GONE, f"{entry.id} is not at the service any more")
    stays, held = oldest(situation, seen, job)
    if held is not None or stays.id != job.id:
        return held or adopt(situation, seen, stays, verb="adopt", reason=Reason.DUPLICATE, origin=entry.origin)
    if (doubted := beside(situation, seen, job, entry)) is not None:
        return doubted
    change = by_status(situation, seen, job, entry, spec.run)
    stale = active_jobs(situation, seen, keep=job.id)
    if change.action is Action.NOOP and stale:
        twice = any(other.metadata.get(LAUNCH_KEY) == job.metadata.get(LAUNCH_KEY) for other in stale)
        reason = Reason.DUPLICATE if twice else Reason.SUPERSEDED
        cleared = cancel(situation, stale, reason, f"{job.id} stands in their place")
        follows = isinstance(change.step, FollowStep | RecordedFollowStep)
        return replace(cleared, step=ClearStep(stale)) if follows else cleared
    if change.action is Action.NOOP and job.status.ended:
        change = _record_end(situation, seen, job, entry, change)
    if edits := ignored_edits(entry, want):
        return ignored_told(change, edits)
    if change.reason is Reason.MATCHES and not stands_for(as_launched(entry), want) and not stands_for(entry, want):
        return replace(change, reason=Reason.ALIAS_RESOLVED)
    return told(change, entry, want)


def _record_end(situation: Situation, seen: SeenJob, job: RemoteJob, entry: Entry, change: Change) -> Change:
    """Nothing to do, but the lock does not know yet how the job ended, or that we ended it."""
    launched = launch_of(entry.fingerprint, entry.attempt)
    ended_by_us = job.status is JobStatus.CANCELLED and we_ended(situation, launched)
    tombstone = launched if ended_by_us and launched not in situation.tombstones else None
    if entry.resolved.get("status") == job.status.value and tombstone is None:
        return change
    history = with_run(entry.history, job, entry.inputs, seen.progress, situation.resources)
    ended = replace(entry, resolved=resolved_values(job, seen.progress), history=history)
    return replace(change, step=RecordStep(ended, tombstone))


def _cut_off(situation: Situation, seen: SeenJob) -> tuple[RemoteJob, ...]:
    """The launch that was cut off before the lock knew of it, if it is there and active."""
    if situation.intent is None or situation.entry is not None:
        return ()
    token = situation.intent.intent.token
    return tuple(j for j in seen.slot if j.metadata.get(TOKEN_KEY) == token and not j.status.ended)


def _removed(situation: Situation, seen: SeenJob) -> Change:
    if situation.intent is None and (same := twin(situation)) is not None:
        return situation.change(Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC, f"it is {same}, and stays as that")
    active = (*active_jobs(situation, seen), *_cut_off(situation, seen))
    if not active and _may_still_launch(situation):
        return situation.change(Action.DEFER, "wait", Reason.FATE_UNKNOWN, _MAY_STILL_APPEAR)
    if not active and situation.entry is None and (held := hold_for_nameless(situation, seen, active=True)) is not None:
        return held
    if not active and situation.scope.fresh and (held := hold_for_active(situation, seen)) is not None:
        return held
    if not active and seen.mine is None and situation.entry is not None and situation.entry.id is not None:
        gone = f"{situation.entry.id} is not at the service any more"
        return situation.change(Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC, gone)
    if not active:
        ended = "the job has ended; it stays there"
        forgets = situation.change(Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC, ended)
        return models_deleted(situation, seen.made) or forgets
    keeps = to_delete(situation)
    said = "still active; the apply after its end deletes its models" if keeps else "still active"
    change = cancel(situation, active, Reason.REMOVED_FROM_SPEC, said, forget=not keeps)
    return situation.change(
        Action.DELETE, "cancel", change.reason, change.detail, hazards=change.hazards, step=change.step
    )


def _may_still_launch(situation: Situation) -> bool:
    """To delete a model once more does no harm; all else that was cut off is waited for."""
    open_ = situation.intent
    return open_ is not None and not open_.settled and open_.intent.verb != DELETE_MODEL
