"""Which services that run serve one store, each saying so in a file beside one that it keeps locked. Opens no store."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from rftplan.errors import UserError

_LOCK: Final = ".lock"
_LONGEST: Final = 200


@contextmanager
def announced(store: Path, said: str) -> Iterator[list[str]]:
    """Say to those that come later that a service serves this store, until the block ends; what those say that are
    there. Of a service that died nothing counts, as the system frees its lock. UserError where nothing can be said."""
    from filelock import FileLock

    folder = store.with_name(f"{store.name}-served")
    mine = folder / uuid.uuid4().hex
    lock = FileLock(mine.with_suffix(_LOCK), timeout=0)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        lock.acquire()
        mine.write_text(said)
        others = _others(folder, mine)
    except OSError as error:
        raise UserError(f"{folder} cannot be used: {error.strerror}", hint="fix its permissions") from None
    try:
        yield others
    finally:
        _remove(mine)
        lock.release()


def _others(folder: Path, mine: Path) -> list[str]:
    """Whoever says something has locked its file before: one that can be locked was left by who died."""
    from filelock import FileLock, Timeout

    said = []
    for one in sorted(folder.glob("*")):
        if one.suffix or one == mine:
            continue
        try:
            with FileLock(one.with_suffix(_LOCK), timeout=0):
                _remove(one)
        except Timeout:
            with suppress(OSError):  # it has just ended
                said.append(one.read_text()[:_LONGEST])
    return said


def _remove(one: Path) -> None:
    for path in (one, one.with_suffix(_LOCK)):
        with suppress(OSError):
            path.unlink(missing_ok=True)
