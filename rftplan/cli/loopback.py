"""What a service over a socket has that one in this process has not: a line per request, and a connection to cut.

Knows nothing of the API. The cut needs uvicorn's own protocol, because ASGI has no word for it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

from rftplan.render.escape import inert, shortened, visible

_LONGEST_PATH: Final = 160
_LINGER_NOT: Final = struct.pack("ii", 1, 0)  # a socket that is closed with it sends a reset

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]


def cuttable() -> type[asyncio.Protocol]:
    """uvicorn's protocol of a connection, which gives its app a way to end it."""
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    class Cuttable(AutoHTTPProtocol):  # type: ignore[misc,valid-type]  # chosen by what is installed
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self.app: AsgiApp = with_cut(self.app, transport)

    return Cuttable


def with_cut(app: AsgiApp, transport: asyncio.Transport) -> AsgiApp:
    """`app` with the extension that ends the connection of `transport`."""
    from rftplan.server.striking import CUT, Cut

    async def serve(scope: Message, receive: Receive, send: Send) -> None:
        async def cut(how: Cut) -> None:
            if how is Cut.RESET:
                connection = transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
                transport.abort()
            else:
                transport.close()
            while (await receive())["type"] != "http.disconnect":
                pass

        if scope["type"] == "http":
            scope.setdefault("extensions", {})[CUT] = cut
        await app(scope, receive, send)

    return serve


def is_bug(record: logging.LogRecord) -> bool:
    """Whether the server tells of an exception, and not of a call that it ended because it was told to stop."""
    error = record.exc_info[1] if record.exc_info else None
    return error is not None and not isinstance(error, asyncio.CancelledError)


def logged(app: AsgiApp, write: Callable[[str], None], now: Callable[[], float]) -> AsgiApp:
    """`app` with a line for each request, when its answer has gone out. Headers, and so keys, are not read."""

    async def serve(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        began, status, whole = now(), 0, False

        async def noted(message: Message) -> None:
            nonlocal status, whole
            status = message.get("status", status)
            whole = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await app(scope, receive, noted)
        finally:
            write(_request_line(scope, status, whole, now() - began))

    return serve


def _request_line(scope: Message, status: int, whole: bool, seconds: float) -> str:
    state = scope.get("state", {})
    path = shortened(visible(str(scope["path"])), _LONGEST_PATH)
    answer = "cut" if not whole else str(status)
    words = [f"{answer:<4}{seconds * 1000:>6.0f} ms  {visible(str(scope['method'])):<6} {path}"]
    if (code := _code(state)) is not None:
        words.append(visible(code))
    words += [f"[fault: {visible(str(fault))}]" for fault in _struck(state)]
    return inert("  ".join(words)) + "\n"


def _struck(state: Message) -> Sequence[object]:
    from rftplan.server.striking import STRUCK

    faults: Sequence[object] = state.get(STRUCK, ())
    return faults


def _code(state: Message) -> str | None:
    """Of an error: the service's code for it, or else what it says."""
    from rftplan.server.errors import REFUSED

    error = state.get(REFUSED)
    return None if error is None else error.code or error.message
