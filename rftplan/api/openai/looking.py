"""One look at a service: asked once, every answer taken for one. Changes nothing and costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx2
import openai

from rftplan.api import wire
from rftplan.api.faults import Call, Faults, Kind
from rftplan.api.openai.line import Line
from rftplan.api.port import Seen, Sight
from rftplan.errors import ApiError

_ROUTES: Final[Mapping[Sight, tuple[str, str, Mapping[str, Any]]]] = {
    Sight.JOBS: ("list the jobs", "/fine_tuning/jobs", {"limit": 1}),
    Sight.FILES: ("list the files", "/files", {"limit": 1}),
    Sight.MODELS: ("list the models", "/models", {}),
}
_GRADER: Final = {
    "type": "string_check",
    "name": "doctor",
    "input": "{{sample.output_text}}",
    "reference": "yes",
    "operation": "eq",
}


async def look(sight: Sight, client: openai.AsyncOpenAI, line: Line, seconds: float) -> Seen:
    """ApiError where no answer came in `seconds`. `client` retries nothing."""
    what, path, query = _ROUTES.get(sight, ("validate a grader", "", {}))
    call, faults = Call(Kind.READ, what, seconds), line.faults
    if sight is Sight.GRADERS:
        sending: Awaitable[httpx2.Response] = client.post(
            "/fine_tuning/alpha/graders/validate", cast_to=httpx2.Response, body={"grader": _GRADER}
        )
    else:
        sending = client.get(path, cast_to=httpx2.Response, options={"params": dict(query)})
    try:
        async with asyncio.timeout(seconds):
            with line.pace.asked(call, seconds):
                response = await sending
    except openai.APIStatusError as error:
        return _seen(error.response, refusal=faults.answered(call, error.response, error))
    except (openai.OpenAIError, OSError, ValueError) as error:
        lost = faults.unanswered(call, error)
    else:
        return _read(sight, call, response, faults)
    raise lost


def _read(sight: Sight, call: Call, response: httpx2.Response, faults: Faults) -> Seen:
    try:
        body = wire.parse_object(faults.readable(response))
        if sight is Sight.GRADERS:
            wire.validated(body)
            return _seen(response)
        found = wire.page(body, 0 if sight is Sight.MODELS else 1)
    except ValueError as error:
        return _seen(response, refusal=faults.unreadable(call, response, error))
    return _seen(response, found)


def _seen(response: httpx2.Response, found: wire.Page | None = None, refusal: ApiError | None = None) -> Seen:
    return Seen(
        at=_clock(response.headers.get("date", "")),
        organization=response.headers.get("openai-organization") or None,
        items=found.items if found else (),
        more=found.has_more if found else False,
        refusal=refusal,
    )


def _clock(said: str) -> float | None:
    try:
        at = parsedate_to_datetime(said)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
