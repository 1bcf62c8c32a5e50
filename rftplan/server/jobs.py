"""The routes of jobs. Only the create call trains; all else is read from what is stored and the time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from rftplan.server.asking import learned_by
from rftplan.server.contents import hold, let_go
from rftplan.server.errors import ApiError, not_found, unknown_parameter
from rftplan.server.fields import MOST_PAIRS
from rftplan.server.file_store import FileStore
from rftplan.server.grader_request import uses_judge
from rftplan.server.job_object import job_text
from rftplan.server.job_request import LARGEST_SEED, JobRequest, Method, read_job_request
from rftplan.server.job_store import CommandRefusedError, JobStore
from rftplan.server.lifecycle import Verb
from rftplan.server.models import base_of, trainable_model
from rftplan.server.paging import list_text
from rftplan.server.replies import JsonText
from rftplan.server.requests import read_json, read_page, refuse_query
from rftplan.server.service import ORGANIZATION_NAME, Service, service_of
from rftplan.server.stored_job import NewJob, StoredJob
from rftplan.server.trainer import RefusedRunError

if TYPE_CHECKING:
    from rftplan.server.outcome import DataSource, Outcome

USUAL_PAGE = 20
MOST_LISTED = 1_000
_MODEL_ID_LENGTH = 8
_FILTER = "metadata["


async def create_job(request: Request) -> Response:
    service = service_of(request)
    refuse_query(request)
    wanted = read_job_request(await read_json(request), service.settings.new_id)
    model = trainable_model(service, wanted.model)
    job_id = service.settings.new_id("ftjob-")
    files = [one for one in (wanted.training_file, wanted.validation_file, wanted.candidates) if one is not None]
    _sources(service, wanted)  # what is not there is refused before anything is written
    await run_in_threadpool(hold, service.store, files, holder=job_id)
    try:
        job = await _trained(service, wanted, job_id=job_id, model=model)
        await run_in_threadpool(JobStore(service.store).add, job)
    finally:
        await run_in_threadpool(let_go, service.store, files, holder=job_id)
    return _shown(service, _stored(service, job_id))


async def _trained(service: Service, wanted: JobRequest, *, job_id: str, model: str) -> NewJob:
    from rftplan.server.outcome import decide_outcome

    train, valid, candidates = _sources(service, wanted)
    seed = wanted.seed if wanted.seed is not None else _digest(job_id, "seed") % (LARGEST_SEED + 1)
    try:
        outcome = await run_in_threadpool(
            decide_outcome,
            wanted,
            job_id=job_id,
            model=model,
            seed=seed,
            train=train,
            valid=valid,
            trainer=service.settings.trainer,
            judge=service.settings.sitting_judge(),
            read_grader=service.settings.read_grader,
            start=_start(service, model),
            candidates=candidates,
        )
    except RefusedRunError as error:
        message = f"This service does not simulate such a run: {error}"
        raise ApiError(message, param=error.param, code="invalid_value") from error
    # Created when training is done, so that the clients of a slow trainer see the job's life from its start.
    return _new_job(service, wanted, outcome, job_id=job_id, model=model, seed=seed)


async def list_jobs(request: Request) -> Response:
    service = service_of(request)
    metadata = read_metadata_filter(request)
    others = [name for name in request.query_params if name == "metadata" or name.startswith(_FILTER)]
    page = read_page(request, default=USUAL_PAGE, most=MOST_LISTED, others=others)
    jobs, now = JobStore(service.store), service.now()
    if service.bare and metadata is None:
        metadata = {}  # what nobody is seen to have, everybody lacks
    found = jobs.page(page, metadata=metadata, until=service.horizon())
    if service.bare:
        return _bare_list(service, jobs, found, page.limit, filtered=bool(metadata))
    texts = service.lists.jobs.of_each(found[: page.limit], now, load=jobs.these, say=lambda job: job_text(job, now))
    return JsonText(list_text(texts, more=len(found) > page.limit))


def _bare_list(
    service: Service, jobs: JobStore, found: Sequence[tuple[int, int]], limit: int, *, filtered: bool
) -> Response:
    """As if no job had metadata: what asks for some finds none. Said anew each time, for it is not what stays true."""
    wanted = [] if filtered else [seq for seq, _ in found[:limit]]
    by_seq = {job.seq: job for job in jobs.these(wanted)}
    texts = [job_text(by_seq[seq], service.now(), bare=True) for seq in wanted]
    return JsonText(list_text(texts, more=bool(wanted) and len(found) > limit))


def _shown(service: Service, job: StoredJob) -> Response:
    return JsonText(job_text(job, service.now(), bare=service.bare))


async def get_job(request: Request) -> Response:
    refuse_query(request)
    return _shown(service_of(request), found_job(request))


async def pause_job(request: Request) -> Response:
    return _command(request, Verb.PAUSE)


async def resume_job(request: Request) -> Response:
    return _command(request, Verb.RESUME)


async def cancel_job(request: Request) -> Response:
    return _command(request, Verb.CANCEL)


def found_job(request: Request) -> StoredJob:
    """The job the path names, or the vendor's 404."""
    job_id = request.path_params["job_id"]
    job = JobStore(service_of(request).store).get(job_id)
    if job is None:
        message = f"Could not find fine tune: {job_id}"
        raise not_found(message, param="fine_tune_id", code="fine_tune_not_found")
    return job


