"""The routes of what a job leaves behind as it goes: events and checkpoints. Reads only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, assert_never

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rftplan.server.checkpoints import checkpoint_model
from rftplan.server.history import Entry, Happening, history
from rftplan.server.job_store import JobStore
from rftplan.server.jobs import found_job
from rftplan.server.lifecycle import Moment, life_at
from rftplan.server.models import kept_of
from rftplan.server.paging import bad_cursor, list_reply_with_ends, list_text
from rftplan.server.replies import JsonText
from rftplan.server.requests import read_page
from rftplan.server.service import seconds, service_of
from rftplan.server.store import as_json
from rftplan.server.stored_job import StoredCheckpoint, StoredJob, StoredStep

USUAL_EVENTS = 20
USUAL_CHECKPOINTS = 10
MOST_LISTED = 1_000
_INDEX_DIGITS = 8


async def list_events(request: Request) -> Response:
    service = service_of(request)
    page = read_page(request, default=USUAL_EVENTS, most=MOST_LISTED)
    job = found_job(request)
    validated = service.validated.of(job.seq).numbers
    before_failure = (Happening.BLOCKED,) if job.failure and job.failure.blocked else ()
    events = history(
        job.life, service.now(), checkpointed=validated, notes=len(job.notes), before_failure=before_failure
    )
    end = len(events) if page.after is None else _index(job, page.after, len(events))
    start = max(0, end - page.limit)
    entries = events.between(start, end)
    steps = JobStore(service.store).steps(job, [one.number for one in entries if one.happening is Happening.STEP])
    prefix = _event_prefix(job)
    texts = [
        _event(job, f"{prefix}{index:0{_INDEX_DIGITS}x}", entry, steps) for index, entry in enumerate(entries, start)
    ]
    return JsonText(list_text(reversed(texts), more=start > 0))


async def list_checkpoints(request: Request) -> Response:
    service = service_of(request)
    page = read_page(request, default=USUAL_CHECKPOINTS, most=MOST_LISTED)
    job = found_job(request)
    moment = life_at(job.life, service.now())
    kept = kept_of(service, job, moment)
    stored = JobStore(service.store).checkpoints(job, [one.step for one in kept])
    shapes = [_checkpoint(job, told, moment, one.at) for told, one in zip(stored, kept, strict=True)]
    start = 0
    if page.after is not None:
        ids = [shape["id"] for shape in shapes]
        if page.after not in ids:
            raise bad_cursor(page.after)
        start = ids.index(page.after) + 1
    data = shapes[start : start + page.limit]
    return JSONResponse(list_reply_with_ends(data, more=start + page.limit < len(shapes)))


def _event(job: StoredJob, event_id: str, entry: Entry, steps: Mapping[int, StoredStep]) -> str:
    """Its JSON text: what is stored as JSON is sent as it is."""
    step = steps.get(entry.number) if entry.happening is Happening.STEP else None
    told = {
        "object": "fine_tuning.job.event",
        "id": event_id,
        "created_at": seconds(entry.at),
        "level": _LEVELS.get(entry.happening, "info"),
        "message": step.message if step else _message(job, entry),
        "type": _TYPES.get(entry.happening, "message"),
    }
    data = step.metrics if step else as_json(_data(job, entry))
    return f'{as_json(told)[:-1]},"data":{data}}}'


def _data(job: StoredJob, entry: Entry) -> dict[str, Any]:
    """Of a message, whose text is the vendor's: that it is of a simulation can only be said beside it."""
    said = _blocked(job) if entry.happening is Happening.BLOCKED else {}
    return said if job.simulation is None else {**said, "simulation": {"trainer": job.simulation["trainer"]}}


_TYPES = {Happening.STEP: "metrics", Happening.BLOCKED: "moderation_checks"}
_LEVELS = {
    Happening.NOTICE: "warn",
    Happening.PAUSING_BY_SERVICE: "warn",
    Happening.BLOCKED: "error",
    Happening.FAILED: "error",
}


def _message(job: StoredJob, entry: Entry) -> str:
    match entry.happening:
        case Happening.CREATED:
            return "Created fine-tuning job"
        case Happening.NOTICE:
            return _notice(job)
        case Happening.VALIDATING:
            return _validating(job)
        case Happening.QUEUED:
            return "Files validated, moving job to queued state"
        case Happening.STARTED:
            return "Fine-tuning job started"
        case Happening.NOTE:
            return job.notes[entry.number - 1]
        case Happening.STEP:
            return f"Step {entry.number}/{job.life.steps}"
        case Happening.CHECKPOINT:
            return f"Checkpoint created at step {entry.number}"
        case Happening.PAUSING:
            return "Pausing fine-tuning job"
        case Happening.PAUSING_BY_SERVICE:
            return "The service is pausing the fine-tuning job by itself; resume it to go on"
        case Happening.PAUSED:
            return "Fine-tuning job paused"
        case Happening.RESUMED:
            return "Fine-tuning job resumed, moving job to queued state"
        case Happening.CONTINUED:
            return "Fine-tuning job continues"
        case Happening.MODEL_CREATED:
            return f"New fine-tuned model created: {job.fine_tuned_model}"
        case Happening.SUCCEEDED:
            return "Fine tuning job successfully completed"
        case Happening.BLOCKED:
            return f"Moderation checks of {_blocked(job)['file']} failed"
        case Happening.FAILED:
            return job.failure.message if job.failure else "The job failed"
        case Happening.CANCELLED:
            return "Fine-tuning job cancelled"
    assert_never(entry.happening)


def _notice(job: StoredJob) -> str:
    """What this service does not do, and a client should not take for granted."""
    notices = ["This job runs on the local service"]
    if job.simulation is not None:
        notices = [f"SIMULATED: no model is trained, the trainer is '{job.simulation['trainer']}'"]
        if job.simulation["judge"] is not None:
            notices.append(f"score_model graders are judged by: {job.simulation['judge']}")
    if job.request["integrations"]:
        notices.append("integrations are not contacted")
    return "; ".join(notices)


def _validating(job: StoredJob) -> str:
    training, validation = job.request["training_file"], job.request["validation_file"]
    both = f"Validating training file: {training}"
    return both if validation is None else f"{both} and validation file: {validation}"


def _blocked(job: StoredJob) -> dict[str, Any]:
    """What moderation did not let pass."""
    failure = job.failure
    assert failure is not None and failure.param is not None  # only a file is blocked
    return {"blocked": True, "file": job.request[failure.param], "lines": failure.blocked}


def _event_prefix(job: StoredJob) -> str:
    return f"ftevent-{hashlib.sha256(job.id.encode()).hexdigest()[:16]}"


def _index(job: StoredJob, event_id: str, count: int) -> int:
    """An event's place in the history is in its id."""
    digits = event_id.removeprefix(_event_prefix(job))
    if len(digits) == _INDEX_DIGITS and all(digit in "0123456789abcdef" for digit in digits):
        index = int(digits, 16)
        if index < count:
            return index
    raise bad_cursor(event_id)


def _checkpoint(job: StoredJob, kept: StoredCheckpoint, moment: Moment, at: int) -> dict[str, Any]:
    own = hashlib.sha256(f"{job.id}:{kept.number}".encode()).hexdigest()[:24]
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": f"ftckpt_{own}",
        "created_at": seconds(at),
        "fine_tuned_model_checkpoint": checkpoint_model(job, kept.number, moment),
        "fine_tuning_job_id": job.id,
        "metrics": {"step": kept.number, **kept.metrics},
        "step_number": kept.number,
        "simulation": job.simulation,
    }
