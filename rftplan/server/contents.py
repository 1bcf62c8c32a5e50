"""The bytes beside the database: where they arrive, and what is swept up. Knows no HTTP and no object's rules.

What has no row in the database is nothing, except what a job was or is trained from: contents are in place before their
rows are written, rows are gone before their contents are. So a process that is killed leaves bytes at most, and
`sweep` finds them.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from rftplan.server.file_store import NEEDED
from rftplan.server.store import Store

_ABANDONED = 3600.0  # seconds without a write after which bytes without a row belong to a process that died
LONGEST_HELD: Final = 900.0
"""Seconds after which who holds a file is taken for dead. Grading has 420 (`scoring.LONGEST`) and its last grade 120;
the rest is for reading the data and for drawing."""
_EXPIRING = f"SELECT id FROM files WHERE deleted_at IS NULL AND expires_at <= ? AND id NOT IN ({NEEDED})"
_NOT_NEEDED = f"SELECT id FROM files WHERE id = ? AND deleted_at IS NOT NULL AND id NOT IN ({NEEDED})"
_KEPT = f"SELECT id FROM files WHERE deleted_at IS NULL UNION {NEEDED}"


@contextmanager
def receive(store: Store, object_id: str) -> Iterator[Path]:
    """A place to write a content to; it is gone afterwards unless somebody took it from there."""
    store.make()
    target = store.incoming / object_id
    try:
        yield target
    finally:
        target.unlink(missing_ok=True)


def hold(store: Store, file_ids: Sequence[str], *, holder: str) -> None:
    """Files that are deleted from now on keep their contents until they are let go, and after it where a job was
    trained from them. `holder` is a name that nobody else has: of a job to be, whose row lets go of them, too."""
    with store.write() as db:
        held = [(file_id, holder, time.time()) for file_id in dict.fromkeys(file_ids)]
        db.executemany("INSERT INTO held VALUES (?,?,?)", held)


def let_go(store: Store, file_ids: Sequence[str], *, holder: str) -> None:
    """Never fails: what cannot be done now, `sweep` does. Writes nothing where the holder holds nothing any more."""
    with suppress(sqlite3.OperationalError):
        if store.rows("SELECT 1 FROM held WHERE holder = ? LIMIT 1", holder):
            with store.write() as db:
                db.execute("DELETE FROM held WHERE holder = ?", (holder,))
        _remove_unneeded(store, file_ids)


def sweep(store: Store, *, now: int) -> None:
    """Removes what dead processes left, and what has expired at `now` (seconds). It writes: for whoever acts."""
    _remove_abandoned(store.incoming, _names(store.incoming))
    _expire(store, now)
    _let_go(store)
    # Listed before the rows are read: what gets its row in between is not taken for an orphan.
    files = {name for name in _names(store.contents) if name.startswith("file-")}
    uploads = {name: _names(store.parts / name) for name in _names(store.parts)}
    _remove_abandoned(store.contents, files - _ids(store, _KEPT))
    if uploads:
        _sweep_parts(store, uploads)


def _sweep_parts(store: Store, uploads: Mapping[str, set[str]]) -> None:
    """`uploads` are the folders that there are, and what is in each."""
    pending = _ids(store, "SELECT id FROM uploads WHERE ended IS NULL")
    parts = _ids(store, "SELECT id FROM parts")
    for upload, names in uploads.items():
        if upload in pending:
            _remove_abandoned(store.parts / upload, names - parts)
        else:
            shutil.rmtree(store.parts / upload, ignore_errors=True)


def _expire(store: Store, now: int) -> None:
    """Rows first, and for good: a clock that goes back brings no object back whose bytes are gone."""
    files = store.rows("SELECT 1 FROM files WHERE deleted_at IS NULL AND expires_at <= ? LIMIT 1", now)
    uploads = store.rows("SELECT 1 FROM uploads WHERE ended IS NULL AND expires_at <= ? LIMIT 1", now)
    if not files and not uploads:
        return
    with store.write() as db:
        gone = [id for (id,) in db.execute(_EXPIRING, (now,))]
        db.execute("UPDATE files SET deleted_at = ?1 WHERE deleted_at IS NULL AND expires_at <= ?1", (now,))
        db.execute("UPDATE uploads SET ended = 'expired' WHERE ended IS NULL AND expires_at <= ?", (now,))
        db.execute("DELETE FROM parts WHERE upload_seq IN (SELECT seq FROM uploads WHERE ended = 'expired')")
    for id in gone:
        (store.contents / id).unlink(missing_ok=True)


def _let_go(store: Store) -> None:
    """What dead processes held."""
    dead = "FROM held WHERE abs(since - ?) > ?", (time.time(), LONGEST_HELD)
    if not store.rows(f"SELECT 1 {dead[0]} LIMIT 1", *dead[1]):
        return
    with store.write() as db:
        files = [id for (id,) in db.execute(f"SELECT file_id {dead[0]}", dead[1])]
        db.execute(f"DELETE {dead[0]}", dead[1])
    _remove_unneeded(store, files)


def _remove_unneeded(store: Store, file_ids: Iterable[str]) -> None:
    for file_id in file_ids:
        for (id,) in store.rows(_NOT_NEEDED, file_id):
            (store.contents / id).unlink(missing_ok=True)


def _names(folder: Path) -> set[str]:
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError), os.scandir(folder) as entries:
        return {entry.name for entry in entries}
    return set()


def _ids(store: Store, known: str) -> set[str]:
    return {id for (id,) in store.rows(known)}


def _remove_abandoned(folder: Path, names: Iterable[str]) -> None:
    # The filesystem's own clock decides: the service's clock may be a test's.
    written_since = time.time() - _ABANDONED
    for name in names:
        with suppress(FileNotFoundError, PermissionError):  # another process was quicker, or we may only read
            if (folder / name).stat().st_mtime < written_since:
                (folder / name).unlink()
