"""The job table of DESIGN §3. Pure: a situation in, a change out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, assert_never

from rftplan.api.port import JobStatus, RemoteJob
from rftplan.changes import Action, Change, FieldChange, Hazard, HazardOf, Reason
from rftplan.diff import diff
from rftplan.kinds.base import RecordStep, Resource, Situation
from rftplan.kinds.job.launch import LAUNCH_KEY, TOKEN_KEY, attempt_of, launch_of
from rftplan.kinds.job.observe import SeenJob, age, attempts, resolved_values, same_launch
from rftplan.kinds.job.spec import JobSpec, Run
from rftplan.lockfile import Entry, Origin


@dataclass(frozen=True, slots=True)
class LaunchStep:
    """Launch into this attempt of the wanted fingerprint; then cancel what it replaces."""

    attempt: int
    cancels: tuple[RemoteJob, ...] = ()


@dataclass(frozen=True, slots=True)
class AdoptStep:
    """Take this job as the address's own, finishing the intent that it answers, if there is one."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class PauseStep:
    job_id: str


@dataclass(frozen=True, slots=True)
class ResumeStep:
    job_id: str


@dataclass(frozen=True, slots=True)
class CancelStep:
    """Cancel these; `forget` drops the entry afterwards."""

    jobs: tuple[RemoteJob, ...]
    forget: bool = False


@dataclass(frozen=True, slots=True)
class FollowStep:
    """Nothing to do; the job runs and `apply --wait` may watch it."""


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
            return _launch(situation, seen, Reason.ASKED_TO_REPLACE, "")
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
            return _adopt(situation, job, want, "recover", Reason.INTENT_RECOVERED, Origin.CREATED)
    if situation.intent.settled:
        return None
    return situation.change(Action.DEFER, "wait", Reason.FATE_UNKNOWN, _MAY_STILL_APPEAR)


_MAY_STILL_APPEAR: Final = (
    "a launch was cut off and may still appear; it is looked up again before anything is repeated"
)


def _adopt(situation: Situation, job: RemoteJob, want: Resource, verb: str, reason: Reason, origin: Origin) -> Change:
    attempt = max(attempt_of(job.metadata.get(LAUNCH_KEY, "")), 1)
    entry = Entry(
        fingerprint=want.fingerprint,
        inputs=want.inputs,
        id=job.id,
        origin=origin,
        attempt=attempt,
        resolved=resolved_values(job),
    )
    return situation.change(
        Action.ADOPT, verb, reason, f"{job.id} is {job.status} there already", step=AdoptStep(entry)
    )


def _other_fingerprint(situation: Situation, seen: SeenJob, want: Resource) -> Change:
    """Nothing of ours stands for what the spec wants."""
    spec: JobSpec = want.spec
    if spec.run is not Run.RUNNING:
        return _keep_from_running(situation, seen, spec.run)
    usable = [j for j in seen.slot if not j.status.ended or j.status is JobStatus.SUCCEEDED]
    if situation.replace:
        return _launch(situation, seen, Reason.ASKED_TO_REPLACE, "")
    if len(usable) > 1:
        ids = ", ".join(job.id for job in usable)
        return situation.change(Action.HOLD, "hold", Reason.AMBIGUOUS, f"{ids} are launches of the same slot")
    if usable:
        return _adopt_or_hold(situation, usable[0], want)
    if seen.slot:
        return _after_failure(situation, seen, max(seen.slot, key=age), ours=_buried(situation, seen))
    if seen.elsewhere:
        other = seen.elsewhere[0]
        return situation.change(
            Action.HOLD,
            "hold",
            Reason.LOOKS_MOVED,
            f"{other.id} is the same launch under {other.metadata.get('rftplan_address')}, which the spec lacks",
        )
    if situation.entry is None:
        return _launch(situation, seen, Reason.NOT_THERE, "")
    return _launch(situation, seen, Reason.CONTENT_CHANGED, "")


