"""The routes of models: the base models this service knows, and what its jobs made. Answers no prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rftplan.server.checkpoints import Kept, checkpoint_model, kept_checkpoints
from rftplan.server.errors import ApiError, not_found
from rftplan.server.faults import FaultKind, as_glob
from rftplan.server.job_store import JobStore
from rftplan.server.lifecycle import Moment, Status, life_at
from rftplan.server.model_store import ModelStore
from rftplan.server.replies import JsonText
from rftplan.server.requests import refuse_query
from rftplan.server.service import ORGANIZATION, Lists, Service, seconds, service_of
from rftplan.server.store import as_json
from rftplan.server.stored_job import StoredJob
from rftplan.server.validated import Validated

# An alias and the snapshot that it means. A snapshot's date is in its name.
ALIASES = {
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano": "gpt-4.1-nano-2025-04-14",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "o1": "o1-2024-12-17",
    "o3": "o3-2025-04-16",
    "o3-mini": "o3-mini-2025-01-31",
    "o4-mini": "o4-mini-2025-04-16",
}
_BASE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})$")
_CHECKPOINT = re.compile(r"(?P<model>ft:.+):ckpt-step-(?P<step>[1-9][0-9]{0,8})", re.ASCII)


async def list_models(request: Request) -> Response:
    refuse_query(request)
    service = service_of(request)
    base = [as_json(_base_shape(service, name)) for pair in ALIASES.items() for name in pair]
    deleted = _deleted(service)
    made = [text for models in _made(service) for name, text in models if name not in deleted]
    return JsonText(f'{{"object":"list","data":[{",".join([*base, *made])}]}}')


def _made(service: Service) -> list[Sequence[tuple[str, str]]]:
    """By each job, oldest first: the ids of its models, with their texts."""
    jobs = JobStore(service.store)

    def load(seqs: Sequence[int]) -> list[StoredJob]:
        service.validated.of_all(seqs)  # in one read, before each is asked for
        return jobs.these(seqs)

    def say(job: StoredJob) -> list[tuple[str, str]]:
        made = _made_by(service, job, service.validated.of(job.seq))
        return [(shape["id"], as_json(shape)) for shape in made]

    # A model's last day is no part of what stays as it is: it goes with the fault that says it.
    known = Lists().models if list(service.faults.of(FaultKind.RETIRED)) else service.lists.models
    return known.of_each(jobs.versions(), service.now(), load=load, say=say)


async def get_model(request: Request) -> Response:
    refuse_query(request)
    name = request.path_params["model"]
    if name in ALIASES or name in ALIASES.values():
        return JSONResponse(_base_shape(service_of(request), name))
    return JSONResponse(found_model(service_of(request), name))


async def delete_model(request: Request) -> Response:
    service = service_of(request)
    refuse_query(request)
    name = request.path_params["model"]
    if name in ALIASES or name in ALIASES.values():
        raise ApiError(f"The model '{name}' cannot be deleted: it is not a fine-tuned model.", param="model")
    found_model(service, name)
    ModelStore(service.store).delete(name, now=seconds(service.now()))
    return JSONResponse({"id": name, "object": "model", "deleted": True})


def found_model(service: Service, name: str) -> dict[str, Any]:
    """A fine-tuned model or checkpoint that exists now, or the vendor's 404."""
    job = JobStore(service.store).by_model(checkpoint_of(name)[0])
    if job is not None and name not in _deleted(service):
        for shape in _made_by(service, job, service.validated.of(job.seq)):
            if shape["id"] == name:
                return shape
    message = f"The model '{name}' does not exist or you do not have access to it."
    raise not_found(message, param="model", code="model_not_found")


def trainable_model(service: Service, name: str) -> str:
    """The model a job for `name` trains, with its alias resolved; raises ApiError if there is none."""
    try:
        refuse_retired(service, name)
        if name.startswith("ft:"):
            found_model(service, name)
    except ApiError as error:
        raise _not_trainable(name) from error
    if not name.startswith("ft:") and not _BASE_NAME.fullmatch(name):
        raise _not_trainable(name)
    return ALIASES.get(name, name)


def checkpoint_of(name: str) -> tuple[str, int | None]:
    """The fine-tuned model that a name belongs to, and the step of its checkpoint; None for the model itself."""
    found = _CHECKPOINT.fullmatch(name)
    return (found["model"], int(found["step"])) if found else (name, None)


def base_of(model: str) -> str:
    """The base model of a fine-tuned one; a base model is its own."""
    return model.split(":")[1] if model.startswith("ft:") else model


def kept_of(service: Service, job: StoredJob, moment: Moment) -> list[Kept]:
    """The checkpoints a job still has: those it keeps, without those whose models were deleted."""
    kept = kept_checkpoints(service.validated.of(job.seq), job, moment)
    deleted = _deleted(service)
    return [one for one in kept if checkpoint_model(job, one.step, moment) not in deleted]


def _deleted(service: Service) -> frozenset[str]:
    horizon = service.horizon()
    return ModelStore(service.store).deleted(until=None if horizon is None else seconds(horizon))


def _made_by(service: Service, job: StoredJob, validated: Validated) -> Iterator[dict[str, Any]]:
    """The fine-tuned model and the checkpoints that a job has so far, each once, deleted ones included."""
    moment = life_at(job.life, service.now())
    if moment.status is Status.SUCCEEDED:
        yield _made_shape(service, job, job.fine_tuned_model, moment.finished_at or job.life.created_at)
    for kept in kept_checkpoints(validated, job, moment):
        name = checkpoint_model(job, kept.step, moment)
        if name != job.fine_tuned_model:
            yield _made_shape(service, job, name, kept.at)


def _made_shape(service: Service, job: StoredJob, name: str, at: int) -> dict[str, Any]:
    """With our own word on who trained it, as its job has it: none where a trainer simulates nothing."""
    shape = _shape(service, name, created=seconds(at), owner=ORGANIZATION)
    return shape if job.simulation is None else {**shape, "simulation": job.simulation}


def _base_shape(service: Service, name: str) -> dict[str, Any]:
    found = _DATE.search(ALIASES.get(name, name))
    day = date(*(int(part) for part in found.groups())) if found else date(1970, 1, 1)
    created = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return _shape(service, name, created=int(created.timestamp()), owner="system")


def _shape(service: Service, name: str, *, created: int, owner: str) -> dict[str, Any]:
    day = shutdown_day(service, name)
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": owner,
        "shutdown_date": None if day is None else day.isoformat(),
    }


def shutdown_day(service: Service, name: str) -> date | None:
    """When a model ends, by a fault that names it or its base model; today if the fault says no day."""
    retired = list(service.faults.of(FaultKind.RETIRED))
    if not retired:  # as nearly always, and a list asks for each model
        return None
    base = base_of(name)
    names = {name, base, *(word for pair in ALIASES.items() if base in pair for word in pair)}
    for fault in retired:
        if any(fnmatchcase(one, as_glob(fault.model)) for one in names):
            return fault.date or _today(service)
    return None


def refuse_retired(service: Service, name: str) -> None:
    """ApiError if the model is shut down."""
    day = shutdown_day(service, name)
    if day is not None and day <= _today(service):
        raise not_found(f"The model '{name}' has been shut down.", param="model", code="model_not_found")


def _today(service: Service) -> date:
    return datetime.fromtimestamp(seconds(service.now()), UTC).date()


def _not_trainable(name: str) -> ApiError:
    return ApiError(f"Model {name} is not available for fine-tuning or does not exist.", param="model")
