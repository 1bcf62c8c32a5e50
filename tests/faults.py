"""Bad luck between rftplan and the service, on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx2


class Fault(StrEnum):
    """What goes wrong with one request."""

    NOT_CONNECTED = "not-connected"
    LOST_BEFORE = "lost-before"
    LOST_AFTER = "lost-after"
    ERROR_BEFORE = "500-before"
    ERROR_AFTER = "500-after"
    TOO_MANY = "429"
    REFUSED = "403"
    UNAUTHORIZED = "401"
    NOT_FOUND = "404"
    TWICE = "twice"


@dataclass
class Faulty:
    """Stands before the service. `plan` names the fault of a request, by method, path and how often it came."""

    inner: Any
    plan: Callable[[str, str, int], Fault | None]
    seen: dict[tuple[str, str], int] = field(default_factory=dict)

    async def handle_async_request(self, request: Any) -> Any:
        key = (request.method, request.url.path)
        self.seen[key] = self.seen.get(key, 0) + 1
        match self.plan(request.method, request.url.path, self.seen[key]):
            case Fault.NOT_CONNECTED:
                raise httpx2.ConnectError("connection refused", request=request)
            case Fault.LOST_BEFORE:
                raise httpx2.ReadError("connection reset", request=request)
            case Fault.LOST_AFTER:
                await (await self.inner.handle_async_request(request)).aread()
                raise httpx2.ReadError("connection reset", request=request)
            case Fault.ERROR_BEFORE:
                return _error(500, "server_error", "The server had an error")
            case Fault.ERROR_AFTER:
                await (await self.inner.handle_async_request(request)).aread()
                return _error(500, "server_error", "The server had an error")
            case Fault.TOO_MANY:
                return _error(429, "rate_limit_error", "Rate limit reached", {"retry-after": "7"})
            case Fault.REFUSED:
                return _error(403, "training_not_available", "OpenAI is winding down the fine-tuning platform")
            case Fault.UNAUTHORIZED:
                return _error(401, "invalid_api_key", "Incorrect API key provided")
            case Fault.NOT_FOUND:
                return _error(404, "not_found", "Could not find the fine-tuning job")
            case Fault.TWICE:
                await (await self.inner.handle_async_request(request)).aread()
                return await self.inner.handle_async_request(request)
            case None:
                return await self.inner.handle_async_request(request)

    async def __aenter__(self) -> Faulty:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def aclose(self) -> None:
        await self.inner.aclose()


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Any:
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return httpx2.Response(status, json=body, headers=headers)


def once(method: str, path: str, fault: Fault) -> Callable[[str, str, int], Fault | None]:
    """The first request of this method to this path has the fault; everything else is well."""
    return lambda m, p, n: fault if (m, p, n) == (method, path, 1) else None


def always(method: str, path: str, fault: Fault) -> Callable[[str, str, int], Fault | None]:
    return lambda m, p, _: fault if (m, p) == (method, path) else None
