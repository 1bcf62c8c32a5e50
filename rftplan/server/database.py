"""Open the one SQLite file of the store: to read it as it lies there, or to act on it. Knows no resource's rules.

Who reads changes nothing: neither the version of a store nor anybody's rights to it.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from rftplan.server.schema import SCHEMA_VERSION, bring_up_to_date, version_of

BUSY_TIMEOUT = 10.0  # seconds; every transaction here is short, so that only a stuck process takes longer
_ATTEMPTS = 50
_OURS: Final = 0o600
_OF_OTHERS: Final = 0o077
_LONGEST: Final = 80  # of what SQLite says; Python repeats the whole column
_PRIMARY: Final = 0xFF  # of an error code of SQLite's, without what refines it
_PRIVATE = ""  # SQLite's name for a database of one connection, which spills to the disk and leaves nothing there
_IN_MEMORY = ":memory:"


class StoreError(Exception):
    """The store cannot be opened; the message says what to do."""


class DamagedError(StoreError):
    """The store's file is there and is not whole; the message says which, and what may be lost."""


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """What SQLite meets in a file that is not whole, as DamagedError; every other error as it is."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if not _is_damage(error):
            raise
        raise _damaged(path, error) from error


class Reader:
    """Reads what is there, if anything is. A store of an older version is read from a private copy that is brought up
    to date, taken anew when the store has changed."""

    def __init__(self, path: Path) -> None:
        """Raises StoreError for a file that is no store, that cannot be read, or of a newer version."""
        self._path = path
        self._copied: int | None = None
        self._there: sqlite3.Connection | None = None
        self._shown = _empty()
        self._look()

    def current(self) -> sqlite3.Connection:
        """A connection to read from, now; raises StoreError as opening does."""
        if self._there is None:
            self._look()
        elif self._copied is not None and _changes_of(self._there) != self._copied:
            self._show(self._there)
        return self._shown

    def close(self) -> None:
        self._shown.close()
        if self._there is not None:
            self._there.close()

    def _look(self) -> None:
        if _exists(self._path):
            there = _open_there(self._path)
            try:
                self._show(there)
            except BaseException:  # nobody else can close what was never kept
                there.close()
                raise
            self._there = there

    def _show(self, there: sqlite3.Connection) -> None:
        """`there` itself, or a copy of it."""
        shown, copied = there, None
        try:
            changes = _changes_of(there)
            refuse_newer(there, self._path)
            if version_of(there) < SCHEMA_VERSION:
                shown, copied = _copy(there), changes
        except sqlite3.DatabaseError as error:
            raise _unusable(self._path, error) from error
        if self._shown is not there:
            self._shown.close()
        self._shown, self._copied = shown, copied


def open_to_act(path: Path) -> sqlite3.Connection:
    """Made where there is none, else brought up to date; for this user alone. Raises StoreError."""
    _tighten(path)
    try:
        db = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from error
    try:
        db.row_factory = sqlite3.Row
        refuse_newer(db, path)
        _use_wal(db)
        # At NORMAL a killed process loses nothing; a power cut may lose the last transactions, whole.
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA foreign_keys=ON")
        bring_up_to_date(db)
        _touch(db)
    except sqlite3.DatabaseError as error:
        db.close()
        raise _unusable(path, error) from error
    except BaseException:  # nobody else can close what was never handed over
        db.close()
        raise
    return db


def make_folder(path: Path) -> None:
    """With the folders above it, where it is not there; raises StoreError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path} cannot be made: {error.strerror}") from error


def refuse_newer(db: sqlite3.Connection, path: Path) -> None:
    if (version := version_of(db)) > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer rftplan (store version {version}, this one knows "
            f"{SCHEMA_VERSION}). Use that version, or another store."
        )


def _tighten(path: Path) -> None:
    """Whatever the umask says: the store holds prompts and answers, and what SQLite lays beside it gets its rights.

    The folder is closed to others only if it holds nothing else. What belongs to somebody else stays as it is.
    """
    with suppress(OSError):  # it is there, or who opens it tells why it cannot be made
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OURS))
    with suppress(OSError):
        beside = list(path.parent.iterdir())
        ours = [one for one in beside if one.name.startswith(path.name)]
        for one in [path.parent, *ours] if len(ours) == len(beside) else ours:
            _close_to_others(one)


def _close_to_others(path: Path) -> None:
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & _OF_OTHERS:
            path.chmod(mode & ~_OF_OTHERS)


def _empty() -> sqlite3.Connection:
    """A store without a file, for reading."""
    db = _connect(_IN_MEMORY)
    bring_up_to_date(db)
    return db


def _copy(there: sqlite3.Connection) -> sqlite3.Connection:
    copy = _connect(_PRIVATE)
    try:
        there.backup(copy)
        bring_up_to_date(copy)
    except BaseException:  # nobody else can close what was never handed over
        copy.close()
        raise
    return copy


def _open_there(path: Path) -> sqlite3.Connection:
    """What is there, as it is; where its folder allows no writing, without the files that SQLite keeps beside it."""
    uri = path.absolute().as_uri()
    try:
        return _readable(f"{uri}?mode=rw")
    except sqlite3.DatabaseError as error:
        if not path.is_file() or os.access(path.parent, os.W_OK):
            raise _unusable(path, error) from error
    log = path.with_name(f"{path.name}-wal")
    try:
        if _exists(log) and log.stat().st_size:
            raise StoreError(
                f"{path} cannot be read: {log.name} beside it has changes that are not in it yet, and nothing may be "
                "written in its folder. Run any command once as somebody who may write there, or copy the folder and "
                "read the copy."
            )
        return _readable(f"{uri}?immutable=1")
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from error


def _readable(uri: str) -> sqlite3.Connection:
    db = _connect(uri)
    try:
        db.execute("PRAGMA query_only=ON")
        _touch(db)  # only now is it looked at
    except BaseException:  # nobody else can close what was never handed over
        db.close()
        raise
    return db


def _touch(db: sqlite3.Connection) -> None:
    """Reads where each table begins: damage shows there at a cost that does not grow with the store."""
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        db.execute(f'SELECT 1 FROM "{name}" NOT INDEXED LIMIT 1').fetchall()


def _connect(uri: str) -> sqlite3.Connection:
    db = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    return db


def _changes_of(db: sqlite3.Connection) -> int:
    """A number that is another one when somebody else has changed the database."""
    (number,) = db.execute("PRAGMA data_version").fetchone()
    return int(number)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise StoreError(f"{path} cannot be looked at: {error.strerror}. Ask whoever it belongs to.") from error


def _damaged(path: Path, error: sqlite3.DatabaseError) -> DamagedError:
    return DamagedError(
        f"{path} is damaged: {str(error)[:_LONGEST]}. The local service's jobs and files may be lost; "
        "rftplan.lock still names them"
    )


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # an error of Python's module: all that this service writes is UTF-8
        return str(error).startswith("Could not decode to UTF-8")
    return bool(code & _PRIMARY == sqlite3.SQLITE_CORRUPT)


def _unusable(path: Path, error: sqlite3.DatabaseError) -> StoreError:
    if _is_damage(error):
        return _damaged(path, error)
    return StoreError(f"{path} cannot be opened as the local service's store: {error}")


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
