"""Open the one SQLite file that holds the service's state, and share it safely. Knows no resource's rules."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BUSY_TIMEOUT = 10.0  # seconds; every transaction here is short, so that only a stuck process takes longer
_ATTEMPTS = 50

_SCHEMAS = (
    """
CREATE TABLE files (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL, filename TEXT NOT NULL, purpose TEXT NOT NULL,
    expires_at INTEGER, deleted_at INTEGER);
CREATE INDEX files_present ON files (purpose, seq) WHERE deleted_at IS NULL;
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
    speed REAL NOT NULL, steps INTEGER NOT NULL, failure TEXT, request TEXT NOT NULL, metadata TEXT,
    hyperparameters TEXT NOT NULL, trained_tokens INTEGER NOT NULL, fine_tuned_model TEXT NOT NULL UNIQUE,
    simulation TEXT, notes TEXT NOT NULL);
CREATE TABLE steps (
    job_seq INTEGER NOT NULL REFERENCES jobs, number INTEGER NOT NULL, message TEXT NOT NULL,
    metrics TEXT NOT NULL, checkpoint TEXT, PRIMARY KEY (job_seq, number)) WITHOUT ROWID;
CREATE INDEX steps_with_checkpoint ON steps (job_seq, number) WHERE checkpoint IS NOT NULL;
CREATE TABLE commands (
    job_seq INTEGER NOT NULL REFERENCES jobs, number INTEGER NOT NULL, at INTEGER NOT NULL,
    verb TEXT NOT NULL, PRIMARY KEY (job_seq, number)) WITHOUT ROWID;
CREATE TABLE deleted_models (id TEXT PRIMARY KEY, deleted_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE permissions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, model TEXT NOT NULL,
    project_id TEXT NOT NULL, created_at INTEGER NOT NULL, deleted_at INTEGER);
CREATE INDEX permissions_of_model ON permissions (model, seq) WHERE deleted_at IS NULL;
""",
    """
CREATE TABLE uploads (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL, filename TEXT NOT NULL, purpose TEXT NOT NULL, mime_type TEXT NOT NULL,
    lifetime INTEGER, expires_at INTEGER NOT NULL, ended TEXT);
