"""Uploads in the store: what was announced, and its parts until they become a file. Knows no HTTP.

A part's bytes are in place before its row is written; what belongs to no pending upload is swept up
(`contents.sweep`). Parts stay as they came: their order is known only when the upload is completed.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from rftplan.server.errors import ApiError, not_found
from rftplan.server.file_store import FileStore, StoredFile, insert_file
from rftplan.server.store import Store, first

_PIECE = 2**20


class UploadStatus(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class StoredUpload(Struct, frozen=True):
    """Times are in seconds since the epoch; `lifetime` is how many seconds its file shall live, None for ever."""

    id: str
    created_at: int
    bytes: int
    filename: str
    purpose: str
    mime_type: str
    lifetime: int | None
    expires_at: int
    status: UploadStatus


class Content(Struct, frozen=True):
    """Parts put together; `md5` is in hexadecimal digits."""

    bytes: int
    md5: str


class UploadStore:
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, upload: StoredUpload) -> None:
        with self._store.write() as db:
            db.execute(
                "INSERT INTO uploads (id, created_at, bytes, filename, purpose, mime_type, lifetime, expires_at) "
                "VALUES (?,?,?,?,?,?,?,?)",
                (
                    upload.id,
                    upload.created_at,
                    upload.bytes,
                    upload.filename,
                    upload.purpose,
                    upload.mime_type,
                    upload.lifetime,
                    upload.expires_at,
                ),
            )

    def pending(self, upload_id: str, *, now: int) -> StoredUpload:
        """The upload; raises ApiError where there is none, or none that still waits for something."""
        row = first(
            self._store.rows(
                "SELECT id, created_at, bytes, filename, purpose, mime_type, lifetime, expires_at, ended "
                "FROM uploads WHERE id = ?",
                upload_id,
            )
        )
        if row is None:
            raise not_found(f"No such Upload object: {upload_id}", param="upload_id")
        upload = StoredUpload(*(*row[:-1], _status(row["ended"], row["expires_at"], now)))
        if upload.status is not UploadStatus.PENDING:
            raise ApiError(f"Upload {upload_id} is {upload.status}.", param="upload_id")
        return upload

    def add_part(self, upload_id: str, part_id: str, *, size: int, largest: int, now: int) -> None:
        """Makes the received content a part; raises ApiError where the upload takes no more, as its parts together
        may have at most `largest` bytes."""
        with self._store.write() as db:
            self.pending(upload_id, now=now)
            seq, present = db.execute(
                "SELECT uploads.seq, coalesce(sum(parts.bytes), 0) FROM uploads "
                "LEFT JOIN parts ON upload_seq = uploads.seq WHERE uploads.id = ?",
                (upload_id,),
            ).fetchone()
            if present + size > largest:
                message = f"The parts of upload {upload_id} would have more than {largest} bytes together."
                raise ApiError(message, param="data")
            db.execute("INSERT INTO parts (id, upload_seq, bytes) VALUES (?,?,?)", (part_id, seq, size))
            self._folder(upload_id).mkdir(parents=True, exist_ok=True)
            (self._store.incoming / part_id).replace(self._folder(upload_id) / part_id)

    def parts(self, upload_id: str) -> dict[str, int]:
        """The parts that it has now, and the bytes of each."""
        rows = self._store.rows(
            "SELECT parts.id, parts.bytes FROM parts JOIN uploads ON upload_seq = uploads.seq WHERE uploads.id = ?",
            upload_id,
        )
        return {str(row["id"]): int(row["bytes"]) for row in rows}

    def assemble(self, upload_id: str, part_ids: Sequence[str], target: Path) -> Content:
        """Writes the parts in this order to `target`; FileNotFoundError where somebody else just ended the upload."""
        digest = hashlib.md5(usedforsecurity=False)
        with target.open("wb") as whole:
            for part_id in part_ids:
                with (self._folder(upload_id) / part_id).open("rb") as part:
                    while piece := part.read(_PIECE):
                        digest.update(piece)
                        whole.write(piece)
            return Content(whole.tell(), digest.hexdigest())

    def complete(self, upload_id: str, file: StoredFile, *, now: int, placed_at: int) -> None:
        """Makes the received content a file, and the upload completed, both or neither.

        `placed_at` is the time, in microseconds, after the parts were put together.
        """
        with self._store.write() as db:
            self.pending(upload_id, now=now)
            insert_file(db, file, now=placed_at)
            _end(db, upload_id, UploadStatus.COMPLETED)
            (self._store.incoming / file.id).replace(FileStore(self._store).content(file.id))
        self._remove_parts(upload_id)

    def cancel(self, upload_id: str, *, now: int) -> StoredUpload:
        """The upload as it was until now."""
        with self._store.write() as db:
            upload = self.pending(upload_id, now=now)
            _end(db, upload_id, UploadStatus.CANCELLED)
        self._remove_parts(upload_id)
        return upload

    def _folder(self, upload_id: str) -> Path:
        """`upload_id` is one that the store has, never a client's text."""
        return self._store.parts / upload_id

    def _remove_parts(self, upload_id: str) -> None:
        shutil.rmtree(self._folder(upload_id), ignore_errors=True)


def _end(db: sqlite3.Connection, upload_id: str, status: UploadStatus) -> None:
    db.execute("DELETE FROM parts WHERE upload_seq = (SELECT seq FROM uploads WHERE id = ?)", (upload_id,))
    db.execute("UPDATE uploads SET ended = ? WHERE id = ?", (status, upload_id))


def _status(ended: str | None, expires_at: int, now: int) -> UploadStatus:
    if ended is not None:
        return UploadStatus(ended)
    return UploadStatus.EXPIRED if expires_at <= now else UploadStatus.PENDING
