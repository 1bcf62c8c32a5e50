"""The bytes of a file at the service, as they come. Keeps none of them, and knows no other call of the API."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import openai

from rftplan.api.faults import Call, Faults, Kind
from rftplan.errors import ApiError


async def read_content(client: openai.AsyncOpenAI, file_id: str, take: Callable[[bytes], None], faults: Faults) -> None:
    """Hand every block to `take`. RejectedError where the service gives no file back, ApiError where it broke off."""
    call = Call(Kind.READ, f"download {file_id}")
    fault: ApiError
    try:
        async with client.files.with_streaming_response.content(file_id) as answer:
            async for block in answer.iter_bytes():
                take(block)
        return
    except openai.APIStatusError as error:
        fault = faults.answered(call, error.response, error)
    except (openai.OpenAIError, httpx2.HTTPError, OSError, ValueError) as error:
        fault = faults.unanswered(call, error)
    raise fault
