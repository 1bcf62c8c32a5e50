"""What is said and announced of a deployment whose job has not succeeded yet. Pure; judges no checkpoint."""

from __future__ import annotations

from rftplan.api.port import JobStatus, RemoteJob
from rftplan.changes import Action, Change, Hazard, HazardOf, Reason
from rftplan.kinds.base import Situation
from rftplan.kinds.deployment.spec import AwaitStep, SeenDeployment, model_of
from rftplan.kinds.job.steps import AdoptToStopStep, Followed, PauseStep
from rftplan.kinds.steps import PlaceStep

_RUN = "nothing is promoted until it has run to its end"
_LAUNCH = "nothing is promoted until it is launched again"


def waits(situation: Situation, upstream: Change, seen: SeenDeployment) -> Change | None:
    """Not yet, as long as the job has not succeeded; what is live stays live."""
    live = model_of(situation.entry)
    launches = bool(upstream.needs) and upstream.action is not Action.HOLD
    ended = seen.job is not None and seen.job.status is JobStatus.SUCCEEDED
    if ended and not launches and upstream.action is not Action.HOLD and not seen.behind:
        return None
    stays = f"; {live} stays live" if live else ""
    detail = f"{upstream.address} {_how(upstream, seen.job)}{stays}"
    if upstream.action is Action.HOLD or not (launches or isinstance(upstream.step, Followed | PlaceStep)):
        return situation.change(Action.DEFER, "wait", Reason.WAITS_FOR_JOB, detail)
    # Replacing what is live is announced now, because `--wait` does it without asking again.
    assert situation.want is not None
    replaces = live is not None and not situation.want.spec.lifecycle.prevent_replace
    risk = (HazardOf(Hazard.REPLACE_LIVE, f"replaces {live}, which is live, if the gates pass"),) if replaces else ()
    files = sorted({gate.held_out.file for gate in situation.want.spec.gates if gate.held_out is not None})
    if files and situation.scope.profile.paid:
        named = " and ".join(f"file.{file}" for file in files)
        risk = (HazardOf(Hazard.SPEND, f"answers to {named} are sampled once the job has ended"), *risk)
    return situation.change(
        Action.DEFER,
        "wait",
        Reason.WAITS_FOR_JOB,
        detail,
        then=("evaluate", "promote") if files else ("promote",),
        hazards=risk,
        step=AwaitStep(live),
    )


def _how(upstream: Change, job: RemoteJob | None) -> str:
    """What the plan does with the job, or how it stands where the plan leaves it alone."""
    if upstream.action is Action.HOLD:
        return "is held"
    if upstream.reason is Reason.WAITS_FOR_PLACE:
        return "waits for a place itself"
    if upstream.needs:
        return "is launched first"
    if isinstance(upstream.step, AdoptToStopStep) and upstream.step.stop is not None:
        paused = isinstance(upstream.step.stop, PauseStep)
        return f"is paused now; {_RUN}" if paused else f"is cancelled now; {_LAUNCH}"
    match upstream.verb, upstream.reason:
        case "resume", _:
            return "is resumed first"
        case "pause", _:
            return f"is paused now; {_RUN}"
        case "cancel", reason if reason not in (Reason.SUPERSEDED, Reason.DUPLICATE):
            return f"is cancelled now; {_LAUNCH}"
        case _, Reason.BEFORE_FIRST_STEP:
            return f"shall be paused; {_RUN}"
        case _, Reason.FATE_UNKNOWN:
            return "may have been launched, and that is found out first"
        case _:
            return _left_alone(upstream, job)


def _left_alone(upstream: Change, job: RemoteJob | None) -> str:
    if job is None:
        gone = upstream.reason is Reason.GONE
        return f"is not at the service any more; {_LAUNCH}" if gone else "is kept from launching by its run state"
    match job.status:
        case JobStatus.PAUSED:
            return f"is paused; {_RUN}"
        case JobStatus.FAILED:
            return f"failed; {_LAUNCH}"
        case JobStatus.CANCELLED:
            return f"was cancelled; {_LAUNCH}"
        case JobStatus.SUCCEEDED:
            return "succeeded, and its checkpoints are not all listed yet"
        case JobStatus.UNKNOWN:
            return f'is "{job.raw_status}", a status not known here'
        case _:
            return f"is {job.status}"