def _buried(situation: Situation, seen: SeenJob) -> bool:
    return _we_ended(situation, max(seen.slot, key=age).metadata.get(LAUNCH_KEY))


def _we_ended(situation: Situation, launch: str | None) -> bool:
    """A launch with a tombstone, or whose cancel we sent and died before we knew of its end."""
    intent = situation.intent.intent if situation.intent else None
    cut_off = intent is not None and intent.verb == "cancel" and intent.launch == launch
    return launch in situation.tombstones or cut_off


def _adopt_or_hold(situation: Situation, job: RemoteJob, want: Resource) -> Change:
    lineage = job.metadata.get(TOKEN_KEY, "").partition(":")[0]
    if lineage != situation.scope.lineage and not situation.scope.fresh:
        return situation.change(
            Action.HOLD,
            "hold",
            Reason.FOREIGN_LINEAGE,
            f"{job.id} was launched under another lock ({lineage})",
        )
    return _adopt(situation, job, want, "adopt", Reason.FOUND_AT_SERVICE, Origin.ADOPTED)


def _keep_from_running(situation: Situation, seen: SeenJob, run: Run) -> Change:
    """The spec changed and shall not run: stop what runs, launch nothing."""
    active = _active(situation, seen)
    if not active:
        return situation.change(Action.NOOP, "keep", Reason.RUN_STATE_HELD_BACK, f"run: {run}")
    if run is Run.CANCELLED:
        return _cancel(situation, active, Reason.RUN_STATE_DIFFERS, "run: cancelled")
    job = active[-1]
    if job.status in (JobStatus.PAUSED, JobStatus.PAUSING):
        return situation.change(Action.NOOP, "keep", Reason.MATCHES, f"{job.id} is {job.status}")
    return _pause(situation, seen, job)


def _active(situation: Situation, seen: SeenJob) -> tuple[RemoteJob, ...]:
    """Every active job under this address that the spec does not want, oldest first."""
    jobs = {job.id: job for job in seen.others}
    if seen.mine is not None and not seen.mine.status.ended:
        jobs[seen.mine.id] = seen.mine
    return tuple(sorted(jobs.values(), key=age))


def _launch(situation: Situation, seen: SeenJob, reason: Reason, detail: str) -> Change:
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
    own = entry.attempt if entry is not None and entry.fingerprint == want.fingerprint else 0
    cancels = _active(situation, seen)
    hazards = [HazardOf(Hazard.SPEND, "starts a paid run")] if situation.scope.profile.paid else []
    hazards += [HazardOf(Hazard.CANCEL_ACTIVE, f"cancels {job.id}, which is {job.status}") for job in cancels]
    return situation.change(
        Action.CREATE if entry is None else Action.REPLACE,
        "launch" if entry is None else "relaunch",
        reason,
        detail,
        fields=_changed(entry, want) if entry is not None else (),
        hazards=tuple(hazards),
        needs=tuple(ref.address for ref in want.refs),
        step=LaunchStep(max(attempts(seen.slot), buried, own) + 1, cancels),
    )


def _changed(entry: Entry, want: Resource) -> tuple[FieldChange, ...]:
    return diff(entry.inputs, want.inputs)


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
    change = _by_status(situation, seen, job, entry, spec.run)
    if change.action is Action.NOOP and seen.others:
        return _cancel(situation, seen.others, Reason.SUPERSEDED, f"{job.id} stands in their place")
    if change.action is Action.NOOP and job.status.ended:
        change = _record_end(situation, seen, job, entry, change)
    if change.reason is Reason.MATCHES and entry.fingerprint != want.fingerprint:
        return replace(change, reason=Reason.ALIAS_RESOLVED)
    return change


def _launched_as(job: RemoteJob) -> str | None:
    return job.metadata.get(LAUNCH_KEY)


