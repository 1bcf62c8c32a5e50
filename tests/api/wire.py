"""The other side of the wire: answers given in order, requests kept. For tests of the adapter only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import httpx2

from rftplan.api.identity import ProviderSettings, identify
from rftplan.api.openai import OpenAIPort, connect
from rftplan.api.pacing import Patience
from rftplan.api.profiles import profile

KEY = "sk-planted-0123456789abcdef"
ADMIN_KEY = "sk-admin-planted-fedcba9876543210"

T = TypeVar("T")
Answer = httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]

JOB: dict[str, Any] = {
    "id": "ftjob-1",
    "object": "fine_tuning.job",
    "created_at": 1_790_000_000,
    "status": "queued",
    "model": "o4-mini-2025-04-16",
    "training_file": "file-1",
    "validation_file": "file-2",
    "seed": 7,
    "fine_tuned_model": None,
    "finished_at": None,
    "error": None,
    "metadata": {"rftplan_launch": "v1:aa:1"},
}
FILE: dict[str, Any] = {
    "id": "file-1",
    "object": "file",
    "bytes": 6,
    "created_at": 1_790_000_000,
    "filename": "train.jsonl",
    "purpose": "fine-tune",
    "status": "processed",
}
LAUNCH: dict[str, Any] = {"model": "o4-mini-2025-04-16", "training_file": "file-1"}


async def no_time(_seconds: float) -> None:
    """A sleep that takes none."""


class Service:
    """Gives each answer once, the last one for ever; `requests` are what went over the wire."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx2.Request] = []

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx2.Response) else answer(request)

    def sent(self, index: int = -1) -> Any:
        """The JSON body of one request."""
        return json.loads(self.requests[index].content)

    def port(self, provider: str = "openai", **options: Any) -> OpenAIPort:
        chosen = profile(provider)
        settings = ProviderSettings(provider, **{k: options.pop(k) for k in _SETTINGS & options.keys()})
        options.setdefault("patience", Patience(no_time, retries=options.pop("read_retries", 0)))
        transport = httpx2.MockTransport(self.answer)
        return connect(identify(settings, chosen), chosen, KEY, transport=transport, **options)


_SETTINGS = {"base_url", "organization", "project"}


def reply(body: Any, status: int = 200, **headers: str) -> httpx2.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, json=body, headers=names)


def refusal(status: int, message: str, code: str | None = None, **headers: str) -> httpx2.Response:
    """An answer in the vendor's envelope."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return reply({"error": error}, status, **headers)


def listing(*items: dict[str, Any], more: bool = False) -> httpx2.Response:
    return reply({"object": "list", "data": list(items), "has_more": more})


def ask(port: OpenAIPort, call: Callable[[OpenAIPort], Awaitable[T]]) -> T:
    """Runs one conversation from its first call to the closing of the port."""

    async def conversation() -> T:
        try:
            return await call(port)
        finally:
            await port.aclose()

    talk: Coroutine[Any, Any, T] = conversation()
    return asyncio.run(talk)
