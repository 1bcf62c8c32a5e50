"""A request and its reply as they went over the wire. Judges neither."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_NAME, _FILENAME = re.compile(rb'\bname="([^"]*)"'), re.compile(rb"\bfilename\*?=")


@dataclass(frozen=True, slots=True)
class Exchange:
    """`request_body` is None where it was too large to be kept. Names of headers are in lower case."""

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    request_type: str
    request_body: bytes | None
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def accepted(self) -> bool:
        return self.status < 300

    @property
    def reply_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip()


def form_of(exchange: Exchange) -> dict[str, str]:
    """A multipart body's fields; a content stands there as `bytes`, whatever it is."""
    boundary = re.search(r'boundary="?([^";,]+)', exchange.request_type)
    assert boundary is not None and exchange.request_body is not None
    return dict(_fields(exchange.request_body, b"--" + boundary[1].encode()))


def _fields(body: bytes, delimiter: bytes) -> Iterator[tuple[str, str]]:
    for part in body.split(delimiter)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name is not None:
            text = "bytes" if _FILENAME.search(head) else content.removesuffix(b"\r\n").decode(errors="replace")
            yield name[1].decode(errors="replace"), text
