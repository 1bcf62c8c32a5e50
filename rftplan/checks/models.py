"""Rules about what closes: base models, graders' models, the platform itself. Pure; the dates are the profile's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rftplan.api.profiles.life import Closing, LifeTable
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


def base_model(preflight: Preflight) -> Iterable[Diagnostic]:
    """The model that a job trains: gone, or about to go, and with it what was trained from it."""
    life = preflight.profile.life
    for job in preflight.of_kind("job") if life else ():
        closing = life.closing(job.spec.model) if life else None
        if life is None or closing is None or not _concerns(preflight, job):
            continue
        left = closing.days_from(preflight.today)
        if left <= 0:
            yield _base_gone(preflight, life, job, closing)
        elif left <= preflight.config.policy.shutdown_days:
            detail = f"{job.spec.model} shuts down on {closing}, in {_days(left)}, and what was trained from it with it"
            yield _about(job, BASE_CLOSING, detail, _instead(preflight, life, job))


def _concerns(preflight: Preflight, job: Declared) -> bool:
    """Whether the job will be launched, or was: what is kept from running needs no model."""
    return job.spec.run is Run.RUNNING or job.address in preflight.launched


def _base_gone(preflight: Preflight, life: LifeTable, job: Declared, closing: Closing) -> Diagnostic:
    detail = f"{job.spec.model} was shut down on {closing}"
    if job.address in preflight.launched:
        detail += ": the job cannot be launched again, and what it trained does not answer any more"
        return _about(job, TRAINED_GONE, detail, _instead(preflight, life, job))
    return _about(job, BASE_GONE, f"{detail}, so the service refuses the job", _instead(preflight, life, job))


def _instead(preflight: Preflight, life: LifeTable, job: Declared) -> str:
    if method_of(job) is Method.REINFORCEMENT:
        return (
            f"reinforcement fine-tuning goes on at {life.elsewhere}, which rftplan cannot talk to yet; "
            "provider: local rehearses the run"
        )
    return _still_there(preflight, life)


def grader_model(preflight: Preflight) -> Iterable[Diagnostic]:
    """The model that answers for a grader: without it every row is graded 0."""
    life = preflight.profile.life
    for where, scorer in _judged(preflight) if life else ():
        closing = life.closing(scorer.model) if life else None
        if life is None or closing is None:
            continue
        left = closing.days_from(preflight.today)
        if left <= 0:
            detail = f"{scorer.model} was shut down on {closing}: every row would be an error and reward 0"
            yield where.finding(GRADER_GONE, detail, "model", hint=_still_there(preflight, life))
        elif left <= preflight.config.policy.shutdown_days:
            detail = f"{scorer.model} shuts down on {closing}, in {_days(left)}; a run that goes on then learns nothing"
            yield where.finding(GRADER_CLOSING, detail, "model", hint=_still_there(preflight, life))


def _judged(preflight: Preflight) -> Iterator[tuple[Written, ScoreModel]]:
    """The score models of jobs that are still to be launched, each once."""
    done: set[str] = set()
    for job in _to_launch(preflight):
        used = grader_of(preflight, job)
        for where, scorer in scorers(*used) if used else ():
            if isinstance(scorer, ScoreModel) and where.of not in done:
                done.add(where.of)
                yield where, scorer


def platform(preflight: Preflight) -> Iterable[Diagnostic]:
    """Whether a new job is taken at all, said once for all jobs that are still to be launched."""
    life = preflight.profile.life
    if life is None or not any(_to_launch(preflight)):
        return
    left = life.no_jobs.days_from(preflight.today)
    name = preflight.profile.type
    hint = f"it goes on at {life.elsewhere}, which rftplan cannot talk to yet; provider: local rehearses a run"
    place = preflight.config.provider_place
    if left <= 0:
        detail = f"provider {name} takes no new fine-tuning job since {life.no_jobs}"
        yield finding(NO_JOBS, detail, place=place, hint=hint)
        return
    if left <= preflight.config.policy.shutdown_days:
        detail = f"provider {name} takes new fine-tuning jobs until {life.no_jobs}: {_days(left)} are left"
        yield finding(NO_JOBS_SOON, detail, place=place, hint=hint)
    if life.few_jobs.days_from(preflight.today) <= 0:
        detail = (
            f"since {life.few_jobs} provider {name} takes jobs only of organisations that used a fine-tuned model in "
            "the 60 days before; it refuses others with training_not_available, after their files were uploaded"
        )
        yield finding(FEW_JOBS, detail, place=place, hint="ask the owner of the organisation before the first launch")


def _to_launch(preflight: Preflight) -> Iterator[Declared]:
    for job in preflight.of_kind("job"):
        if job.spec.run is Run.RUNNING and job.address not in preflight.launched:
            yield job


def _still_there(preflight: Preflight, life: LifeTable) -> str:
    left = life.left(preflight.today)
    if not left:
        return "name a model that is still there"
    until = life.models[left[0]].on
    return f"still there, until {until.isoformat()}: {', '.join(m for m in left if life.models[m].on == until)}"


def _about(job: Declared, code: Code, detail: str, hint: str) -> Diagnostic:
    return finding(code, detail, place=job.where(("model",)), address=str(job.address), hint=hint)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


RULES: Final = (base_model, grader_model, platform)
PROBES: Final = ()
