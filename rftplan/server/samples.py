"""The route of what was sampled to validate a step: prompts, answers, what the grader said. Our own; reads only.

The vendor showed this in its evals until they ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rftplan.server.errors import ApiError, missing_parameter, not_found
from rftplan.server.fields import Whole
from rftplan.server.file_store import FileStore
from rftplan.server.jobs import found_job
from rftplan.server.lifecycle import life_at
from rftplan.server.paging import Page, bad_cursor, list_reply_with_ends
from rftplan.server.requests import read_page, read_whole
from rftplan.server.service import Service, service_of
from rftplan.server.stored_job import StoredJob
from rftplan.server.trainer import Said
from rftplan.server.validation_store import ValidationStore

USUAL_PAGE = 20
MOST_LISTED = 100
_PREFIX = "ftsample-"
_INDEX_DIGITS = 8


async def list_samples(request: Request) -> Response:
    service = service_of(request)
    page = read_page(request, default=USUAL_PAGE, most=MOST_LISTED, others=("step",))
    job, step = found_job(request), _read_step(request)
    return JSONResponse(await run_in_threadpool(_listed, service, job, step, page))


def _listed(service: Service, job: StoredJob, step: int, page: Page) -> dict[str, Any]:
    """The validation rows in their order, each with its samples of the step."""
    store = ValidationStore(service.store)
    samples = store.samples(job.seq, step) if step <= life_at(job.life, service.now()).steps_done else None
    if samples is None:
        message = f"The fine-tuning job {job.id} has no samples of step {step}: it has not validated there."
        raise not_found(message, param="step", code="samples_not_found")
    start = 0 if page.after is None else _place(job, step, page.after, len(samples)) + 1
    places = range(start, min(len(samples), start + page.limit))
    answers = store.answers(job.seq, places)
    data = [
        _shape(job, step, place, row, [answers[place][one] for one in samples[place]])
        for place, row in zip(places, _rows(service, job, places), strict=True)
    ]
    return list_reply_with_ends(data, more=places.stop < len(samples))


def _rows(service: Service, job: StoredJob, places: range) -> Sequence[Mapping[str, Any]]:
    from rftplan.server.datafile import DataRole, iterate_rows

    file = FileStore(service.store).content(job.request["validation_file"])
    try:
        return list(islice(iterate_rows(file, role=DataRole.VALIDATION), places.start, places.stop))
    except FileNotFoundError as error:
        message = f"The samples of the job {job.id} cannot be shown: its validation file's content is gone."
        raise ApiError(message, param="step") from error


def _shape(job: StoredJob, step: int, place: int, row: Mapping[str, Any], said: Sequence[Said]) -> dict[str, Any]:
    from rftplan.grading.candidates import item_of

    return {
        "object": "fine_tuning.job.sample",
        "id": f"{_prefix(job, step)}{place:0{_INDEX_DIGITS}x}",
        "fine_tuning_job_id": job.id,
        "step_number": step,
        "row": place,
        "messages": row["messages"],
        "item": item_of(row),
        "samples": [_sample(one) for one in said],
        "simulation": job.simulation,
    }


def _sample(said: Said) -> dict[str, Any]:
    calls = [
        {"type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in said.tool_calls
    ]
    return {
        "output_text": said.text,
        "output_tools": calls,
        "reward": said.reward,
        "grader": said.grader,
        "kind": said.kind,
    }


def _prefix(job: StoredJob, step: int) -> str:
    return f"{_PREFIX}{hashlib.sha256(f'{job.id}:{step}'.encode()).hexdigest()[:16]}"


def _place(job: StoredJob, step: int, sample_id: str, count: int) -> int:
    """A row's place is in its id."""
    digits = sample_id.removeprefix(_prefix(job, step))
    if len(digits) == _INDEX_DIGITS and all(digit in "0123456789abcdef" for digit in digits):
        place = int(digits, 16)
        if place < count:
            return place
    raise bad_cursor(sample_id)


def _read_step(request: Request) -> int:
    step = read_whole(request, "step", Whole(1))
    if step is None:
        raise missing_parameter("step")
    return step
