"""Where a way broke, by what the real client raises at real sockets of this machine."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from rftplan.api.ways import way_of
from rftplan.errors import Way


@contextmanager
def answering(reply: bytes | None) -> Iterator[int]:
    """A port where each connection gets these bytes, whatever it sends, and is closed; with None nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(reply or b"")

        thread = threading.Thread(target=serve if reply is not None else lambda: None)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def broken(url: str, **rest: Any) -> Way:
    async def ask() -> None:
        async with httpx2.AsyncClient(trust_env=False, timeout=rest.pop("timeout", 20), **rest) as client:
            await client.get(url)

    with pytest.raises(httpx2.TransportError) as caught:
        asyncio.run(ask())
    return way_of(caught.value)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_where_nobody_listens_it_is_refused(host: str) -> None:
    assert broken(f"http://{host}:{free_port()}/") is Way.REFUSED


def test_where_nothing_is_encrypted_it_is_tls() -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert broken(f"https://127.0.0.1:{port}/") is Way.TLS


def test_a_proxy_that_refuses_is_the_proxy() -> None:
    with answering(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") as port:
        assert broken("https://127.0.0.1:1/", proxy=f"http://127.0.0.1:{port}") is Way.PROXY


def test_silence_is_a_timeout() -> None:
    with answering(None) as port:
        assert broken(f"http://127.0.0.1:{port}/", timeout=0.05) is Way.TIMEOUT


def test_a_connection_that_ends_without_an_answer_is_lost() -> None:
    with answering(b"") as port:
        assert broken(f"http://127.0.0.1:{port}/") is Way.LOST


def test_each_address_that_was_tried_may_say_it_and_a_circle_ends() -> None:
    name, refused = socket.gaierror(-2, "Name or service not known"), ConnectionRefusedError(111, "no")
    assert way_of(ExceptionGroup("tried", [OSError("unreachable"), refused])) is Way.REFUSED
    refused.__context__, name.__context__ = name, refused
    assert way_of(refused) is Way.NAME
    assert way_of(httpx2.ConnectError("down")) is Way.NETWORK