def read_metadata_filter(request: Request) -> Mapping[str, str] | None:
    """The pairs every job must have; None asks for jobs whose metadata is null."""
    params = request.query_params.multi_items()
    pairs = {name[len(_FILTER) : -1]: value for name, value in params if name.startswith(_FILTER)}
    for name, value in params:
        if (name.startswith(_FILTER) and not name.endswith("]")) or (name == "metadata" and value != "null"):
            raise ApiError(
                "Invalid 'metadata': filter by 'metadata[key]=value', or by 'metadata=null'.",
                param="metadata",
                code="invalid_value",
            )
    if len(pairs) > MOST_PAIRS:
        raise ApiError(f"Invalid 'metadata': a job has at most {MOST_PAIRS} pairs.", param="metadata")
    if "metadata" not in request.query_params:
        return pairs
    if pairs:
        raise unknown_parameter(f"metadata[{next(iter(pairs))}]")
    return None


def _command(request: Request, verb: Verb) -> Response:
    service = service_of(request)
    refuse_query(request)
    job = found_job(request)
    try:
        job = JobStore(service.store).command(job, verb, service.now())
    except CommandRefusedError as error:
        raise ApiError(f"The fine-tuning job {job.id} cannot be {_DONE[verb]}: {error}.") from error
    return _shown(service, job)


_DONE = {Verb.PAUSE: "paused", Verb.RESUME: "resumed", Verb.CANCEL: "cancelled"}


def _stored(service: Service, job_id: str) -> StoredJob:
    job = JobStore(service.store).get(job_id)
    assert job is not None  # jobs are never deleted
    return job


def _sources(service: Service, wanted: JobRequest) -> tuple[DataSource, DataSource | None, DataSource | None]:
    """Training, validation, candidates; raises ApiError for the first that is not there."""
    train, valid = _source(service, wanted.training_file, param="training_file"), None
    if wanted.validation_file is not None:
        valid = _source(service, wanted.validation_file, param="validation_file")
    return train, valid, _candidates(service, wanted)


def _source(service: Service, file_id: str, *, param: str) -> DataSource:
    from rftplan.server.outcome import DataSource

    files = FileStore(service.store)
    file = files.get(file_id, now=service.now())
    if file is None:
        raise ApiError(f"Invalid '{param}': no such File object: {file_id}", param=param, code="invalid_value")
    return DataSource(file.id, file.purpose, files.content(file.id))


def _candidates(service: Service, wanted: JobRequest) -> DataSource | None:
    if wanted.candidates is None:
        return None
    if not service.settings.trainer.simulated:
        raise ApiError("Invalid 'simulate': nothing is simulated here.", param="simulate", code="invalid_value")
    return _source(service, wanted.candidates, param="simulate.candidates")


def _start(service: Service, model: str) -> Mapping[str, Any] | None:
    """What a fine-tuned model that is trained further has learned; None for a base model."""
    return (learned_by(service, model)[1] or {}) if model.startswith("ft:") else None


def _new_job(service: Service, wanted: JobRequest, outcome: Outcome, *, job_id: str, model: str, seed: int) -> NewJob:
    return NewJob(
        id=job_id,
        created_at=service.now(),
        speed=service.settings.speed,
        request=_request_shape(wanted, job_id=job_id, model=model, seed=seed),
        metadata=wanted.metadata,
        fine_tuned_model=_model_id(model, wanted.suffix, job_id),
        simulation=_simulation(service, wanted),
        steps=outcome.steps,
        hyperparameters=outcome.hyperparameters,
        trained_tokens=outcome.trained_tokens,
        notes=outcome.notes,
        failure=outcome.failure,
        answers=outcome.answers,
    )


def _request_shape(wanted: JobRequest, *, job_id: str, model: str, seed: int) -> dict[str, Any]:
    settings: dict[str, Any] = {"hyperparameters": wanted.hyperparameters}
    if wanted.method is Method.REINFORCEMENT:
        settings |= {"grader": wanted.grader, "response_format": wanted.response_format}
    return {
        "model": model,
        "training_file": wanted.training_file,
        "validation_file": wanted.validation_file,
        "method": {"type": wanted.method.value, wanted.method.value: settings},
        "integrations": [{**one, one["type"]: {**one[one["type"]], "run_id": job_id}} for one in wanted.integrations],
        "seed": seed,
        "user_provided_suffix": wanted.suffix,
    }


def _simulation(service: Service, wanted: JobRequest) -> dict[str, Any] | None:
    trainer, judge = service.settings.trainer, service.settings.sitting_judge()
    if not trainer.simulated:
        return None
    judged = wanted.grader is not None and uses_judge(wanted.grader)
    said = {"trainer": trainer.name, "judge": judge.name if judged else None}
    return said if wanted.candidates is None else {**said, "candidates": wanted.candidates}


def _model_id(model: str, suffix: str | None, job_id: str) -> str:
    """What of the suffix cannot stand in a path becomes a hyphen."""
    named = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in suffix or "")
    own = format(_digest(job_id, "model"), "x")[:_MODEL_ID_LENGTH]
    return f"ft:{base_of(model)}:{ORGANIZATION_NAME}:{named}:{own}"


def _digest(job_id: str, purpose: str) -> int:
    """What the service picks for a job is made from its id, so that it needs no randomness of its own."""
    return int.from_bytes(hashlib.sha256(f"{purpose}:{job_id}".encode()).digest()[:16], "big")
