"""Deleted models and checkpoint permissions in the store. Knows no HTTP and no job."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from rftplan.server.paging import Order, Page, bad_cursor
from rftplan.server.store import Store, first, there_at


class Permission(Struct, frozen=True):
    """One project's leave to use a model. `created_at` is in seconds since the epoch."""

    id: str
    created_at: int
    project_id: str


class ModelStore:
    def __init__(self, store: Store) -> None:
        self._store = store

    def deleted(self, *, until: int | None = None) -> frozenset[str]:
        """Those that are gone, or were at a time, in seconds."""
        rows = self._store.rows("SELECT id FROM deleted_models WHERE ?1 IS NULL OR deleted_at <= ?1", until)
        return frozenset(row["id"] for row in rows)

    def delete(self, model: str, *, now: int) -> None:
        with self._store.write() as db:
            db.execute("INSERT OR IGNORE INTO deleted_models VALUES (?,?)", (model, now))

    def grant(self, model: str, permissions: Sequence[Permission]) -> list[Permission]:
        """The permissions of these projects, those that were there already as they are."""
        granted = []
        with self._store.write() as db:
            for new in permissions:
                row = db.execute(
                    "SELECT id, created_at, project_id FROM permissions "
                    "WHERE model = ? AND project_id = ? AND deleted_at IS NULL",
                    (model, new.project_id),
                ).fetchone()
                if row is None:
                    db.execute(
                        "INSERT INTO permissions (id, model, project_id, created_at) VALUES (?,?,?,?)",
                        (new.id, model, new.project_id, new.created_at),
                    )
                granted.append(Permission(*row) if row else new)
        return granted

    def revoke(self, model: str, permission_id: str, *, now: int) -> bool:
        """Whether there was such a permission."""
        with self._store.write() as db:
            cursor = db.execute(
                "UPDATE permissions SET deleted_at = ? WHERE id = ? AND model = ? AND deleted_at IS NULL",
                (now, permission_id, model),
            )
            return cursor.rowcount > 0

    def permissions(
        self, model: str, page: Page, *, order: Order, project_id: str | None, until: int | None = None
    ) -> list[Permission]:
        """One more than the limit if there are more. With `until` (seconds), those that were there at that time."""
        direction, beyond = ("ASC", ">") if order is Order.ASCENDING else ("DESC", "<")
        cursor = self._cursor(model, page.after)
        present, times = there_at(until)
        rows = self._store.rows(
            "SELECT id, created_at, project_id FROM permissions WHERE model = ? "
            f"AND {present} AND (? IS NULL OR project_id = ?) "
            f"AND (? IS NULL OR seq {beyond} ?) ORDER BY seq {direction} LIMIT ?",
            model,
            *times,
            project_id,
            project_id,
            cursor,
            cursor,
            page.limit + 1,
        )
        return [Permission(*row) for row in rows]

    def _cursor(self, model: str, after: str | None) -> int | None:
        if after is None:
            return None
        row = first(self._store.rows("SELECT seq FROM permissions WHERE id = ? AND model = ?", after, model))
        if row is None:
            raise bad_cursor(after)
        return int(row["seq"])
