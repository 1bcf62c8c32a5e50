"""The routes of graders: validate a definition, run it on one sample. Does not know what graders mean."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rftplan.server.errors import ApiError
from rftplan.server.fields import Fields
from rftplan.server.grader_request import named_grader, refused_grader
from rftplan.server.requests import read_json, refuse_query
from rftplan.server.service import Service, service_of

if TYPE_CHECKING:
    from rftplan.grading import Grader, Judge


async def validate_grader(request: Request) -> Response:
    refuse_query(request)
    fields = Fields(await read_json(request))
    grader = _read_grader(fields, service_of(request))
    fields.close()
    return JSONResponse({"grader": grader.definition})


async def run_grader(request: Request) -> Response:
    service = service_of(request)
    refuse_query(request)
    fields = Fields(await read_json(request))
    grader = _read_grader(fields, service)
    text = fields.needed_text("model_sample")
    item = fields.take("item")
    item = {} if item is None else item
    Fields(item, "item")  # only that it is an object: its fields are the user's
    fields.close()
    if grader.refusal is not None:
        raise ApiError(grader.refusal, param="grader")
    return JSONResponse(await run_in_threadpool(_run, grader, text, item, service.settings.sitting_judge()))


def _run(grader: Grader, text: str, item: Mapping[str, Any], judge: Judge) -> dict[str, Any]:
    from rftplan.grading import Sample

    started = time.perf_counter()
    result = grader.grade(Sample.of_text(text), item, judge)
    return result.reply(execution_time=time.perf_counter() - started)


def _read_grader(fields: Fields, service: Service) -> Grader:
    from rftplan.grading import GraderError

    body = named_grader(fields.need("grader"), service.settings.new_id)
    try:
        return service.settings.read_grader(body)
    except GraderError as error:
        raise refused_grader(error) from error
