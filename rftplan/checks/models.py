"""Rules about what closes: base models, graders' models, the platform itself. Pure; the dates are the profile's, or the
service's own where it was asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rftplan.address import Address
from rftplan.api.profiles import Capability
from rftplan.api.profiles.life import Closing
from rftplan.checks.preflight import Method, Preflight, Written, grader_of, method_of, scorers
from rftplan.codes import Code, error, finding, info, warning
from rftplan.config import Declared
from rftplan.errors import Diagnostic
from rftplan.kinds.grader import ScoreModel
from rftplan.kinds.job.spec import Run

BASE_GONE: Final = error("M101", "Base model is shut down")
GRADER_GONE: Final = error("M102", "Model of a grader is shut down")
BASE_CLOSING: Final = warning("M103", "Base model shuts down soon")
GRADER_CLOSING: Final = warning("M104", "Model of a grader shuts down soon")
NO_JOBS: Final = error("M105", "Provider takes no new jobs any more")
NO_JOBS_SOON: Final = warning("M106", "Provider takes new jobs only for a short time")
FEW_JOBS: Final = info("M107", "Provider takes new jobs of some organisations only")
TRAINED_GONE: Final = warning("M108", "Base model of a launched job is shut down")
UNKNOWN_MODEL: Final = warning("M109", "Service does not have the model")
PROMOTED_GONE: Final = warning("M110", "Promoted model does not answer any more")
PROMOTED_CLOSING: Final = warning("M111", "Promoted model shuts down soon")


def closing_of(preflight: Preflight, model: str) -> Closing | None:
    """When a model, or the base of a fine-tuned one, shuts down: the service's own word before that of the table."""
    life, told = preflight.profile.life, preflight.told
    names = [model, *([life.snapshot(model)] if life else [])]
    if told is not None:
        days = [told.shutdowns[name] for name in names if name in told.shutdowns]
        if days:
            return Closing(min(days), f"provider {preflight.profile.type} says so")
    return life.closing(model) if life else None


def is_gone(preflight: Preflight, model: str) -> bool:
    """Whether it is shut down already."""
    closing = closing_of(preflight, model)
    return closing is not None and closing.days_from(preflight.today) <= 0


def base_model(preflight: Preflight) -> Iterable[Diagnostic]:
    """The model that a job trains: gone, or about to go, and with it what was trained from it."""
    for job in preflight.of_kind("job"):
        closing = closing_of(preflight, job.spec.model)
        if not _concerns(preflight, job):
            continue
        left = closing.days_from(preflight.today) if closing else None
        if closing and left is not None and left <= 0:
            yield _base_gone(preflight, job, closing)
        elif closing and left is not None and left <= preflight.config.policy.shutdown_days:
            when = f"{closing}, {_soon(preflight, left)}"
            detail = f"{job.spec.model} shuts down on {when}, and what was trained from it with it"
            yield _about(job, BASE_CLOSING, detail, instead_of(preflight, job))
        elif _is_missing(preflight, job.spec.model) and job.address not in preflight.launched:
            yield _about(job, UNKNOWN_MODEL, _unknown(preflight, job.spec.model), _CHECK_NAME)


def _concerns(preflight: Preflight, job: Declared) -> bool:
    """Whether the job will be launched, or was: what is kept from running needs no model."""
    return job.spec.run is Run.RUNNING or job.address in preflight.launched


_CHECK_NAME: Final = "check the name, and that the key's project may use this model"


def _is_missing(preflight: Preflight, model: str) -> bool:
    return preflight.told is not None and model in preflight.told.missing


def _unknown(preflight: Preflight, model: str) -> str:
    return f"provider {preflight.profile.type} has no {model}, or none that this key may use"


def _base_gone(preflight: Preflight, job: Declared, closing: Closing) -> Diagnostic:
    detail = f"{job.spec.model} was shut down on {closing}"
    if job.address in preflight.launched:
        detail += ": the job cannot be launched again, and what it trained does not answer any more"
        return _about(job, TRAINED_GONE, detail, instead_of(preflight, job))
    return _about(job, BASE_GONE, f"{detail}, so the service refuses the job", instead_of(preflight, job))


def instead_of(preflight: Preflight, job: Declared) -> str:
    """What to do where no model is left for a job."""
    life = preflight.profile.life
    if life is not None and method_of(job) is Method.REINFORCEMENT:
        return (
            f"reinforcement fine-tuning goes on at {life.elsewhere}, which rftplan cannot talk to yet; "
            "provider: local rehearses the run"
        )
    return _still_there(preflight)


def grader_model(preflight: Preflight) -> Iterable[Diagnostic]:
    """The model that answers for a grader: without it every row is graded 0."""
    if preflight.profile.can(Capability.ANY_MODEL):
        return
    for where, scorer in judged(preflight):
        closing = closing_of(preflight, scorer.model)
        left = closing.days_from(preflight.today) if closing else None
        if left is not None and left <= 0:
            detail = f"{scorer.model} was shut down on {closing}: every row would be an error and reward 0"
            yield where.finding(GRADER_GONE, detail, "model", hint=_still_there(preflight))
        elif left is not None and left <= preflight.config.policy.shutdown_days:
            when = f"{closing}, {_soon(preflight, left)}"
            detail = f"{scorer.model} shuts down on {when}; a run that goes on then learns nothing"
            yield where.finding(GRADER_CLOSING, detail, "model", hint=_still_there(preflight))
        elif _is_missing(preflight, scorer.model):
            yield where.finding(UNKNOWN_MODEL, _unknown(preflight, scorer.model), "model", hint=_CHECK_NAME)