def _by_status(situation: Situation, seen: SeenJob, job: RemoteJob, entry: Entry, run: Run) -> Change:
    """The table itself, one line a status."""
    match job.status:
        case JobStatus.VALIDATING_FILES | JobStatus.QUEUED | JobStatus.PENDING | JobStatus.RESUMING:
            return _starting(situation, job, run)
        case JobStatus.RUNNING:
            return _running(situation, seen, job, run)
        case JobStatus.PAUSING:
            return situation.change(Action.DEFER, "wait", Reason.CHANGING_STATE, f"{job.id} is pausing")
        case JobStatus.PAUSED:
            return _paused(situation, job, entry, run)
        case JobStatus.SUCCEEDED:
            return _succeeded(situation, seen, job)
        case JobStatus.FAILED | JobStatus.CANCELLED:
            return _ended_badly(situation, seen, job, run)
        case JobStatus.UNKNOWN:
            return situation.change(
                Action.DEFER,
                "wait",
                Reason.UNKNOWN_STATUS,
                f'{job.id} is "{job.raw_status}", a status not known here',
            )
        case _:
            assert_never(job.status)


def _starting(situation: Situation, job: RemoteJob, run: Run) -> Change:
    match run:
        case Run.RUNNING:
            return situation.change(Action.NOOP, "keep", Reason.RUNNING, f"{job.id} is {job.status}", step=FollowStep())
        case Run.PAUSED:
            return situation.change(
                Action.DEFER, "wait", Reason.BEFORE_FIRST_STEP, f"{job.id} is {job.status}", then=("pause",)
            )
        case Run.CANCELLED:
            return _cancel(situation, (job,), Reason.RUN_STATE_DIFFERS, "run: cancelled")
        case _:
            assert_never(run)


def _running(situation: Situation, seen: SeenJob, job: RemoteJob, run: Run) -> Change:
    match run:
        case Run.RUNNING:
            return situation.change(Action.NOOP, "keep", Reason.RUNNING, f"{job.id} is running", step=FollowStep())
        case Run.PAUSED:
            return _pause(situation, seen, job)
        case Run.CANCELLED:
            return _cancel(situation, (job,), Reason.RUN_STATE_DIFFERS, "run: cancelled")
        case _:
            assert_never(run)


def _pause(situation: Situation, seen: SeenJob, job: RemoteJob) -> Change:
    if job.status is not JobStatus.RUNNING or not seen.progress.step:
        return situation.change(
            Action.DEFER,
            "wait",
            Reason.BEFORE_FIRST_STEP,
            f"{job.id} has no step yet to pause at",
            then=("pause",),
        )
    return situation.change(
        Action.UPDATE, "pause", Reason.RUN_STATE_DIFFERS, f"{job.id} is {job.status}", step=PauseStep(job.id)
    )


def _paused(situation: Situation, job: RemoteJob, entry: Entry, run: Run) -> Change:
    match run:
        case Run.PAUSED:
            return situation.change(Action.NOOP, "keep", Reason.MATCHES, f"{job.id} is paused")
        case Run.CANCELLED:
            return _cancel(situation, (job,), Reason.RUN_STATE_DIFFERS, "run: cancelled")
        case Run.RUNNING:
            if entry.resolved.get("paused_by") != "us":
                return situation.change(
                    Action.HOLD, "hold", Reason.PAUSED_ELSEWHERE, f"{job.id} was paused by somebody else"
                )
            spend = (HazardOf(Hazard.SPEND, f"resumes {job.id}, which is paid"),)
            return situation.change(
                Action.UPDATE,
                "resume",
                Reason.RUN_STATE_DIFFERS,
                f"{job.id} was paused from here",
                hazards=spend if situation.scope.profile.paid else (),
                step=ResumeStep(job.id),
            )
        case _:
            assert_never(run)


def _succeeded(situation: Situation, seen: SeenJob, job: RemoteJob) -> Change:
    done, total = _steps(situation, seen)
    if done is not None and total is not None and done < total:
        return situation.change(
            Action.NOOP,
            "keep",
            Reason.PARTIAL,
            f"{job.id} succeeded with {done} of {total} steps: a partial run",
        )
    return situation.change(Action.NOOP, "keep", Reason.MATCHES, f"{job.id} succeeded")