CREATE INDEX uploads_pending ON uploads (expires_at) WHERE ended IS NULL;
CREATE TABLE parts (
    id TEXT PRIMARY KEY, upload_seq INTEGER NOT NULL REFERENCES uploads, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX parts_of_upload ON parts (upload_seq);
CREATE INDEX files_to_expire ON files (expires_at) WHERE deleted_at IS NULL AND expires_at IS NOT NULL;
""",
    """
CREATE TABLE validations (
    job_seq INTEGER NOT NULL REFERENCES jobs, number INTEGER NOT NULL, model TEXT, samples TEXT NOT NULL,
    PRIMARY KEY (job_seq, number));
CREATE TABLE answers (
    job_seq INTEGER NOT NULL REFERENCES jobs, row INTEGER NOT NULL, said BLOB NOT NULL,
    PRIMARY KEY (job_seq, row));
CREATE TABLE trained_from (
    file_id TEXT NOT NULL, job_seq INTEGER NOT NULL REFERENCES jobs, PRIMARY KEY (file_id, job_seq)) WITHOUT ROWID;
""",
    """
ALTER TABLE jobs ADD COLUMN result_file TEXT;
ALTER TABLE files ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN result_of INTEGER REFERENCES jobs;
UPDATE files SET place = created_at * 1000000;
CREATE INDEX files_in_order ON files (place, seq);
CREATE UNIQUE INDEX files_of_jobs ON files (result_of) WHERE result_of IS NOT NULL;
""",
    """
CREATE TABLE clock (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL);
""",
    """
DROP INDEX files_present;
CREATE INDEX files_present ON files (purpose, place, seq) WHERE deleted_at IS NULL;
""",
)
"""What each version of the store added to the one before; what was released is never edited."""

SCHEMA_VERSION = len(_SCHEMAS)


class StoreError(Exception):
    """The store cannot be opened; the message says what to do."""


class Store:
    """The database and the directory of file contents beside it. Safe between threads and processes.

    Where there is none it is empty, and made by the first write: who only reads leaves nothing behind.
    """

    def __init__(self, path: Path) -> None:
        """Opens what is there; raises StoreError for a file that is no store or one of a newer version."""
        self.contents = path.with_name(path.name + "-files")
        self.incoming = self.contents / "incoming"
        self.parts = self.contents / "parts"
        self._path = path
        self._lock = threading.RLock()
        self._made = path.exists()
        self._db = _open_there(path) if self._made else _empty()

    @property
    def made(self) -> bool:
        """Whether there is one on the disk, as far as this process has looked."""
        return self._made

    def make(self) -> None:
        """See to it that the store is on the disk; raises StoreError where it cannot be."""
        with self._lock:
            if self._made and self.incoming.is_dir():
                return
            try:
                self.incoming.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(f"{self.incoming} cannot be made: {error.strerror}") from error
            self._open_made()

    def _open_made(self) -> None:
        if not self._made:
            db, self._db = self._db, _open(self._path)
            self._made = True
            db.close()

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """All rows of one read."""
        with self._lock:
            self._look_again()
            return self._db.execute(sql, values).fetchall()

    def tuples(self, sql: str, *values: object) -> list[Any]:
        """The same for many rows, of which each is taken apart at once: quicker to make than rows with names."""
        with self._lock:
            self._look_again()
            cursor = self._db.cursor()
            cursor.row_factory = None
            return cursor.execute(sql, values).fetchall()

    def _look_again(self) -> None:
        if not self._made and self._path.exists():  # made by another process since
            self._open_made()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction that has the write lock from its start: what it reads stays true until it ends."""
        with self._lock:
            self.make()
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:  # whatever ended the block, Ctrl-C too: an open transaction would lock everybody out
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            self._db.close()


def there_at(time: int | None) -> tuple[str, tuple[int, ...]]:
    """The condition for rows that are there now, or were at a time, and its values."""
    if time is None:
        return "deleted_at IS NULL", ()
    return "created_at <= ? AND (deleted_at IS NULL OR deleted_at > ?)", (time, time)


def first(rows: Sequence[sqlite3.Row]) -> sqlite3.Row | None:
    return rows[0] if rows else None


def _empty() -> sqlite3.Connection:
    """A store without a file, for reading."""
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    _create_schema(db)
    return db


def _open_there(path: Path) -> sqlite3.Connection:
    """For writing; where its directory allows no writing, as it lies there."""
    try:
        return _open(path)
    except StoreError:
        if not path.is_file() or os.access(path.parent, os.W_OK):
            raise
    uri = f"{path.absolute().as_uri()}?immutable=1"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        _refuse_newer(db, path)
    except sqlite3.DatabaseError as error:
        db.close()
        raise _unusable(path, error) from error
    except BaseException:  # nobody else can close what was never handed over
        db.close()
        raise
    return db


def _open(path: Path) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from error
    try:
        db.row_factory = sqlite3.Row
        _refuse_newer(db, path)
        _use_wal(db)
        # At NORMAL a killed process loses nothing; a power cut may lose the last transactions, whole.
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA foreign_keys=ON")
        _create_schema(db)
    except sqlite3.DatabaseError as error:
        db.close()
        raise _unusable(path, error) from error
    except BaseException:  # nobody else can close what was never handed over
        db.close()
        raise
    return db


def _unusable(path: Path, error: sqlite3.DatabaseError) -> StoreError:
    return StoreError(f"{path} cannot be opened as the local service's store: {error}")


def _version(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def _refuse_newer(db: sqlite3.Connection, path: Path) -> None:
    if (version := _version(db)) > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer rftplan (store version {version}, this one knows "
            f"{SCHEMA_VERSION}). Use that version, or another store."
        )


def _use_wal(db: sqlite3.Connection) -> None:
    """SQLite does not wait where two processes switch to WAL at once; a write lock it does wait for."""
    for attempt in range(_ATTEMPTS):
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if attempt == _ATTEMPTS - 1:
                raise
            db.execute("BEGIN IMMEDIATE")
            db.execute("COMMIT")


def _create_schema(db: sqlite3.Connection) -> None:
    if _version(db) == SCHEMA_VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for script in _SCHEMAS[_version(db) :]:
            _run_script(db, script)
        db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    except BaseException:  # half a schema must not be committed, nor the write lock be kept
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _run_script(db: sqlite3.Connection, script: str) -> None:
    """Unlike `executescript`, without committing the transaction first."""
    for statement in script.split(";"):
        if statement.strip():
            db.execute(statement)


def as_json(value: Any) -> str:
    """The one text form in which the store keeps structures; raises ValueError for NaN and infinities."""
    return _ENCODER.encode(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
