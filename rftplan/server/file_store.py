"""Files in the store: a row that makes an object exist, and its content beside the database. Knows no HTTP.

A file's content is in place before its row is written, and its row is gone before its content is, so that a
process killed in between leaves no half object; `contents.sweep` removes what it leaves. What a job was trained
from keeps its content also when it is deleted, already while the job trains: its checkpoints answer from it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from rftplan.server.lifecycle import MICROSECONDS
from rftplan.server.paging import Order, Page, bad_cursor
from rftplan.server.remembered import Remembered
from rftplan.server.store import Store, as_json, first

# As `file_object.file_shape`.
_TEXT = """json_object('object', 'file', 'id', id, 'purpose', purpose, 'filename', filename, 'bytes', bytes,
    'created_at', created_at, 'expires_at', expires_at, 'status', 'processed', 'status_details', NULL)"""
# At ?1. What a job leaves has its row from the start; its place in the list is the time when it leaves it.
_LEFT = "(result_of IS NULL OR place <= ?1)"
_THERE = f"deleted_at IS NULL AND (expires_at IS NULL OR expires_at > ?1 / {MICROSECONDS}) AND {_LEFT}"
_WAS_THERE = (
    f"place <= ?1 AND (deleted_at IS NULL OR deleted_at > ?1 / {MICROSECONDS}) "
    f"AND (expires_at IS NULL OR expires_at > ?1 / {MICROSECONDS})"
)
_NEVER = 2**62
NEEDED = "SELECT file_id FROM trained_from UNION ALL SELECT file_id FROM held"
"""Files whose contents stay when the files are deleted: jobs were trained from them, or are being trained."""


class StoredFile(Struct, frozen=True):
    """Times are in seconds since the epoch."""

    id: str
    created_at: int
    bytes: int
    filename: str
    purpose: str
    expires_at: int | None


def insert_file(db: sqlite3.Connection, file: StoredFile, *, now: int) -> None:
    """Puts it behind all files that are there at `now`, in microseconds, even if the clock went back since."""
    db.execute(
        "INSERT INTO files (id, created_at, bytes, filename, purpose, expires_at, place) VALUES (?1,?2,?3,?4,?5,?6, "
        "max(?7, coalesce("
        "(SELECT place FROM files WHERE result_of IS NULL OR place <= ?7 ORDER BY place DESC LIMIT 1), 0)))",
        (file.id, file.created_at, file.bytes, file.filename, file.purpose, file.expires_at, now),
    )


def insert_result(db: sqlite3.Connection, file: StoredFile, *, job_seq: int) -> None:
    """The file that a job leaves. Nobody sees it before `settle_result` says when, and that time has come."""
    db.execute(
        "INSERT INTO files (id, created_at, bytes, filename, purpose, place, result_of) VALUES (?,?,?,?,?,?,?)",
        (file.id, file.created_at, file.bytes, file.filename, file.purpose, _NEVER, job_seq),
    )


def settle_result(db: sqlite3.Connection, *, job_seq: int, at: int | None) -> None:
    """When the job leaves its file, in microseconds; None if nobody knows that it will."""
    place, created_at = (_NEVER, 0) if at is None else (at, at // MICROSECONDS)
    db.execute("UPDATE files SET place = ?, created_at = ? WHERE result_of = ?", (place, created_at, job_seq))


def drop_result(db: sqlite3.Connection, *, job_seq: int) -> None:
    """Of a job that will never leave it; its content is to be removed once this is committed."""
    db.execute("DELETE FROM files WHERE result_of = ?", (job_seq,))


class FileStore:
    """Every `now` is in microseconds."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, file: StoredFile, *, now: int) -> None:
        """Makes the received content an object."""
        (self._store.incoming / file.id).replace(self.content(file.id))
        with self._store.write() as db:
            insert_file(db, file, now=now)

    def content(self, file_id: str) -> Path:
        """Where the content is of a file that exists, or that a job was trained from. `file_id` is one of ours."""
        return self._store.contents / file_id

    def get(self, file_id: str, *, now: int) -> StoredFile | None:
        """None if it never was, is deleted, has expired at `now`, or if its job has not left it yet."""
        row = first(
            self._store.rows(
                f"SELECT id, created_at, bytes, filename, purpose, expires_at FROM files WHERE {_THERE} AND id = ?2",
                now,
                file_id,
            )
        )
        return StoredFile(*row) if row else None

    def newest(self, name: str, *, now: int) -> str | None:
        """The id of the newest file whose id or filename fits a glob."""
        found = f"SELECT id FROM files WHERE {_THERE} AND (id GLOB ?2 OR filename GLOB ?2)"
        row = first(self._store.rows(f"{found} ORDER BY place DESC, seq DESC LIMIT 1", now, name))
        return row["id"] if row else None

    def page(
        self,
        page: Page,
        *,
        order: Order,
        purpose: str | None,
        now: int,
        known: Remembered[int, tuple[str, str]],
        until: int | None = None,
    ) -> list[tuple[str, str]]:
        """Ids, each with the JSON text of its file, which SQLite writes: ten thousand of them are one page.

        One more than the limit if there are more; raises ApiError for a cursor that never was a file. `until` is
        None, or a time that has passed: those that were there then.
        """
        there = _THERE if until is None else _WAS_THERE
        direction, beyond = ("ASC", ">") if order is Order.ASCENDING else ("DESC", "<")
        place, seq = (None, None) if page.after is None else self._cursor(page.after, now=now)
        seqs = self._store.tuples(
            f"SELECT seq FROM files WHERE {there} AND "
            + ("?2 IS NULL" if purpose is None else "purpose = ?2")
            + (" AND ?3 IS NULL AND ?4 IS NULL" if page.after is None else f" AND (place, seq) {beyond} (?3, ?4)")
            + f" ORDER BY place {direction}, seq {direction} LIMIT ?5",
            now if until is None else until,
            purpose,
            place,
            seq,
            page.limit + 1,
        )
        return self._texts([seq for (seq,) in seqs], known)

    def _texts(self, seqs: Sequence[int], known: Remembered[int, tuple[str, str]]) -> list[tuple[str, str]]:
        """In this order, without what is gone since. When a job leaves its file may still change."""
        said = [known.get(seq) for seq in seqs]
        if not (missing := [seq for seq, one in zip(seqs, said, strict=True) if one is None]):
            return [one for one in said if one is not None]
        sql = f"SELECT seq, id, {_TEXT}, result_of IS NULL FROM files WHERE seq IN (SELECT value FROM json_each(?))"
        new = {}
        for seq, file_id, text, stays in self._store.tuples(sql, as_json(missing)):
            new[seq] = (file_id, text)
            if stays:
                known.keep(seq, new[seq], characters=len(text))
        both = (one or new.get(seq) for seq, one in zip(seqs, said, strict=True))
        return [one for one in both if one is not None]

    def delete(self, file_id: str, *, now: int) -> None:
        """The row stays as a tombstone, so that a page that ended at this file can still be followed."""
        with self._store.write() as db:
            db.execute(
                "UPDATE files SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL", (now // MICROSECONDS, file_id)
            )
            needed = db.execute(f"SELECT 1 FROM ({NEEDED}) WHERE file_id = ? LIMIT 1", (file_id,)).fetchone()
        if not needed:
            self.content(file_id).unlink(missing_ok=True)

    def _cursor(self, after: str, *, now: int) -> tuple[int, int]:
        known = f"SELECT place, seq FROM files WHERE id = ?2 AND {_LEFT}"
        row = first(self._store.rows(known, now, after))
        if row is None:
            raise bad_cursor(after)
        return row["place"], row["seq"]
