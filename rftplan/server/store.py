"""The service's state: one database and the contents of files beside it, shared safely. Knows no resource's rules."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rftplan.server.database import DamagedError, Reader, StoreError, damage_told, make_folder, open_to_act

__all__ = ["DamagedError", "Store", "StoreError", "as_json", "first", "there_at"]


class Store:
    """The database and the directory of file contents beside it. Safe between threads and processes.

    What is there is only read until something is written: then it is made, or brought up to date, and closed to other
    users of this machine. Who only reads leaves nothing behind.
    """

    def __init__(self, path: Path) -> None:
        """Opens what is there; raises StoreError for a file that is no store or one of a newer version."""
        self.contents = path.with_name(path.name + "-files")
        self.incoming = self.contents / "incoming"
        self.parts = self.contents / "parts"
        self._path = path
        self._lock = threading.RLock()
        self._reader = Reader(path)
        self._db: sqlite3.Connection | None = None
        self._first: list[Callable[[], None]] = []

    def before_acting(self, do: Callable[[], None]) -> None:
        """Done once, before the first thing that this process writes; in the order in which they were said."""
        self._first.append(do)

    def make(self) -> None:
        """See to it that the store is on the disk and up to date; raises StoreError where it cannot be."""
        with self._lock, damage_told(self._path):
            self._acting()

    def _acting(self) -> sqlite3.Connection:
        if self._db is not None and self.incoming.is_dir():
            return self._db
        make_folder(self.incoming)
        if self._db is None:
            self._db = open_to_act(self._path)
            self._reader.close()
            for do in self._first:
                do()
        return self._db

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """All rows of one read."""
        with self._lock, damage_told(self._path):
            return self._reading().execute(sql, values).fetchall()

    def tuples(self, sql: str, *values: object) -> list[Any]:
        """The same for many rows, of which each is taken apart at once: quicker to make than rows with names."""
        with self._lock, damage_told(self._path):
            cursor = self._reading().cursor()
            cursor.row_factory = None
            return cursor.execute(sql, values).fetchall()

    def _reading(self) -> sqlite3.Connection:
        return self._reader.current() if self._db is None else self._db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction that has the write lock from its start: what it reads stays true until it ends."""
        with self._lock, damage_told(self._path):
            db = self._acting()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:  # whatever ended the block, Ctrl-C too: an open transaction would lock everybody out
                if db.in_transaction:  # some errors have ended it already
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            (self._db or self._reader).close()


def there_at(time: int | None) -> tuple[str, tuple[int, ...]]:
    """The condition for rows that are there now, or were at a time, and its values."""
    if time is None:
        return "deleted_at IS NULL", ()
    return "created_at <= ? AND (deleted_at IS NULL OR deleted_at > ?)", (time, time)


def first(rows: Sequence[sqlite3.Row]) -> sqlite3.Row | None:
    return rows[0] if rows else None


def as_json(value: Any) -> str:
    """The one text form in which the store keeps structures; raises ValueError for NaN and infinities."""
    return _ENCODER.encode(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
