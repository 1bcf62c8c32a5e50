"""Strike the calls that faults are due at, between the guard and the routes. Decides nothing about any resource.

What only a connection can show, its end before the reply's, is asked of whoever runs the app: the extension `CUT`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from enum import Enum
from http import HTTPStatus
from typing import Final

from msgspec import Struct
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rftplan.server.errors import INVALID_REQUEST, SERVER_ERROR, ApiError, refusal
from rftplan.server.faults import Fault, FaultKind, Standing
from rftplan.server.happening import happens
from rftplan.server.requests import read_json
from rftplan.server.service import BARE, LAG, Service

CUT: Final = "rftplan.cut"
"""The extension's name in the scope: an async callable that takes a `Cut` and returns when the connection is gone."""

STRUCK: Final = "struck"
"""Where the scope's state has the faults that struck a call, for whoever keeps a log."""

_PIECES = 20  # of a slow body
_LARGEST = 2**62  # of a body whose length is not known


class Cut(Enum):
    """How a connection ends before its reply does."""

    RESET = "reset"
    CLOSED = "closed"


class CutError(Exception):
    """Whoever runs the app cannot end a connection on demand."""


class Struck(Struct, frozen=True):
    """One call that a fault strikes: the fault, the app that would have answered, and what ASGI gives."""

    fault: Fault
    app: ASGIApp
    service: Service
    scope: Scope
    receive: Receive
    send: Send

    async def act(self, send: Send) -> None:
        """Let the service do what was asked of it, and hear the answer with `send`."""
        await self.app(self.scope, self.receive, send)

    async def refuse(self, error: ApiError, headers: Mapping[str, str] | None = None) -> None:
        await refusal(self.scope, error, headers)(self.scope, self.receive, self.send)

    async def cut(self, how: Cut) -> None:
        cut = self.scope.get("extensions", {}).get(CUT)
        if cut is None:
            raise CutError(f"{self.fault}: whoever runs this service cannot end a connection on demand")
        await cut(how)


