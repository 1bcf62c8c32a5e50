"""One process at a time acts on an environment: the file lock, and who holds it. Knows no lock entry and no plan.

The lock is the operating system's own, and goes with the process that holds it. Who that is, is written beside it.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import asdict

from rftplan.days import moment_of
from rftplan.errors import BusyError, LockError, UserError
from rftplan.journal import Paths
from rftplan.typed_json import mapping_of, parse_json, text_of, whole_of

if TYPE_CHECKING:
    from filelock import BaseFileLock

_FILE: Final = "apply.lock"
_HOLDER: Final = "holder"


class Holder(Struct, frozen=True):
    """Who acts, or acted last and never let go. `command` is ours (`apply`), `since` the day and time in UTC."""

    command: str
    user: str
    host: str
    process: int
    since: str

    @property
    def here(self) -> bool:
        """Whether this is the machine that it says."""
        return self.host == socket.gethostname()

    @property
    def name(self) -> str:
        """What a person writes who means this one and no other."""
        return f"{self.host}/{self.process}"

    def __str__(self) -> str:
        return f"rftplan {self.command}, process {self.process} of {self.user} on {self.host}, since {self.since} UTC"


class Standing(Struct, frozen=True):
    """Whether the lock is held now, and who wrote down last that it holds it; None if nobody did, or let go since."""

    held: bool
    holder: Holder | None
    folder: Path


@contextmanager
def acting_alone(paths: Paths, doing: str) -> Iterator[None]:
    """Hold the environment's file lock; BusyError says at once who has it. Who can wait asks again.

    The operating system frees the lock of a holder that died. `doing` is the command, for whoever comes meanwhile.
    """
    folder = paths.journal.parent
    lock = _taken(folder)
    if lock is None:
        raise busy(Standing(True, _holder(folder), folder))
    try:
        with suppress(OSError):  # who holds the lock is a courtesy, the lock itself is held
            (folder / _HOLDER).write_text(json.dumps(asdict(_this_process(doing))), encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            (folder / _HOLDER).unlink()
        lock.release()


def lock_standing(paths: Paths) -> Standing:
    """Who holds the lock now. Takes it for a moment where nobody does; LockError where it cannot be used."""
    folder = paths.journal.parent
    if not (folder / _FILE).exists():
        return Standing(False, None, folder)
    lock = _taken(folder)
    holder = _holder(folder)
    if lock is not None:
        lock.release()
    return Standing(lock is None, holder, folder)


def break_lock(standing: Standing, named: str) -> None:
    """Take the lock from a holder on another machine that a person knows to be dead, and names to say so.

    A machine that went down may leave its lock at a file server. UserError for one that is alive for all that
    can be seen from here: on its own machine a lock that is held is held by a process that lives.
    """
    holder = standing.holder
    if holder is None:
        raise UserError(
            "who holds the lock is not written down, so nobody can be named as dead",
            hint=f"find who has {standing.folder / _FILE} open (lsof, fuser) and end it",
        )
    if named != holder.name:
        raise UserError(f"the lock is held by {holder.name}, not by {named}", hint=f"it is {holder}")
    if holder.here:
        raise UserError(
            f"{holder.name} is alive: this machine frees the lock of a process that ends, and it is held",
            hint=f"wait until it is done, or end it (kill {holder.process}): then the lock is free by itself",
        )
    with suppress(FileNotFoundError):
        (standing.folder / _FILE).unlink()
    with suppress(OSError):
        (standing.folder / _HOLDER).unlink()


def _taken(folder: Path) -> BaseFileLock | None:
    """The lock, held; None where somebody else has it."""
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _FILE, timeout=0)
        lock.acquire()
    except Timeout:
        return None
    except (OSError, NotImplementedError) as error:
        why = error.strerror if isinstance(error, OSError) else "files cannot be locked there"
        raise LockError(f"{folder} cannot be used: {why}", hint="fix its permissions") from None
    return lock


def busy(standing: Standing) -> BusyError:
    """What is said to whoever cannot act now: who does, where, and since when."""
    return BusyError(
        f"another rftplan is acting in {standing.folder}: {standing.holder or 'who it is was not written down'}",
        hint="run this again when it is done; apply --lock-timeout 5m waits for it, rftplan unlock says more of it",
    )


def _this_process(doing: str) -> Holder:
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # as in a container, whose user has no name
        user = f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody"
    return Holder(doing, user, socket.gethostname(), os.getpid(), moment_of(time.time()))


def _holder(folder: Path) -> Holder | None:
    """What is written there; None for what is not there, half written, or in another form."""
    try:
        said = mapping_of(parse_json((folder / _HOLDER).read_text(encoding="utf-8")))
        return Holder(
            command=text_of(said["command"]),
            user=text_of(said["user"]),
            host=text_of(said["host"]),
            process=whole_of(said["process"]),
            since=text_of(said["since"]),
        )
    except (OSError, KeyError, TypeError, ValueError):
        return None
