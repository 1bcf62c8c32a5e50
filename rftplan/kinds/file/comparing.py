"""Whether a file at the service that carries our name has our bytes. Reads them once, and keeps none of them."""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec import Struct

from rftplan.api.port import RemoteFile
from rftplan.errors import ApiError, NotFoundError, RejectedError
from rftplan.events import Hashed
from rftplan.kinds.base import Act
from rftplan.kinds.file.spec import Content


class Compared(Struct, frozen=True):
    """What was learnt of one file: `content` if it may be used, otherwise `other`, what its bytes are instead; neither
    if it is not there any more."""

    content: Content | None = None
    other: str | None = None


GONE: Final = Compared()
_LONGER: Final = "more than the service says"
_NO_KEY: Final = 401
"""Says nothing of the file, and all of the key."""


class _TooLong(Exception):
    """It goes on after its own size: nothing of it is believed, and no more of it is read."""


async def compared(remote: RemoteFile, sha256: str, act: Act) -> Compared:
    """Read it, where the service gives it back. ApiError where that broke off: nothing is known then."""
    hashing, read = hashlib.sha256(), 0

    def take(block: bytes) -> None:
        nonlocal read
        hashing.update(block)
        read += len(block)
        if read > remote.size:
            raise _TooLong
        act.on_event(Hashed(remote.filename, read, remote.size))

    try:
        await act.port.read_file(remote.id, take)
    except _TooLong:
        return Compared(other=_LONGER)
    except NotFoundError:
        return await _unread(remote, act)
    except RejectedError as error:
        if error.status == _NO_KEY:
            raise
        return Compared(Content.NAME_ONLY)
    if read < remote.size:
        raise ApiError(f"{remote.id} ended after {read} of {remote.size} bytes, so that they could not be compared")
    has = hashing.hexdigest()
    return Compared(Content.VERIFIED) if has == sha256 else Compared(other=f"sha256 {has}")


async def _unread(remote: RemoteFile, act: Act) -> Compared:
    """A service without such a route answers as one without the file."""
    try:
        await act.port.get_file(remote.id)
    except NotFoundError:
        return GONE
    return Compared(Content.NAME_ONLY)
