"""What time it is for a service: by a running clock, or by one that only moves when told. Knows no job."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from rftplan.server.lifecycle import MICROSECONDS
from rftplan.server.store import Store, first

LAST = 253_402_300_799 * MICROSECONDS
"""The last second of the year 9999."""


class EndOfTimeError(Exception):
    """There are no dates after that."""


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
    """Stands where the store has it, for every process that is told to go by it; it never goes back, and not beyond
    the last year that a date can have.

    It stands no earlier than the last thing that the store knew of when the process began, and where the store has no
    time yet, no earlier than `begin`. From the first thing that a process writes, the store has its time,
    or the one that the process showed.
    """

    def __init__(self, store: Store, *, begin: int) -> None:
        self._store = store
        latest = first(store.rows(f"SELECT {_LATEST}"))
        self._least = (latest[0] if latest else None) or 0
        self._begin = max(begin, self._least)
        self._looking = threading.Lock()
        store.before_acting(self._settle)

    def now(self) -> int:
        row = first(self._store.rows("SELECT at FROM clock"))
        at = self._begin if row is None else int(row["at"])
        with self._looking:
            self._least = max(self._least, at)
            return self._least

    def advance(self, microseconds: int) -> None:
        """Raises EndOfTimeError, and stands still, where there is no date any more."""
        with self._store.write() as db:
            (at,) = db.execute("SELECT at FROM clock").fetchone()
            if at + microseconds > LAST:
                raise EndOfTimeError
            db.execute("UPDATE clock SET at = ?", (at + microseconds,))

    def _settle(self) -> None:
        with self._store.write() as db:
            db.execute("INSERT OR IGNORE INTO clock (id, at) VALUES (1, ?)", (self._begin,))
            db.execute(f"UPDATE clock SET at = max(at, ?, coalesce({_LATEST}, 0))", (self._least,))


_LATEST = f"""(SELECT max(at) FROM (
    SELECT max(created_at) AS at FROM jobs UNION ALL SELECT max(at) FROM commands
    UNION ALL SELECT max(place) FROM files WHERE result_of IS NULL
    UNION ALL SELECT max(created_at) * {MICROSECONDS} FROM uploads
    UNION ALL SELECT max(created_at) * {MICROSECONDS} FROM permissions))"""


def clock_of(mode: ClockMode, store: Store, now: Callable[[], float]) -> Clock:
    """The clock that a service goes by."""
    running = RunningClock(now)
    return running if mode is ClockMode.RUNNING else ManualClock(store, begin=running.now())
