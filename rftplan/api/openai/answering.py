"""What a model says to one prompt, by a chat completion. Grades nothing, keeps nothing."""

from __future__ import annotations

from typing import Final

import httpx2
import openai
from msgspec import Struct

from rftplan.api.faults import Call, Kind
from rftplan.api.openai.client import Reply, timeout
from rftplan.api.openai.line import Line
from rftplan.api.profiles import Capability, Profile
from rftplan.api.question import ModelAnswer, Question, answered, request_body

_SLOWEST_ANSWER: Final = 600.0
"""Seconds: a model that reasons may take long."""


class _Bare(Struct, frozen=True):
    http_response: httpx2.Response


async def answer(question: Question, client: openai.AsyncOpenAI, line: Line, profile: Profile) -> ModelAnswer:
    """Sent as it is, for the SDK would reshape the fields that it has types for. An answer that is lost on the way is
    asked for again: nothing at the service comes of it."""
    body = request_body(question, simulated=profile.can(Capability.SIMULATION))

    seconds = timeout(_SLOWEST_ANSWER)

    async def send() -> Reply:
        return _Bare(
            await client.post("/chat/completions", body=body, cast_to=httpx2.Response, options={"timeout": seconds})
        )

    call = Call(Kind.READ, f"ask {question.model} about {question.about}", intake=_SLOWEST_ANSWER)
    return await line.ask(call, send, answered)
