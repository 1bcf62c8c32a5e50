"""The lock as it lies on the disk while a process acts on it: may it be written, and is it still the one that was read.

Decides nothing of what is in it. Whoever changed it meant something: it is told, and never written over.
"""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from rftplan.errors import LockError
from rftplan.journal import Paths
from rftplan.lockfile import Lock, dumps, loads, read_state_file, temporary_for, write_lock


class LockOnDisk(Struct, eq=False):
    """`known` is what this process read or wrote last, None where there was none; `raw` its bytes. `tried` is what it
    went about to write: after an error it may lie there or not."""

    paths: Paths
    known: Lock | None
    raw: bytes | None
    tried: Lock | None = None

    def put(self, lock: Lock) -> int:
        """Write another in its place, under the next serial, which is returned. LockError if it cannot be written, or
        is not the one any more that is known."""
        self.require_same()
        lock = replace(lock, serial=max(lock.serial, self.known.serial if self.known else 0) + 1)
        self.tried = lock
        write_lock(self.paths.lock, lock)
        self._is_now(lock)
        return lock.serial

    def _is_now(self, lock: Lock) -> None:
        self.known, self.raw, self.tried = lock, dumps(lock).encode(), None

    def require_same(self) -> None:
        """LockError if somebody else put another in its place since, or took it away: a `git pull`, an editor. Other
        white space and line endings say the same."""
        name = self.paths.lock.name
        try:
            raw = read_state_file(self.paths.lock)
            if self.tried is not None and raw == dumps(self.tried).encode():
                self._is_now(self.tried)  # it came to lie there, and what failed came after that
            now = None if raw is None or raw == self.raw else loads(raw.decode(), name=name)
        except UnicodeDecodeError:
            raise self._changed("it is no text any more", self._back) from None
        except LockError as error:
            what = re.sub(rf"^{re.escape(name)}(:\d+)? ", "", error.message)
            raise self._changed(f"it {what}", self._back) from None
        if raw is None and self.raw is not None:
            raise self._changed("it is gone", self._back)
        if now is not None and now != self.known:
            raise self._changed(*self._what(now))

    def replaced(self, lineage: str) -> LockError:
        """The lock of `lineage` was replaced while this process waited."""
        name = self.paths.lock.name
        what = "it is gone" if self.known is None else f"it is of lineage {self.known.lineage} now, not {lineage}"
        return LockError(
            f"{name} was changed by somebody else meanwhile: {what}; it is left as it is",
            hint=f"bring the one back that this began on (git log -- {name}), then run rftplan apply, which goes on",
        )

    @property
    def _back(self) -> str:
        """How it becomes the one again that the journal goes on from."""
        name = self.paths.lock.name
        if self.known is None:
            return f"move {name} away"
        return f"bring the one back that this began on, serial {self.known.serial} (git log -- {name})"

    def _what(self, now: Lock) -> tuple[str, str]:
        known = self.known
        if known is None:
            return f"there was none, and it is of lineage {now.lineage}", self._back
        if now.lineage != known.lineage:
            return f"it is of lineage {now.lineage} now, not {known.lineage}", self._back
        if now.serial != known.serial:
            return f"it is at serial {now.serial} now, not {known.serial}", self._back
        both = {*now.resources, *known.resources}
        edited = sorted(str(a) for a in both if now.resources.get(a) != known.resources.get(a))
        return f"{', '.join(edited) or 'something'} differs", "look whether you want to keep that"

    def _changed(self, what: str, back: str) -> LockError:
        return LockError(
            f"{self.paths.lock.name} was changed by somebody else meanwhile: {what}; it is left as it is",
            hint=f"what was done is in journal {self.paths.shown}: {back}, then run rftplan apply, which adds it",
        )


def require_writable(paths: Paths) -> None:
    """Before anything is done: lock and journal may be written, and files put beside them, as to replace them takes.
    Somebody who made the lock read-only meant it."""
    lock = paths.lock.resolve()
    for path, name in ((lock, lock.name), (paths.journal, f"journal {paths.shown}")):
        temporary = temporary_for(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                path.open("ab").close()
            temporary.open("wb").close()
            temporary.unlink()
        except OSError as error:
            raise LockError(
                f"{name} cannot be written: {error.strerror}",
                hint="nothing was done; fix the permissions of it and of its folder, or make room, then run it again",
            ) from None
