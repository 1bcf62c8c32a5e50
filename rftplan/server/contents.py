"""The bytes beside the database: where they arrive, and what is swept up. Knows no HTTP and no object's rules.

What has no row in the database is nothing: contents are in place before their rows are written, rows are gone
before their contents are. So a process that is killed leaves bytes at most, and `sweep` finds them.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rftplan.server.store import Store

_ABANDONED = 3600.0  # seconds without a write after which bytes without a row belong to a process that died
_FILE = "file-"


@contextmanager
def receive(store: Store, object_id: str) -> Iterator[Path]:
    """A place to write a content to; it is gone afterwards unless somebody took it from there."""
    store.make()
    target = store.incoming / object_id
    try:
        yield target
    finally:
        target.unlink(missing_ok=True)


def sweep(store: Store, *, now: int) -> None:
    """Removes what dead processes left, and what has expired at `now` (seconds). Whoever may only read leaves it."""
    if not store.made:
        _remove_abandoned(_found(store.incoming))  # before its first row, a store is a folder
        return
    with suppress(sqlite3.OperationalError, PermissionError):
        _expire(store, now)
        _remove_abandoned(_found(store.incoming))
        # Listed before the rows are read: what gets its row in between is not taken for an orphan.
        files, uploads = _found(store.contents, _FILE), _found(store.parts)
        parts = [part for upload in uploads for part in _found(upload)]
        _remove_abandoned(_without_row(store, files, "SELECT id FROM files WHERE deleted_at IS NULL"))
        for upload in _without_row(store, uploads, "SELECT id FROM uploads WHERE ended IS NULL"):
            shutil.rmtree(upload, ignore_errors=True)
        _remove_abandoned(_without_row(store, parts, "SELECT id FROM parts"))


def _expire(store: Store, now: int) -> None:
    """Rows first, and for good: a clock that goes back brings no object back whose bytes are gone."""
    files = store.rows("SELECT 1 FROM files WHERE deleted_at IS NULL AND expires_at <= ? LIMIT 1", now)
    uploads = store.rows("SELECT 1 FROM uploads WHERE ended IS NULL AND expires_at <= ? LIMIT 1", now)
    if not files and not uploads:
        return
    with store.write() as db:
        gone = [id for (id,) in db.execute("SELECT id FROM files WHERE deleted_at IS NULL AND expires_at <= ?", (now,))]
        db.execute("UPDATE files SET deleted_at = ?1 WHERE deleted_at IS NULL AND expires_at <= ?1", (now,))
        db.execute("UPDATE uploads SET ended = 'expired' WHERE ended IS NULL AND expires_at <= ?", (now,))
        db.execute("DELETE FROM parts WHERE upload_seq IN (SELECT seq FROM uploads WHERE ended = 'expired')")
    for id in gone:
        (store.contents / id).unlink(missing_ok=True)


def _found(folder: Path, prefix: str = "") -> list[Path]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if entry.name.startswith(prefix)]
    return []


def _without_row(store: Store, paths: Iterable[Path], known: str) -> list[Path]:
    if not (paths := list(paths)):
        return []
    ids = {id for (id,) in store.rows(known)}
    return [path for path in paths if path.name not in ids]


def _remove_abandoned(paths: Iterable[Path]) -> None:
    # The filesystem's own clock decides: the service's clock may be a test's.
    written_since = time.time() - _ABANDONED
    for path in paths:
        with suppress(FileNotFoundError, PermissionError):  # another process was quicker, or we may only read
            if path.stat().st_mtime < written_since:
                path.unlink()
