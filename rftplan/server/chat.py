"""The route of chat completions, in one reply or as a stream. Does not know how an answer is found."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rftplan.server.requests import read_json, refuse_query
from rftplan.server.service import seconds, service_of

FINGERPRINT = "fp_simulated"


async def create_chat_completion(request: Request) -> Response:
    # Not at the top: every start of the service would pay, and hardly any is asked.
    from rftplan.server.asking import ask, simulation
    from rftplan.server.chat_request import read_chat_request
    from rftplan.server.chat_shape import choice_shape, usage_of
    from rftplan.server.chat_stream import chat_events
    from rftplan.server.event_stream import EventStream

    service = service_of(request)
    refuse_query(request)
    wanted = read_chat_request(await read_json(request))
    reply_id = service.settings.new_id("chatcmpl-")
    reply = await ask(service, wanted.asked, reply_id=reply_id)
    told = simulation(service, reply)
    head = {
        "id": reply_id,
        "created": seconds(service.now()),
        "model": reply.model,
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT if told else None,
        "simulation": told,
    }
    if wanted.stream:
        return EventStream(chat_events(reply, head=head, include_usage=wanted.include_usage))
    choices = [choice_shape(reply, place, reply_id) for place in range(len(reply.answers))]
    return JSONResponse({"object": "chat.completion", **head, "choices": choices, "usage": usage_of(reply.answers)})
