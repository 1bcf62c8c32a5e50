"""The routes of our own that turn the service's knobs: faults on demand, and a clock by hand. Not the vendor's."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rftplan.server.clock import EndOfTimeError, ManualClock
from rftplan.server.errors import ApiError, not_found, wrong_type
from rftplan.server.faults import FAULT_ID, FaultError, Standing, read_fault
from rftplan.server.fields import Fields
from rftplan.server.happening import at_once
from rftplan.server.lifecycle import MICROSECONDS
from rftplan.server.requests import read_json, refuse_query
from rftplan.server.service import Service, service_of

_SHORTEST = 1 / MICROSECONDS
_LONGEST = 86_400 * 366.0


async def create_fault(request: Request) -> Response:
    service = service_of(request)
    refuse_query(request)
    fields = Fields(await read_json(request))
    line = fields.needed_text("fault")
    fields.close()
    try:
        fault = read_fault(line)
    except FaultError as error:
        raise ApiError(f"Invalid 'fault': {error}", param="fault", code="invalid_value") from error
    standing = service.faults.add(service.settings.new_id(FAULT_ID), fault)
    if at_once(service, fault):
        standing = service.faults.strike(standing.id)
    return JSONResponse(_fault_shape(standing))


async def list_faults(request: Request) -> Response:
    refuse_query(request)
    return JSONResponse(_list_shape(service_of(request).faults.all()))


async def delete_faults(request: Request) -> Response:
    """All of them; the reply has them as they were."""
    refuse_query(request)
    faults = service_of(request).faults
    ended = faults.all()
    for one in ended:
        faults.remove(one.id)
    return JSONResponse(_list_shape(ended))


async def delete_fault(request: Request) -> Response:
    refuse_query(request)
    faults, fault_id = service_of(request).faults, request.path_params["fault_id"]
    if faults.get(fault_id) is None:
        raise not_found(f"No such fault: {fault_id}", param="fault_id")
    faults.remove(fault_id)
    return JSONResponse({"id": fault_id, "object": "local.fault", "deleted": True})


async def get_clock(request: Request) -> Response:
    refuse_query(request)
    return JSONResponse(_clock_shape(service_of(request)))


async def advance_clock(request: Request) -> Response:
    service = service_of(request)
    refuse_query(request)
    fields = Fields(await read_json(request))
    fields.need("advance")
    seconds = fields.decimal("advance", least=-math.inf, most=math.inf)
    fields.close()
    if seconds is None:
        raise wrong_type("advance", expected="a number of seconds", got=None)
    if not _SHORTEST <= seconds <= _LONGEST:
        said = "a clock only goes forward, by" if seconds < _SHORTEST else "a clock goes forward at once by at most"
        most = f"{_SHORTEST:.6f} to {_LONGEST:.0f}" if seconds < _SHORTEST else f"{_LONGEST:.0f}"
        message = f"Invalid 'advance': {said} {most} seconds."
        raise ApiError(message, param="advance", code="invalid_value")
    if not isinstance(service.clock, ManualClock):
        message = "This clock runs by itself. Start the service with --clock manual."
        raise ApiError(message, param="advance", code="clock_not_manual")
    try:
        service.clock.advance(round(seconds * MICROSECONDS))
    except EndOfTimeError as error:
        message = "Invalid 'advance': a clock goes no further than the year 9999."
        raise ApiError(message, param="advance", code="invalid_value") from error
    return JSONResponse(_clock_shape(service))


def _fault_shape(standing: Standing) -> dict[str, Any]:
    return {
        "object": "local.fault",
        "id": standing.id,
        "fault": str(standing.fault),
        "met": standing.met,
        "struck": standing.struck,
        "left": standing.left,
    }


def _list_shape(standing: list[Standing]) -> dict[str, Any]:
    return {"object": "list", "data": [_fault_shape(one) for one in standing]}


def _clock_shape(service: Service) -> dict[str, Any]:
    now = service.now()
    return {
        "object": "local.clock",
        "mode": service.settings.clock.value,
        "now": now / MICROSECONDS,
        "date": datetime.fromtimestamp(now / MICROSECONDS, UTC).isoformat(),
    }
