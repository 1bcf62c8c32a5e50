"""One line to a service: a call goes out at its turn, its answer is read, its failure means one thing.

Knows no call of the API, and decides nothing about tries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx2
import openai
from msgspec import Struct

from rftplan.api import wire
from rftplan.api.faults import Call, Faults
from rftplan.api.openai.client import ANSWER_SECONDS, Reply
from rftplan.api.pacing import Pace
from rftplan.canonical import JsonObject
from rftplan.errors import ApiError

_T = TypeVar("_T")
Send = Callable[[], Awaitable[Reply]]


class Line(Struct, frozen=True):
    """Whatever goes out under one key shares its pace."""

    faults: Faults
    pace: Pace

    async def ask(self, call: Call, send: Send, parse: Callable[[JsonObject], _T]) -> _T:
        """A call with its answer parsed, or the fault that it means; `send` sends it once, each time anew."""
        response = await self._answer(call, send)
        try:
            return parse(wire.parse_object(self.faults.readable(response)))
        except ValueError as error:
            fault = self.faults.unreadable(call, response, error)
        raise fault

    async def _answer(self, call: Call, send: Send) -> httpx2.Response:
        """A success, or the fault of the last try; raised outside `except`, where no context clings to it."""
        tried = 0
        while True:
            await self.pace.turn(call)
            answer = await self._once(call, send)
            if isinstance(answer, httpx2.Response):
                return answer
            tried += 1
            if not await self.pace.again(call, answer, tried):
                raise answer

    async def _once(self, call: Call, send: Send) -> httpx2.Response | ApiError:
        seconds = ANSWER_SECONDS + call.intake if call.seconds is None else call.seconds
        try:
            async with asyncio.timeout(call.seconds):
                with self.pace.asked(call, seconds):
                    response = (await send()).http_response
            self.pace.answered()
            return response
        except openai.APIStatusError as error:
            self.pace.answered()
            return self.faults.answered(call, error.response, error)
        except (openai.OpenAIError, OSError, ValueError) as error:
            self.pace.answered()  # by silence: what is tried again is told again
            return self.faults.unanswered(call, error)
