"""See every exchange with a local service of this process, and keep what was outside the contract. Changes none.

The seam is starlette's own call of an application, around all of its middleware, because services are made in many
ways: by fixtures, by the product's wiring, behind a socket. What runs in another process is not seen.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tests.contract.contract import Contract
from tests.contract.document import OPERATIONS, own_document
from tests.contract.exchange import Exchange

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]

VENDOR = "RFTPLAN_OPENAPI"
"""The environment variable that says where the vendor's OpenAPI description lies."""

BY_VENDOR = "[by the vendor's description]"
"""How a problem ends that only the vendor's description knows of."""

_MOST_KEPT = 2**20  # bytes of a request; what is larger is content, or refused
_NOWHERE = frozenset({401, 403, 404, 405})


@dataclass
class Watch:
    """What was seen. `counts` are exchanges by operation and status, `vendor_counts` those with the vendor's, too."""

    own: Contract
    vendor: Contract | None = None
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    vendor_counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def see(self, exchange: Exchange) -> None:
        operation = self.own.operation(exchange)
        if operation is None:
            self.problems += _unknown(self.own, exchange)
            return
        self.counts[operation.name, exchange.status] += 1
        self.problems += self.own.problems(operation, exchange)
        self.problems += _header_problems(self.own, exchange)
        if self.vendor is not None and (theirs := self.vendor.operation(exchange)) is not None:
            self.vendor_counts[theirs.name] += 1
            self.problems += [f"{problem} {BY_VENDOR}" for problem in vendor_problems(self.vendor, exchange)]

    def take(self) -> list[str]:
        """The problems so far, each once, which are then forgotten."""
        taken = list(dict.fromkeys(self.problems))
        self.problems.clear()
        return taken

    def watched(self, app: App) -> App:
        """The same application, seen."""

        async def call(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            wire = _Wire(scope)
            try:
                await app(scope, wire.receiving(receive), wire.sending(send))
            finally:
                if wire.complete:
                    self.see(wire.exchange())

        return call


def vendor_problems(vendor: Contract, exchange: Exchange) -> list[str]:
    """Errors have one schema: the vendor's description has none of them for any operation."""
    operation = vendor.operation(exchange)
    assert operation is not None
    if exchange.status >= 400:
        found = vendor.faults(("components", "schemas", "ErrorResponse"), json.loads(exchange.body))
        return [f"{exchange.method} {exchange.path} ({exchange.status}): {fault}" for fault in found]
    return vendor.problems(operation, exchange)


def new_watch() -> Watch:
    path = os.environ.get(VENDOR)
    if not path:
        return Watch(Contract(own_document()))
    from tests.contract.vendor import VendorContract, mended, read_vendor

    return Watch(Contract(own_document()), VendorContract(mended(read_vendor(Path(path)))))


def _unknown(own: Contract, exchange: Exchange) -> Iterable[str]:
    where = f"{exchange.method} {exchange.path} ({exchange.status})"
    if exchange.status not in _NOWHERE:
        yield f"{where}: no operation for it: add it to a file in {OPERATIONS.parent.name}/{OPERATIONS.name}/"
        return
    if exchange.method != "HEAD":
        yield from (f"{where}: {e}" for e in own.faults(("components", "schemas", "Error"), json.loads(exchange.body)))


def _header_problems(own: Contract, exchange: Exchange) -> Iterable[str]:
    for name in own.document["components"]["headers"]:
        if name not in exchange.headers:
            yield f"{exchange.method} {exchange.path} ({exchange.status}): no header {name}"
        else:
            at = ("components", "headers", name, "schema")
            yield from (f"header {name}: {fault}" for fault in own.faults(at, exchange.headers[name]))


class _Wire:
    """One request and its reply while they go by."""

    def __init__(self, scope: Any) -> None:
        self._scope = scope
        self._request = bytearray()
        self._reply = bytearray()
        self._start: Message = {}
        self.complete = False

    def receiving(self, receive: Callable[[], Awaitable[Message]]) -> Callable[[], Awaitable[Message]]:
        async def seen() -> Message:
            message = await receive()
            if message["type"] == "http.request" and len(self._request) <= _MOST_KEPT:
                self._request += message.get("body", b"")
            return message

        return seen

    def sending(self, send: Callable[[Message], Awaitable[None]]) -> Callable[[Message], Awaitable[None]]:
        async def seen(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                self._start = message
            elif message["type"] == "http.response.body":
                if self._is_text():
                    self._reply += message.get("body", b"")
                self.complete = not message.get("more_body", False)

        return seen

    def exchange(self) -> Exchange:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in self._scope["headers"]}
        return Exchange(
            method=self._scope["method"],
            path=self._scope["path"],
            query=parse_qsl(self._scope["query_string"].decode("latin-1"), keep_blank_values=True),
            request_type=headers.get("content-type", ""),
            request_body=None if len(self._request) > _MOST_KEPT else bytes(self._request),
            status=int(self._start["status"]),
            headers=self._headers(),
            body=bytes(self._reply),
        )

    def _headers(self) -> dict[str, str]:
        return {name.decode().lower(): value.decode("latin-1") for name, value in self._start["headers"]}

    def _is_text(self) -> bool:
        return not self._headers().get("content-type", "").startswith("application/octet-stream")
