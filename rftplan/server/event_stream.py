"""Server-sent events: a reply that comes in pieces. Knows no event's meaning and waits for nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable

from starlette.responses import StreamingResponse

_WORD = re.compile(r"\S+\s*|\s+")


class EventStream(StreamingResponse):
    """Events as they are written on the wire, each with its empty line."""

    def __init__(self, events: Iterable[str]) -> None:
        super().__init__(_each(events), media_type="text/event-stream", headers={"cache-control": "no-cache"})


def pieces(text: str) -> list[str]:
    """What a text is sent in: its words, with what stands between them. Together they are the text."""
    return _WORD.findall(text)


async def _each(events: Iterable[str]) -> AsyncIterator[str]:
    for event in events:
        yield event
