"""Which of our files are there although no list shows them. A bounded number of requests, whatever is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rftplan.api.port import RemoteFile
from rftplan.errors import NotFoundError
from rftplan.kinds.base import Look
from rftplan.kinds.file.spec import CREATED_AT, PURPOSE
from rftplan.lockfile import Entry

MOST: Final = 5
"""So many are asked for one by one, the newest: these a list that is behind lacks first."""
CLOCKS_APART: Final = 600.0
"""Seconds by which the service's clock and ours may differ."""


async def unlisted(look: Look, missing: Sequence[Entry]) -> dict[str, RemoteFile]:
    """Those that are there, of entries whose files a whole list lacks. What is older than lists may be behind is gone.
    Of more new ones than are asked for, all are taken to be there if one is: then it is the list that is behind."""
    import asyncio  # here, for `check` reads kinds and waits for nothing

    new = sorted({str(e.id): e for e in missing if _is_new(look, e)}.values(), key=_created, reverse=True)

    async def find(entry: Entry) -> RemoteFile | None:
        try:
            return await look.port.get_file(str(entry.id))
        except NotFoundError:
            return None

    found = [file for file in await asyncio.gather(*(find(one) for one in new[:MOST])) if file is not None]
    return {file.id: file for file in (*found, *(remembered(one) for one in new[MOST:] if found))}


def remembered(entry: Entry) -> RemoteFile:
    """The file as the lock knows it."""
    name, size = entry.resolved.get("filename", ""), entry.resolved.get("size", 0)
    return RemoteFile(str(entry.id), str(name), size if isinstance(size, int) else 0, PURPOSE, _created(entry))


def _is_new(look: Look, entry: Entry) -> bool:
    """Whether a list may still lack it. An older lock does not say since when it is there, and is older than that."""
    return look.now <= _created(entry) + look.scope.profile.settle_seconds + CLOCKS_APART


def _created(entry: Entry) -> int:
    at = entry.resolved.get(CREATED_AT)
    return at if isinstance(at, int) else 0
