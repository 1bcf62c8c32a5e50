"""Where the way to a service broke, read from what the HTTP client raised. Sends nothing; knows no message."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Final

import httpx2

from rftplan.errors import Way

NEVER_CONNECTED: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
"""With one of these no request has left."""
_WAYS: Final = (
    (httpx2.ProxyError, Way.PROXY),
    (ssl.SSLError, Way.TLS),
    (socket.gaierror, Way.NAME),
    (ConnectionRefusedError, Way.REFUSED),
    ((TimeoutError, httpx2.TimeoutException), Way.TIMEOUT),
)


def way_of(error: BaseException) -> Way:
    """What broke the way: the most telling of the exceptions that led to this one."""
    led = list(_led_to(error))
    for kinds, way in _WAYS:
        if any(isinstance(one, kinds) for one in led):
            return way
    return Way.NETWORK if isinstance(error, NEVER_CONNECTED) else Way.LOST


def _led_to(error: BaseException) -> Iterator[BaseException]:
    """The exception and, deeper and deeper, its causes; each address that was tried may have one of its own."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        cause = one.__cause__ or one.__context__
        if cause is not None:
            waiting.append(cause)
