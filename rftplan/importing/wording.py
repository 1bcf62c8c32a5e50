"""A job at the service as a spec would say it: what people choose, and nothing that the service filled in. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from rftplan.api.port import JobStatus, RemoteJob
from rftplan.canonical import Json, JsonObject, normal_numbers
from rftplan.kinds import KINDS
from rftplan.kinds.grader import unnamed
from rftplan.kinds.job.hyperparameters import (
    DpoHyperparameters,
    ReinforcementHyperparameters,
    SupervisedHyperparameters,
)
from rftplan.kinds.job.spec import Dpo, Reinforcement, Run, Supervised, Wandb
from rftplan.kinds.spec import file_of

_SETTINGS: Final[Mapping[str, type[SupervisedHyperparameters]]] = {
    Supervised.__name__.lower(): SupervisedHyperparameters,
    Dpo.__name__.lower(): DpoHyperparameters,
    Reinforcement.__name__.lower(): ReinforcementHyperparameters,
}
_VARIABLE: Final = re.compile(r"\$\{var\.")


class UnwritableError(Exception):
    """Something that exists and that no spec can say, with why."""


def grader_of(job: RemoteJob) -> JsonObject | None:
    """The job's grader, without names and what only says the default; None for a method without one."""
    method = job.body.get("method")
    settings = method.get("reinforcement") if isinstance(method, dict) else None
    grader = settings.get("grader") if isinstance(settings, dict) else None
    return _normal(unnamed(_without_nulls(grader))) if isinstance(grader, dict) else None


def job_spec(job: RemoteJob, *, training: Json, validation: Json, grader: str | None) -> JsonObject:
    """`jobs.NAME`. The files and the grader are given as the spec refers to them."""
    spec: JsonObject = {"model": job.model, "training_file": training}
    if validation is not None:
        spec["validation_file"] = validation
    spec |= _method(job.body, grader)
    suffix = job.body.get("user_provided_suffix", job.body.get("suffix"))
    if isinstance(suffix, str) and suffix:
        spec["suffix"] = suffix
    if pairs := {key: value for key, value in sorted(job.metadata.items()) if not key.startswith("rftplan_")}:
        spec["metadata"] = dict(pairs)
    if integrations := _integrations(job.body.get("integrations")):
        spec["integrations"] = integrations
    if (run := _run(job.status)) is not Run.RUNNING:
        spec["run"] = run.value
    return _normal(spec)


def _method(body: JsonObject, grader: str | None) -> JsonObject:
    method = body.get("method")
    if not isinstance(method, dict):
        chosen = _chosen(body.get("hyperparameters"), SupervisedHyperparameters)
        return {"hyperparameters": chosen} if chosen else {}
    kind = str(method.get("type"))
    held = method.get(kind)
    held = held if isinstance(held, dict) else {}
    settings: JsonObject = {"grader": grader} if grader is not None else {}
    shape = held.get("response_format")
    if isinstance(shape, dict) and kind == "reinforcement":
        settings["response_format"] = shape
    if chosen := _chosen(held.get("hyperparameters"), _SETTINGS.get(kind, SupervisedHyperparameters)):
        settings["hyperparameters"] = chosen
    return {"method": {"type": kind, kind: settings} if settings else {"type": kind}}


def _chosen(held: Json, known: type[SupervisedHyperparameters]) -> JsonObject:
    """Values that say something, in the order of the API's own documents."""
    held = held if isinstance(held, dict) else {}
    told = {name: held.get(name) for name in known.model_fields}
    return {name: value for name, value in told.items() if value not in (None, "auto", "default")}


def _integrations(held: Json) -> list[Json]:
    """Without the run that each was given."""
    found: list[Json] = []
    for one in held if isinstance(held, list) else []:
        settings = one.get("wandb") if isinstance(one, dict) else None
        if isinstance(settings, dict):
            said = {name: settings.get(name) for name in Wandb.model_fields}
            found.append({"type": "wandb", "wandb": {name: value for name, value in said.items() if value}})
    return found


def _run(status: JobStatus) -> Run:
    """What leaves the job as it is."""
    match status:
        case JobStatus.PAUSED | JobStatus.PAUSING:
            return Run.PAUSED
        case JobStatus.FAILED | JobStatus.CANCELLED:
            return Run.CANCELLED
        case _:
            return Run.RUNNING


def require_writable(kind: str, spec: JsonObject) -> None:
    """UnwritableError for what the language of the specs has no words for, or would read as something else."""
    for value in _all(spec):
        if file_of(value) is not None:
            raise UnwritableError("it has a mapping that a spec would read as the name of a file")
        if isinstance(value, str) and _VARIABLE.search(value):
            raise UnwritableError("it has a text that a spec would read as a variable")
    adapter: TypeAdapter[Any] = KINDS[kind].adapter
    try:
        adapter.validate_python(spec)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnwritableError(f"{where}: {first['msg']}") from None


def _all(value: Json) -> list[Json]:
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value, *(found for item in inner for found in _all(item))]


def _without_nulls(value: JsonObject) -> JsonObject:
    return {
        key: _without_nulls(item) if isinstance(item, dict) else item for key, item in value.items() if item is not None
    }


def _normal(value: JsonObject) -> JsonObject:
    normal = normal_numbers(value)
    assert isinstance(normal, dict)
    return normal
