"""Files in the store: a row that makes an object exist, and its content beside the database. Knows no HTTP.

A file's content is in place before its row is written, and its row is gone before its content is, so that a
process killed in between leaves no half object; `contents.sweep` removes what it leaves. What a job was trained
from keeps its content also without a row: its checkpoints answer from it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from rftplan.server.paging import Order, Page, bad_cursor
from rftplan.server.store import Store, first

# As `file_object.file_shape`.
_TEXT = """json_object('object', 'file', 'id', id, 'purpose', purpose, 'filename', filename, 'bytes', bytes,
    'created_at', created_at, 'expires_at', expires_at, 'status', 'processed', 'status_details', NULL)"""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Times are in seconds since the epoch."""

    id: str
    created_at: int
    bytes: int
    filename: str
    purpose: str
    expires_at: int | None


def insert_file(db: sqlite3.Connection, file: StoredFile) -> None:
    db.execute(
        "INSERT INTO files (id, created_at, bytes, filename, purpose, expires_at) VALUES (?,?,?,?,?,?)",
        (file.id, file.created_at, file.bytes, file.filename, file.purpose, file.expires_at),
    )


class FileStore:
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, file: StoredFile) -> None:
        """Makes the received content an object."""
        (self._store.incoming / file.id).replace(self.content(file.id))
        with self._store.write() as db:
            insert_file(db, file)

    def content(self, file_id: str) -> Path:
        """Where the content is of a file that exists, or that a job was trained from. `file_id` is one of ours."""
        return self._store.contents / file_id

    def get(self, file_id: str, *, now: int) -> StoredFile | None:
        """None if it never was, is deleted or has expired at `now` (seconds)."""
        row = first(
            self._store.rows(
                "SELECT id, created_at, bytes, filename, purpose, expires_at FROM files WHERE id = ? "
                "AND deleted_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
                file_id,
                now,
            )
        )
        return StoredFile(*row) if row else None

    def page(self, page: Page, *, order: Order, purpose: str | None, now: int) -> list[tuple[str, str]]:
        """Ids, each with the JSON text of its file, which SQLite writes: ten thousand of them are one page.

        One more than the limit if there are more; raises ApiError for a cursor that never was a file.
        """
        direction, beyond = ("ASC", ">") if order is Order.ASCENDING else ("DESC", "<")
        cursor = self._cursor(page.after)
        return self._store.tuples(
            f"SELECT id, {_TEXT} FROM files WHERE deleted_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"
            + (" AND purpose = ?" if purpose is not None else " AND ? IS NULL")
            + (f" AND seq {beyond} ?" if cursor is not None else " AND ? IS NULL")
            + f" ORDER BY seq {direction} LIMIT ?",
            now,
            purpose,
            cursor,
            page.limit + 1,
        )

    def delete(self, file_id: str, *, now: int) -> None:
        """The row stays as a tombstone, so that a page that ended at this file can still be followed."""
        with self._store.write() as db:
            db.execute("UPDATE files SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL", (now, file_id))
            needed = db.execute("SELECT 1 FROM trained_from WHERE file_id = ? LIMIT 1", (file_id,)).fetchone()
        if not needed:
            self.content(file_id).unlink(missing_ok=True)

    def _cursor(self, after: str | None) -> int | None:
        if after is None:
            return None
        row = first(self._store.rows("SELECT seq FROM files WHERE id = ?", after))
        if row is None:
            raise bad_cursor(after)
        return int(row["seq"])
