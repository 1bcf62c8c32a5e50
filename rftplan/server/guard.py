"""Who may speak to the service: loopback hosts, no foreign origin, the bearer of the key. Knows no route.

The key is compared, never stored nor sent back. A page in a browser must not reach the service through a name
that it controls, hence the Host and Origin checks before all else.
"""

from __future__ import annotations

import hmac
import time
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rftplan.server.errors import ApiError, refusal
from rftplan.server.service import ORGANIZATION
from rftplan.server.settings import Settings

API_VERSION = "2020-10-01"
# The vendor's names; this service limits nothing, so what may be sent is always what is left.
_UNLIMITED = {
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "10000",
    "x-ratelimit-reset-requests": "0s",
    "x-ratelimit-limit-tokens": "10000000",
    "x-ratelimit-remaining-tokens": "10000000",
    "x-ratelimit-reset-tokens": "0s",
    "x-ratelimit-limit-project-tokens": "10000000",
    "x-ratelimit-remaining-project-tokens": "10000000",
    "x-ratelimit-reset-project-tokens": "0s",
}


class Guard:
    """Refuses strangers and gives every reply its request id."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {}).update(request_id=self._settings.new_id("req_"), began=time.perf_counter())

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(reply_headers(scope))
            await send(message)

        refused = refusal_of(Headers(scope=scope), self._settings)
        app = self._app if refused is None else refusal(scope, refused)
        await app(scope, receive, send_with_headers)


def reply_headers(scope: Scope) -> dict[str, str]:
    """What every reply carries, an error's too."""
    state, now = scope.get("state", {}), time.perf_counter()
    return {
        "x-request-id": state.get("request_id", ""),
        "openai-organization": ORGANIZATION,
        "openai-version": API_VERSION,
        "openai-processing-ms": str(round((now - state.get("began", now)) * 1_000)),
        **_UNLIMITED,
    }


def refusal_of(headers: Headers, settings: Settings) -> ApiError | None:
    """Why a request with these headers is not served; None if it is."""
    host = headers.get("host", "")
    if _name_of(host) not in settings.hosts:
        own = ", ".join(sorted(settings.hosts))
        return ApiError(f"This service answers only to its own host names: {own}.", status=HTTPStatus.FORBIDDEN)
    origins = (None, f"http://{host.lower()}", f"https://{host.lower()}")
    if headers.get("origin") not in origins:
        return ApiError("This service does not answer requests of other origins.", status=HTTPStatus.FORBIDDEN)
    return _unauthorized(headers.get("authorization", ""), settings.key)


def _unauthorized(authorization: str, key: str) -> ApiError | None:
    scheme, _, sent = authorization.partition(" ")
    if scheme.lower() != "bearer" or not sent.strip():
        message = "You didn't provide an API key. Send it as: Authorization: Bearer YOUR_KEY"
        return ApiError(message, status=HTTPStatus.UNAUTHORIZED)
    if not hmac.compare_digest(sent.strip().encode(), key.encode()):
        return ApiError("Incorrect API key provided.", status=HTTPStatus.UNAUTHORIZED, code="invalid_api_key")
    return None


def _name_of(host: str) -> str:
    """A Host header's name without its port, IPv6 addresses with their brackets."""
    name = host.lower()
    return name[: name.find("]") + 1] if name.startswith("[") else name.partition(":")[0]