def promoted_model(preflight: Preflight) -> Iterable[Diagnostic]:
    """The model that a deployment points at. That its base closes is said of the job."""
    told = preflight.told
    said = set(_bases_that_close(preflight))
    for name, model in sorted(told.promoted.items()) if told else ():
        if _base(preflight, model) in said:
            continue
        declared = preflight.config.declared.get(Address("deployment", name))
        place, address = declared.place if declared else None, f"deployment.{name}"
        day = told.shutdowns.get(model) if told else None
        left = (day - preflight.today).days if day else None
        if _is_missing(preflight, model) or (left is not None and left <= 0):
            detail = f"whoever asks {model} gets an error: " + (
                f"it was shut down on {day}" if day else f"provider {preflight.profile.type} does not have it any more"
            )
            hint = "promote another checkpoint: rftplan plan says what it would take"
            yield finding(PROMOTED_GONE, detail, place=place, address=address, hint=hint)
        elif left is not None and left <= preflight.config.policy.shutdown_days:
            detail = f"{model} shuts down on {day}, {_soon(preflight, left)}"
            hint = "promote a model on another base before"
            yield finding(PROMOTED_CLOSING, detail, place=place, address=address, hint=hint)


def judged(preflight: Preflight) -> Iterator[tuple[Written, ScoreModel]]:
    """The score models of jobs that are still to be launched, each once."""
    done: set[str] = set()
    for job in to_launch(preflight):
        used = grader_of(preflight, job)
        for where, scorer in scorers(*used) if used else ():
            if isinstance(scorer, ScoreModel) and where.of not in done:
                done.add(where.of)
                yield where, scorer


def platform(preflight: Preflight) -> Iterable[Diagnostic]:
    """Whether a new job is taken at all, said once for all jobs that are still to be launched."""
    life = preflight.profile.life
    if life is None or not any(to_launch(preflight)):
        return
    left = life.no_jobs.days_from(preflight.today)
    name = preflight.profile.type
    waiting = f"{_named([str(job.address) for job in to_launch(preflight)])} would still be launched"
    hint = f"it goes on at {life.elsewhere}, which rftplan cannot talk to yet; provider: local rehearses a run"
    place = preflight.config.provider_place
    if left <= 0:
        detail = f"provider {name} takes no new fine-tuning job since {life.no_jobs}: {waiting}"
        yield finding(NO_JOBS, detail, place=place, hint=hint)
        return
    if left <= preflight.config.policy.shutdown_days:
        detail = f"provider {name} takes new fine-tuning jobs until {life.no_jobs}, {_soon(preflight, left)}: {waiting}"
        yield finding(NO_JOBS_SOON, detail, place=place, hint=hint)
    possible = not all(is_gone(preflight, job.spec.model) for job in to_launch(preflight))
    if possible and life.few_jobs.days_from(preflight.today) <= 0:
        detail = (
            f"since {life.few_jobs} provider {name} takes jobs only of organisations that used a fine-tuned model in "
            "the 60 days before; it refuses others with training_not_available, after their files were uploaded"
        )
        yield finding(FEW_JOBS, detail, place=place, hint="ask the owner of the organisation before the first launch")


def to_launch(preflight: Preflight) -> Iterator[Declared]:
    for job in preflight.of_kind("job"):
        if job.spec.run is Run.RUNNING and job.address not in preflight.launched:
            yield job


def _base(preflight: Preflight, model: str) -> str:
    return preflight.profile.life.snapshot(model) if preflight.profile.life else model


def _bases_that_close(preflight: Preflight) -> Iterator[str]:
    """The base models of launched jobs of which something is said already."""
    for job in preflight.of_kind("job"):
        closing = closing_of(preflight, job.spec.model) if job.address in preflight.launched else None
        if closing and closing.days_from(preflight.today) <= preflight.config.policy.shutdown_days:
            yield _base(preflight, job.spec.model)


def _still_there(preflight: Preflight) -> str:
    life = preflight.profile.life
    left = life.left(preflight.today) if life else []
    if life is None or not left:
        return "name a model that is still there"
    until = life.models[left[0]].on
    return f"still there, until {until.isoformat()}: {', '.join(m for m in left if life.models[m].on == until)}"


def _about(job: Declared, code: Code, detail: str, hint: str) -> Diagnostic:
    return finding(code, detail, place=job.where(("model",)), address=str(job.address), hint=hint)


def _soon(preflight: Preflight, left: int) -> str:
    """In so many days; and the window that the specs set, for whoever asks why it is said."""
    policy = preflight.config.policy
    said = "shutdown_days" in policy.model_fields_set
    return f"in {_days(left)}" + (f", within policy.shutdown_days: {policy.shutdown_days}" if said else "")


def _named(addresses: Sequence[str]) -> str:
    few, more = addresses[:_MOST_NAMES], len(addresses) - _MOST_NAMES
    return ", ".join(few) + (f" and {more} more" if more > 0 else "")


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


_MOST_NAMES: Final = 5

RULES: Final = (base_model, grader_model, promoted_model, platform)
PROBES: Final = ()