class Striking:
    """The faults of a call stand around the app one within the other, the first outermost."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        service: Service = scope["app"].state.service
        struck = list(_striking(service, service.faults.meet(scope["method"], scope["path"])))
        scope["state"][STRUCK] = struck
        app = self._app
        for fault in reversed(struck):
            app = _around(app, fault, service)
        await app(scope, receive, send)


def _striking(service: Service, due: Iterable[Standing]) -> Iterator[Fault]:
    """Those that strike now: of those that decide the answer only the first, of what happens only what can."""
    answered = False
    for one in due:
        answers = one.fault.kind in _ANSWERS
        if (answers and answered) or not happens(service, one.fault):
            continue
        answered = answered or answers
        service.faults.strike(one.id)
        yield one.fault


def _around(app: ASGIApp, fault: Fault, service: Service) -> ASGIApp:
    if (effect := _EFFECTS.get(fault.kind)) is None:
        return app

    async def struck(scope: Scope, receive: Receive, send: Send) -> None:
        await effect(Struck(fault, app, service, scope, receive, send))

    return struck


async def _late(call: Struck) -> None:
    await call.service.settings.sleep(call.fault.seconds)
    await call.act(call.send)


async def _stale(call: Struck) -> None:
    call.scope["state"][LAG] = call.fault.seconds
    await call.act(call.send)


async def _without_metadata(call: Struck) -> None:
    call.scope["state"][BARE] = True
    await call.act(call.send)


async def _slow(call: Struck) -> None:
    """The time is that of the whole body: its pieces are as large as its length makes them, where that is known."""
    piece, waits = _LARGEST, _PIECES - 1
    pause = call.fault.seconds / waits

    async def trickle(message: Message) -> None:
        nonlocal piece, waits, pause
        if message["type"] == "http.response.start":
            if length := _length(message):
                piece = -(-length // _PIECES)
                waits = -(-length // piece) - 1
                pause = call.fault.seconds / max(1, waits)
            await call.send(message)
            return
        more, rest = message.get("more_body", False), message.get("body", b"")
        while len(rest) > piece:
            await call.send({**message, "body": rest[:piece], "more_body": True})
            await wait()
            rest = rest[piece:]
        await call.send({**message, "body": rest})
        if more:
            await wait()

    async def wait() -> None:
        nonlocal waits
        if waits > 0:
            waits -= 1
            await call.service.settings.sleep(pause)

    await call.act(trickle)


def _length(start: Message) -> int:
    """Of the body that a reply begins; 0 where it does not say."""
    return next((int(value) for name, value in start.get("headers", ()) if name.lower() == b"content-length"), 0)


async def _too_many(call: Struck) -> None:
    error = ApiError(
        "Rate limit reached: slow down.", status=HTTPStatus.TOO_MANY_REQUESTS, kind="rate_limit_error", code="slow_down"
    )
    await call.refuse(error, {"retry-after": str(call.fault.retry_after)})


async def _overloaded(call: Struck) -> None:
    error = ApiError(
        "The server is overloaded. Try again later.",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        kind="service_unavailable_error",
        code="server_is_overloaded",
    )
    await call.refuse(error, {"retry-after": str(call.fault.retry_after)})


async def _error(call: Struck) -> None:
    message = "The server had an error while processing your request."
    await call.refuse(ApiError(message, status=HTTPStatus.INTERNAL_SERVER_ERROR, kind=SERVER_ERROR))


async def _error_after(call: Struck) -> None:
    await call.act(_unheard)
    await _error(call)


async def _lost(call: Struck) -> None:
    await call.cut(Cut.RESET)


async def _lost_after(call: Struck) -> None:
    await call.act(_unheard)
    await call.cut(Cut.CLOSED)


async def _half(call: Struck) -> None:
    """The headers say how long the body is, so that the client can tell that it has not all of it. Where they do not,
    its first part is sent. What is kept back is not kept."""
    left = -1

    async def first_half(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.start":
            left = _length(message) // 2 if _length(message) else _LARGEST
            await call.send(message)
        elif left > 0:
            body = message.get("body", b"")[:left]
            left = left - len(body) if left < _LARGEST else 0
            await call.send({"type": "http.response.body", "body": body, "more_body": True})

    await call.act(first_half)
    await call.cut(Cut.CLOSED)


async def _unheard(_message: Message) -> None:
    return None


async def _locked_out(call: Struck) -> None:
    message = (
        "OpenAI is winding down the fine-tuning platform and your organization is no longer able to create new "
        "fine-tuning training jobs."
    )
    await call.refuse(ApiError(message, status=HTTPStatus.FORBIDDEN, code="training_not_available"))


async def _daily_limit(call: Struck) -> None:
    try:
        body = await read_json(Request(call.scope, call.receive))
    except ApiError as error:
        await call.refuse(error)
        return
    model = body.get("model") if isinstance(body, dict) else None
    message = (
        "This fine-tune request has been rate-limited. Your organization has reached the maximum of "
        f"{call.fault.after} fine-tuning requests per day for the model '{model}'."
    )
    status, code = HTTPStatus.TOO_MANY_REQUESTS, "daily_rate_limit_exceeded"
    await call.refuse(ApiError(message, status=status, kind=INVALID_REQUEST, code=code))


Effect = Callable[[Struck], Awaitable[None]]

_DELAYS: Mapping[FaultKind, Effect] = {
    FaultKind.LATENCY: _late,
    FaultKind.SLOW_BODY: _slow,
    FaultKind.STALE: _stale,
    FaultKind.NO_METADATA: _without_metadata,
}
_ANSWERS: Mapping[FaultKind, Effect] = {
    FaultKind.TOO_MANY: _too_many,
    FaultKind.OVERLOADED: _overloaded,
    FaultKind.ERROR_BEFORE: _error,
    FaultKind.ERROR_AFTER: _error_after,
    FaultKind.LOST_BEFORE: _lost,
    FaultKind.LOST_AFTER: _lost_after,
    FaultKind.HALF_REPLY: _half,
    FaultKind.LOCKOUT: _locked_out,
    FaultKind.DAILY_LIMIT: _daily_limit,
}
_EFFECTS: Mapping[FaultKind, Effect] = {**_DELAYS, **_ANSWERS}
"""What is in neither has happened before the call is answered, or holds without being met."""
