"""A TCP proxy of bad manners between rftplan and a service on a loopback port: it drops, delays, truncates or repeats
what goes through it. Knows HTTP only as far as it must to see where a message ends. Tests nothing itself."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import uvicorn


class Harm(StrEnum):
    """What the proxy does to one request."""

    DROPPED_BEFORE = "dropped before it is forwarded"
    CUT_OFF = "half of it forwarded"
    DROPPED_AFTER = "forwarded, and its reply dropped"
    TRUNCATED = "forwarded, and half of its reply sent on"
    DELAYED = "forwarded, and its reply sent on later"
    REPEATED = "forwarded twice, and the first reply sent on"
    REPEATED_LATE = "forwarded twice, and the second reply sent on"


@dataclass(frozen=True)
class Passed:
    """A request as it came in: whether the service got the whole of it, and how often."""

    method: str
    path: str
    body: bytes
    times: int


@dataclass
class Proxy:
    """`harm_of` says what befalls a request, by method and path; `passed` is what came, in its order."""

    service: int
    harm_of: Callable[[str, str], Harm | None] = lambda *_: None
    passed: list[Passed] = field(default_factory=list)
    port: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, request by request, each over a connection of its own to the service."""
        try:
            while (request := await _message(reader)) is not None and await self._answer(request, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        """True if the connection goes on."""
        method, path, _ = request.split(b"\r\n", 1)[0].decode().split(" ", 2)
        harm = self.harm_of(method, path)
        times = {Harm.DROPPED_BEFORE: 0, Harm.CUT_OFF: 0, Harm.REPEATED: 2, Harm.REPEATED_LATE: 2}.get(harm, 1)  # type: ignore[call-overload]
        self.passed.append(Passed(method, path, request.partition(b"\r\n\r\n")[2], times))
        if harm is Harm.DROPPED_BEFORE:
            return False
        if harm is Harm.CUT_OFF:
            await self._forward(request[: len(request) // 2], answered=False)
            return False
        replies = [await self._forward(request) for _ in range(times)]
        reply = replies[-1] if harm is Harm.REPEATED_LATE else replies[0]
        if harm is Harm.DROPPED_AFTER:
            return False
        if harm is Harm.DELAYED:
            await asyncio.sleep(0.05)
        writer.write(reply[: len(reply) // 2] if harm is Harm.TRUNCATED else reply)
        await writer.drain()
        return harm is not Harm.TRUNCATED

    async def _forward(self, request: bytes, *, answered: bool = True) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.service)
        try:
            writer.write(request)
            await writer.drain()
            return (await _message(reader) or b"") if answered else b""
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def _message(reader: asyncio.StreamReader) -> bytes | None:
    """A whole HTTP message; None where the connection ends before one."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        return head + await _chunks(reader)
    return head + await reader.readexactly(int(fields.get(b"content-length", b"0")))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    whole = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        whole += line + await reader.readexactly(size + 2)
        if not size:
            return whole


@dataclass
class Served:
    """Whichever app is `app`, on a port."""

    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@contextmanager
def served_through() -> Iterator[tuple[Served, Proxy]]:
    """A service on a loopback port and the proxy before it, each in a thread of its own."""
    served = Served()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(served, interface="asgi3", log_config=None, ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        proxy = Proxy(listening.getsockname()[1])
        try:
            with _running(proxy):
                yield served, proxy
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def _running(proxy: Proxy) -> Iterator[None]:
    began, over = threading.Event(), threading.Event()

    async def run() -> None:
        server = await asyncio.start_server(proxy.talk, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        began.set()
        async with server:
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    began.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()
