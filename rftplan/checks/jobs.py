"""Rules about what a job says to the service: files, hyperparameters, model, integrations, further fields. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rftplan.address import Address
from rftplan.api.profiles import Capability
from rftplan.checks.models import instead_of, is_gone
from rftplan.checks.preflight import Method, Preflight, Role, method_of, recorded_files, uses
from rftplan.codes import Code, error, finding, info, warning
from rftplan.config import Declared
from rftplan.errors import Diagnostic
from rftplan.kinds.job import fields

NO_VALIDATION: Final = error("J101", "Reinforcement without a validation file")
OUT_OF_RANGE: Final = error("J102", "Hyperparameter outside the provider's range")
IGNORED: Final = warning("J103", "Hyperparameters beside the method are ignored")
OTHER_MODEL: Final = warning("J104", "Provider does not name this model for the method")
SHARED_SUFFIX: Final = info("J105", "Several jobs have one suffix")
EMPTY_SETTING: Final = warning("J106", "Setting of an integration is empty")
REFUSED_FIELD: Final = error("J107", "Further field that the service refuses")
MISPLACED_FIELD: Final = warning("J108", "Further field that belongs elsewhere")
SEED_SET: Final = warning("J117", "Seed is set where launches are known by it")
STAYS_HERE: Final = error("J109", "Job needs a file that is never uploaded")


def validation_file(preflight: Preflight) -> Iterable[Diagnostic]:
    """Reinforcement is trained with two files; with one the service refuses the job, after the upload."""
    for job in preflight.of_kind("job"):
        if method_of(job) is Method.REINFORCEMENT and job.spec.validation_file is None:
            detail = "the service refuses the job, and without validation there would be no checkpoints to choose from"
            hint = "add validation_file: with rows that the training file does not have"
            yield _about(job, NO_VALIDATION, detail, "method", "type", hint=hint)


def files_that_stay(preflight: Preflight) -> Iterable[Diagnostic]:
    """What a job starts from has to be at the service; held-out data never is."""
    for use in uses(preflight):
        if use.file.spec.stays_here:
            what = "trains on" if use.role is Role.TRAINING else "validates with"
            detail = f"{use.file.address} has upload: never, and what a job {what} has to be uploaded"
            hint = f"name another file, or take upload: never out of {use.file.address}"
            yield _about(use.job, STAYS_HERE, detail, use.role, hint=hint)
    for job, file in recorded_files(preflight):
        if file.spec.stays_here:
            detail = f"{file.address} has upload: never, and what a simulation draws from has to be at the service"
            hint = f"name another file, or take upload: never out of {file.address}"
            yield _about(job, STAYS_HERE, detail, "simulate", "candidates", hint=hint)


def hyperparameter_range(preflight: Preflight) -> Iterable[Diagnostic]:
    """A value that the API takes and this provider does not."""
    for job in preflight.of_kind("job"):
        method = method_of(job).value
        settings = getattr(job.spec.method, method, None)
        written = settings.hyperparameters.model_dump(exclude_unset=True) if settings else {}
        for name, value in written.items():
            low, high = preflight.profile.ranges.get(f"{method}.{name}", (value, value))
            if not isinstance(value, str) and not low <= value <= high:
                detail = f"{name} is {value:g}; provider {preflight.profile.type} takes {low:g} to {high:g}"
                yield _about(job, OUT_OF_RANGE, detail, "method", method, "hyperparameters", name)


def ignored_hyperparameters(preflight: Preflight) -> Iterable[Diagnostic]:
    """The older place for hyperparameters, beside a method that has its own."""
    for job in preflight.of_kind("job"):
        if job.spec.hyperparameters is not None and job.spec.method is not None:
            detail = "a job with a method takes its hyperparameters from there alone, so these change nothing"
            hint = f"move them to method.{method_of(job)}.hyperparameters"
            yield _about(job, IGNORED, detail, "hyperparameters", hint=hint)


def other_model(preflight: Preflight) -> Iterable[Diagnostic]:
    """A model that the provider does not name for the method: it is probably refused."""
    profile = preflight.profile
    for job in preflight.of_kind("job"):
        method, model = method_of(job), job.spec.model
        known = profile.trains.get(method)
        snapshot = profile.life.snapshot(model) if profile.life else model
        if known is not None and snapshot not in known:
            named = ", ".join(sorted(known))
            detail = f"provider {profile.type} names {named} for {method}, and not {model}"
            left = sorted(one for one in known if not is_gone(preflight, one))
            if len(left) < len(known):
                detail += (
                    f"; of those only {', '.join(left)} can still be trained" if left else "; none of those is left"
                )
            instead = f"otherwise name {' or '.join(left)}" if left else instead_of(preflight, job)
            hint = f"leave it if the provider let you in on this model; {instead}"
            yield _about(job, OTHER_MODEL, detail, "model", hint=hint)


def shared_suffix(preflight: Preflight) -> Iterable[Diagnostic]:
    """Two jobs whose models will be told apart by a random id alone."""
    first: dict[tuple[str, str], Address] = {}
    for job in preflight.of_kind("job"):
        if job.spec.suffix is None:
            continue
        other = first.setdefault((job.spec.model, job.spec.suffix), job.address)
        if other != job.address:
            detail = f"{other} has it too, on the same base model: only a random id tells their models apart"
            yield _about(job, SHARED_SUFFIX, detail, "suffix")


def empty_setting(preflight: Preflight) -> Iterable[Diagnostic]:
    """An empty text for Weights & Biases, which is sent and names nothing."""
    for job in preflight.of_kind("job"):
        for number, integration in enumerate(job.spec.integrations or ()):
            for name, value in integration.wandb.model_dump(exclude_none=True).items():
                if value == "" or (name == "tags" and "" in value):
                    path = ("integrations", number, "wandb", name)
                    yield _about(job, EMPTY_SETTING, f"wandb.{name} is empty", *path, hint="write it, or take it out")


def further_fields(preflight: Preflight) -> Iterable[Diagnostic]:
    """`extra_body` is sent as it is, so a known field in the wrong place is refused or without effect."""
    for job in preflight.of_kind("job"):
        body: Mapping[str, Any] = job.spec.extra_body or {}
        for name in body:
            for code, known in ((REFUSED_FIELD, fields.REFUSED), (MISPLACED_FIELD, fields.MISPLACED)):
                if name in known:
                    said = "is refused by the service" if code is REFUSED_FIELD else "is no field at the top of a job"
                    yield _about(job, code, f"{name} {said}", "extra_body", name, hint=known[name])


def _about(job: Declared, code: Code, detail: str, *path: str | int, hint: str | None = None) -> Diagnostic:
    return finding(code, detail, place=job.where(path), address=str(job.address), hint=hint)


def seed_set(preflight: Preflight) -> Iterable[Diagnostic]:
    """A seed of the specs, where a launch whose answer is lost can be found again by its seed alone."""
    if preflight.profile.can(Capability.METADATA):
        return
    for job in preflight.of_kind("job"):
        if job.spec.seed is not None:
            detail = (
                "this service is not known to keep metadata, so that a launch is found again by its seed; with a seed "
                "of the specs it looks like any other, and where its answer is lost a person has to look"
            )
            yield _about(job, SEED_SET, detail, "seed", hint="take seed: out, unless the run has to be repeatable")


RULES: Final = (
    validation_file,
    files_that_stay,
    hyperparameter_range,
    ignored_hyperparameters,
    other_model,
    shared_suffix,
    empty_setting,
    further_fields,
    seed_set,
)
PROBES: Final = ()
