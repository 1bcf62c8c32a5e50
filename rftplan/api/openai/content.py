"""The bytes of a file at the service, as they come. Keeps none of them, and knows no other call of the API."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import openai

from rftplan.api.faults import Call, Faults, Kind
from rftplan.api.openai.line import Line
from rftplan.errors import ApiError


async def read_content(client: openai.AsyncOpenAI, file_id: str, take: Callable[[bytes], None], line: Line) -> None:
    """Hand every block to `take`. RejectedError where the service gives no file back, ApiError where it broke off: what
    was taken is not taken back, so that nothing is tried again from then on."""
    call = Call(Kind.READ, f"download {file_id}")
    taken, tried = False, 0

    def took(block: bytes) -> None:
        nonlocal taken
        taken = True
        take(block)

    while True:
        await line.pace.turn(call)
        fault = await _once(client, file_id, took, line.faults, call)
        if fault is None:
            return
        tried += 1
        if taken or not await line.pace.again(call, fault, tried):
            raise fault


async def _once(
    client: openai.AsyncOpenAI, file_id: str, take: Callable[[bytes], None], faults: Faults, call: Call
) -> ApiError | None:
    try:
        async with client.files.with_streaming_response.content(file_id) as answer:
            async for block in answer.iter_bytes():
                take(block)
    except openai.APIStatusError as error:
        return faults.answered(call, error.response, error)
    except (openai.OpenAIError, httpx2.HTTPError, OSError, ValueError) as error:
        return faults.unanswered(call, error)
    return None
