"""The table of DESIGN §3: a job whose fingerprint did not change, one line a status. Pure."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from rftplan.api.port import JobStatus, RemoteJob
from rftplan.canonical import Json
from rftplan.changes import Action, Change, Hazard, HazardOf, Reason
from rftplan.kinds.base import Situation
from rftplan.kinds.job.kept import of_launch, resolved_values
from rftplan.kinds.job.launch import launch_of
from rftplan.kinds.job.observe import SeenJob
from rftplan.kinds.job.remedies import after_failure, cancel, pause, pause_later, we_ended
from rftplan.kinds.job.spec import Run
from rftplan.kinds.job.steps import FollowStep, RecordedFollowStep, ResumeStep
from rftplan.kinds.job.whose_pause import went_on
from rftplan.kinds.steps import RecordStep
from rftplan.lockfile import RELEASED, Entry


def by_status(situation: Situation, seen: SeenJob, job: RemoteJob, entry: Entry, run: Run) -> Change:
    """The table itself, one line a status."""
    match job.status:
        case JobStatus.VALIDATING_FILES | JobStatus.QUEUED | JobStatus.PENDING | JobStatus.RESUMING:
            return _starting(situation, job, entry, run)
        case JobStatus.RUNNING:
            return _running(situation, seen, job, entry, run)
        case JobStatus.PAUSING:
            return situation.change(Action.DEFER, "wait", Reason.CHANGING_STATE, f"{job.id} is pausing")
        case JobStatus.PAUSED:
            return _paused(situation, seen, job, entry, run)
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


def _starting(situation: Situation, job: RemoteJob, entry: Entry, run: Run) -> Change:
    match run:
        case Run.RUNNING:
            step = _follow(entry, job)
            return situation.change(Action.NOOP, "keep", Reason.RUNNING, f"{job.id} is {job.status}", step=step)
        case Run.PAUSED:
            return pause_later(situation, (job,))
        case Run.CANCELLED:
            return cancel(situation, (job,), Reason.RUN_STATE_DIFFERS, "run: cancelled")
        case _:
            assert_never(run)


def _follow(entry: Entry, job: RemoteJob) -> FollowStep | RecordedFollowStep:
    if "paused_by" not in entry.resolved:
        return FollowStep()
    return RecordedFollowStep(replace(entry, resolved=resolved_values(job) | of_launch(entry)))


def _running(situation: Situation, seen: SeenJob, job: RemoteJob, entry: Entry, run: Run) -> Change:
    match run:
        case Run.RUNNING:
            step = _follow(entry, job)
            return situation.change(Action.NOOP, "keep", Reason.RUNNING, f"{job.id} is running", step=step)
        case Run.PAUSED:
            return pause(situation, seen, (job,))
        case Run.CANCELLED:
            return cancel(situation, (job,), Reason.RUN_STATE_DIFFERS, "run: cancelled")
        case _:
            assert_never(run)


def _paused(situation: Situation, seen: SeenJob, job: RemoteJob, entry: Entry, run: Run) -> Change:
    since = went_on(entry, seen.progress)
    match run:
        case Run.PAUSED:
            ours = replace(entry, resolved={**resolved_values(job), **of_launch(entry), "paused_by": "us"})
            step = RecordStep(ours) if _pause_was_cut_off(situation) else None
            return situation.change(Action.NOOP, "keep", Reason.MATCHES, f"{job.id} is paused", step=step)
        case Run.CANCELLED:
            return cancel(situation, (job,), Reason.RUN_STATE_DIFFERS, "run: cancelled")
        case Run.RUNNING:
            by = entry.resolved.get("paused_by")
            known = by in ("us", RELEASED) and not since
            if not known and not _pause_was_cut_off(situation):
                whose = since or "was paused by somebody else"
                return situation.change(Action.HOLD, "hold", Reason.PAUSED_ELSEWHERE, f"{job.id} {whose}")
            return _resume(situation, job, by)
        case _:
            assert_never(run)


def _resume(situation: Situation, job: RemoteJob, by: Json) -> Change:
    """Go on with what was paused from here, or by somebody else and released by a person (`by`)."""
    risks = [HazardOf(Hazard.SPEND, f"resumes {job.id}, which is paid")] if situation.scope.profile.paid else []
    detail = f"{job.id} was paused from here"
    if by == RELEASED:
        detail = f"{job.id} was paused by somebody else, and a person released it"
        risks.append(HazardOf(Hazard.RESUME_AFTER_SERVICE_PAUSE, f"resumes {job.id}, which was not paused from here"))
    return situation.change(
        Action.UPDATE,
        "resume",
        Reason.RUN_STATE_DIFFERS,
        detail,
        hazards=tuple(risks),
        step=ResumeStep(job.id),
    )


def _pause_was_cut_off(situation: Situation) -> bool:
    """We sent a pause and lost its reply; a job that is paused now was paused by it."""
    return situation.intent is not None and situation.intent.intent.verb == "pause"


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
    ours = job.status is JobStatus.CANCELLED and we_ended(situation, _launched_as_recorded(situation))
    match run:
        case Run.CANCELLED:
            return situation.change(Action.NOOP, "keep", Reason.MATCHES, f"{job.id} is {job.status}")
        case Run.PAUSED if ours:
            return situation.change(Action.NOOP, "keep", Reason.RUN_STATE_HELD_BACK, "run: paused")
        case Run.PAUSED | Run.RUNNING:
            return after_failure(situation, seen, job, ours=ours)
        case _:
            assert_never(run)


def _launched_as_recorded(situation: Situation) -> str:
    entry = situation.entry
    return launch_of(entry.fingerprint, entry.attempt) if entry else ""