def _steps(situation: Situation, seen: SeenJob) -> tuple[int | None, int | None]:
    if seen.progress.step is not None:
        return seen.progress.step, seen.progress.total_steps
    kept = situation.entry.resolved if situation.entry else {}
    step, total = kept.get("step"), kept.get("total_steps")
    return (step if isinstance(step, int) else None), (total if isinstance(total, int) else None)


def _ended_badly(situation: Situation, seen: SeenJob, job: RemoteJob, run: Run) -> Change:
    ours = _we_ended(situation, _launched_as_recorded(situation))
    match run:
        case Run.CANCELLED:
            return situation.change(Action.NOOP, "keep", Reason.MATCHES, f"{job.id} is {job.status}")
        case Run.PAUSED if ours:
            return situation.change(Action.NOOP, "keep", Reason.RUN_STATE_HELD_BACK, "run: paused")
        case Run.PAUSED | Run.RUNNING:
            return _after_failure(situation, seen, job, ours=ours)
        case _:
            assert_never(run)


def _launched_as_recorded(situation: Situation) -> str:
    entry = situation.entry
    return launch_of(entry.fingerprint, entry.attempt) if entry else ""


def _after_failure(situation: Situation, seen: SeenJob, job: RemoteJob, *, ours: bool) -> Change:
    """The newest launch failed or was cancelled: again only after our own cancel, or with `retry`."""
    assert situation.want is not None
    spec: JobSpec = situation.want.spec
    if ours:
        return _launch(situation, seen, Reason.AFTER_OUR_CANCEL, f"{job.id} was cancelled from here")
    launched = max(attempts(seen.slot), situation.entry.attempt if situation.entry else 0, 1)
    if spec.run is Run.RUNNING and spec.retry is not None and launched < spec.retry.attempts:
        return _launch(
            situation,
            seen,
            Reason.RETRY,
            f"{job.id} {_said(job)}; launch {launched + 1} of {spec.retry.attempts}",
        )
    reason = Reason.JOB_FAILED if job.status is JobStatus.FAILED else Reason.CANCELLED_ELSEWHERE
    return situation.change(Action.HOLD, "hold", reason, f"{job.id} {_said(job)}")


def _said(job: RemoteJob) -> str:
    if job.status is JobStatus.CANCELLED:
        return "was cancelled by somebody else"
    if job.error is None:
        return "failed, and the service does not say why"
    code = f" ({job.error.code})" if job.error.code else ""
    return f"failed: {job.error.message}{code}"


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


def _cancel(situation: Situation, jobs: Sequence[RemoteJob], reason: Reason, detail: str, **rest: Any) -> Change:
    return situation.change(
        Action.UPDATE,
        "cancel",
        reason,
        detail,
        hazards=tuple(HazardOf(Hazard.CANCEL_ACTIVE, f"cancels {j.id}, which is {j.status}") for j in jobs),
        step=CancelStep(tuple(jobs), **rest),
    )


def _cut_off(situation: Situation, seen: SeenJob) -> tuple[RemoteJob, ...]:
    """The launch that was cut off before the lock knew of it, if it is there and active."""
    if situation.intent is None or situation.entry is not None:
        return ()
    token = situation.intent.intent.token
    return tuple(j for j in seen.slot if j.metadata.get(TOKEN_KEY) == token and not j.status.ended)


def _removed(situation: Situation, seen: SeenJob) -> Change:
    active = (*_active(situation, seen), *_cut_off(situation, seen))
    if not active and situation.intent is not None and not situation.intent.settled:
        return situation.change(Action.DEFER, "wait", Reason.FATE_UNKNOWN, _MAY_STILL_APPEAR)
    if not active:
        return situation.change(Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC, "the job has ended; it stays there")
    change = _cancel(situation, active, Reason.REMOVED_FROM_SPEC, "still active", forget=True)
    return situation.change(
        Action.DELETE, "cancel", change.reason, change.detail, hazards=change.hazards, step=change.step
    )
