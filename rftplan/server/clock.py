"""What time it is for a service: by a running clock, or by one that only moves when told. Knows no job."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from rftplan.server.lifecycle import MICROSECONDS
from rftplan.server.store import Store, first


class ClockMode(StrEnum):
    RUNNING = "running"
    MANUAL = "manual"


class Clock(Protocol):
    def now(self) -> int:
        """Microseconds since the epoch."""
        ...


class RunningClock:
    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is in seconds since the epoch."""
        self._now = now

    def now(self) -> int:
        return int(self._now() * MICROSECONDS)


class ManualClock:
    """Stands where the store has it, for every process that is told to go by it; it never goes back.

    Where the store has none yet it stands at `begin`, or at the last thing that the store knows of if that is later.
    """

    def __init__(self, store: Store, *, begin: int) -> None:
        self._store = store
        latest = first(store.rows(_LATEST))
        self._begin = max(begin, (latest[0] if latest else None) or 0)

    def now(self) -> int:
        row = first(self._store.rows("SELECT at FROM clock"))
        return self._begin if row is None else int(row["at"])

    def advance(self, microseconds: int) -> None:
        with self._store.write() as db:
            db.execute("INSERT OR IGNORE INTO clock (id, at) VALUES (1, ?)", (self._begin,))
            db.execute("UPDATE clock SET at = at + ?", (microseconds,))


_LATEST = "SELECT MAX(at) FROM (SELECT created_at AS at FROM jobs UNION ALL SELECT at FROM commands)"


def clock_of(mode: ClockMode, store: Store, now: Callable[[], float]) -> Clock:
    """The clock that a service goes by."""
    running = RunningClock(now)
    return running if mode is ClockMode.RUNNING else ManualClock(store, begin=running.now())
