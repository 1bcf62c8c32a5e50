"""What a service over a socket has that one in this process has not: a line per request, and a connection to cut.

Knows nothing of the API. The cut needs uvicorn's own protocol, because ASGI has no word for it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from rftplan.render.escape import inert, shortened, visible

_WIDTH: Final = 80
_LONGEST_METHOD: Final = 10
_SHOWN: Final = frozenset({"limit", "after", "order", "purpose", "step", "project_id"})
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


def logged(
    app: AsgiApp, write: Callable[[str], None], now: Callable[[], float], *, clock: Callable[[], datetime]
) -> AsgiApp:
    """`app` with a line for each request, when its answer has gone out. Headers, and so keys, are not read.

    `now` measures seconds, `clock` is the time of day that a line begins with.
    """

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
            answer = f"{status if whole else 'cut'}  {(now() - began) * 1000:.0f} ms"
            write(_request_lines(scope, f"{clock():%H:%M:%S}", answer))

    return serve


def _request_lines(scope: Message, time: str, answer: str) -> str:
    """One line, or two where what went wrong does not fit into the first; neither is longer than a terminal's."""
    method = shortened(visible(str(scope["method"])), _LONGEST_METHOD)
    room = _WIDTH - len(f"{time}  {method}   {answer}")
    line = f"{time}  {method} {shortened(_target(scope), room)}  {answer}"
    if not (wrong := _wrong(scope.get("state", {}))):
        return inert(line) + "\n"
    if len(line) + 2 + len(wrong) <= _WIDTH:
        return inert(f"{line}  {wrong}") + "\n"
    indent = " " * (len(time) + 2)
    return inert(line) + "\n" + inert(indent + shortened(wrong, _WIDTH - len(indent))) + "\n"


def _target(scope: Message) -> str:
    """The path and the query; of the query only the values that lists take, which cannot be a key."""
    path = visible(str(scope["path"]))
    pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    said = [f"{name}={visible(value)}" if name in _SHOWN else _hidden(name) for name, value in pairs]
    return f"{path}?{'&'.join(said)}" if said else path


def _hidden(name: str) -> str:
    return f"{visible(name)}=…" if name.startswith("metadata[") else "…"


def _wrong(state: Message) -> str:
    """The service's code of an error, or else what it says, and the faults that struck."""
    from rftplan.server.errors import REFUSED
    from rftplan.server.striking import STRUCK

    error = state.get(REFUSED)
    words = [] if error is None else [visible(str(error.code or error.message)[:_WIDTH])]
    words += [f"[fault: {visible(str(fault))}]" for fault in state.get(STRUCK, ())]
    return "  ".join(words)
