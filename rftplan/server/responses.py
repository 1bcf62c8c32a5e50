"""The route of responses, in one reply or as a stream. Does not know how an answer is found."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rftplan.server.requests import read_json, refuse_query
from rftplan.server.service import seconds, service_of


async def create_response(request: Request) -> Response:
    # Not at the top: every start of the service would pay, and hardly any is asked.
    from rftplan.server.asking import ask, simulation
    from rftplan.server.event_stream import EventStream
    from rftplan.server.response_request import read_response_request
    from rftplan.server.response_shape import ended, output_items, response_shape
    from rftplan.server.response_stream import response_events

    service = service_of(request)
    refuse_query(request)
    wanted = read_response_request(await read_json(request))
    reply_id, now = service.settings.new_id("resp_"), seconds(service.now())
    reply = await ask(service, wanted.asked, reply_id=reply_id)
    begun = {
        **response_shape(reply_id, reply, wanted.said, created_at=now),
        "simulation": simulation(service, reply),
    }
    whole = ended(begun, reply, output_items(reply, service.settings.new_id), at=now)
    return EventStream(response_events(begun, whole)) if wanted.stream else JSONResponse(whole)
