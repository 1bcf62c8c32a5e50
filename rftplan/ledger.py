"""The one way to change what is known: append to the journal, fold into the lock. Calls no service, knows no kind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.identity import ProviderIdentity
from rftplan.canonical import JsonObject
from rftplan.errors import LockError
from rftplan.journal import FORMAT, Intent, Paths, State, differs, line_of, read_state
from rftplan.lock_on_disk import LockOnDisk, require_writable
from rftplan.lockfile import Entry, entry_document, read_state_file, sync_directory, temporary_for


class Ledger:
    """The one way to change what is known: appends to the journal, folds into the lock.

    Held by one process at a time (the caller holds the file lock). Records are written in the order of the
    calls, and a process that dies loses none of them; after `synced` and `fold` a machine that dies loses none
    either. Cost is O(1) an effect, O(lock) a fold.
    """

    def __init__(
        self,
        paths: Paths,
        provider: ProviderIdentity,
        state: State,
        lock: LockOnDisk,
        now: Callable[[], float],
        sync: Callable[[int], None],
    ) -> None:
        self._paths = paths
        self._provider = provider
        self._state = state
        self._lock = lock
        self._now = now
        self._sync = sync
        self._stream: Any = None
        self._written = 0
        self._durable = 0
        self._syncing: asyncio.Future[None] | None = None
        self._refused: LockError | None = None
        self._begun: set[int] = set()

    @property
    def lineage(self) -> str:
        return self._state.lineage

    @property
    def entries(self) -> Mapping[Address, Entry]:
        return self._state.entries

    @property
    def tombstones(self) -> Mapping[Address, tuple[str, ...]]:
        return self._state.tombstones

    @property
    def intents(self) -> tuple[Intent, ...]:
        return tuple(self._state.intents.values())

    @property
    def waiting(self) -> tuple[Address, ...]:
        return self._state.waiting

    def require_lineage(self, lineage: str) -> None:
        """LockError where the lock was taken away, or replaced by one of another lineage, while nobody acted."""
        if self._lock.known is None or self.lineage != lineage:
            raise self._lock.replaced(lineage)

    def now(self) -> float:
        """The time that goes into the journal, in seconds since the epoch."""
        return self._now()

    def begin(
        self, address: Address, verb: str, *, token: str, launch: str | None = None, target: tuple[str, ...] = ()
    ) -> Intent:
        """Say what is about to be done, before it is."""
        intent = Intent(self._number(), address, verb, token, launch, self._now(), target=target)
        self._state.intents[intent.number] = intent
        self._begun.add(intent.number)
        self._append(_intent_record(intent))
        return intent

    def finish(self, intent: Intent, entry: Entry | None, *, tombstone: str | None = None) -> None:
        """It was done, and this is what the lock shall say of the address (None: nothing any more)."""
        self._state.intents.pop(intent.number, None)
        self._done(intent.number, intent.address, entry, tombstone)

    def abandon(self, intent: Intent) -> None:
        """It certainly was not done."""
        self._state.intents.pop(intent.number, None)
        self._append({"n": intent.number, "record": "not-done"})

    def lose(self, intent: Intent) -> None:
        """Nobody knows whether it was done; the intent stays open."""
        at = self._now()
        self._state.intents[intent.number] = replace(intent, ended_at=at)
        self._append({"n": intent.number, "record": "lost", "at": at})

    def goes_on(self, *, token: str | None = None, until: float | None = None) -> None:
        """What was begun here and has no end yet was not over now, or will not be before `until`: the one with this
        token, or all. A long upload, and a call that waits for its turn, end long after they began."""
        at = self._now() if until is None else until
        for intent in tuple(self._state.intents.values()):
            ours = intent.number in self._begun and intent.ended_at is None and token in (None, intent.token)
            if ours and at > (intent.going_at or intent.at):
                going = replace(intent, going_at=at)
                self._state.intents[intent.number] = going
                self._append(_intent_record(going))

    def record(self, address: Address, entry: Entry | None, *, tombstone: str | None = None) -> None:
        """Know something that took no effect of ours (an adoption, an ended job's figures)."""
        if self._state.entries.get(address) == entry and tombstone is None:
            return
        self._done(self._number(), address, entry, tombstone)

    def queue(self, waiting: Iterable[Address]) -> None:
        """Who waits for a place at the provider, oldest first: in the lock from the next fold on."""
        self._state.waiting = tuple(waiting)

    async def synced(self) -> None:
        """All that was written before this call lies on the disk. One sync serves everyone who waits for it:
        the disk, not the service, is what many small effects at a time wait for."""
        written = self._written
        while self._durable < written and self._refused is None:
            if self._syncing is None:
                self._syncing = asyncio.ensure_future(self._sync_once())
            await asyncio.shield(self._syncing)
        if self._refused is not None:
            raise self._refused

    async def _sync_once(self) -> None:
        """Leaves a refusal for everyone: a kernel says only once that it could not write."""
        written = self._written
        try:
            descriptor = os.dup(self._stream.fileno())
            try:
                await asyncio.to_thread(self._sync, descriptor)
            finally:
                os.close(descriptor)
            self._durable = max(self._durable, written)
        except OSError as error:
            self._refused = self._unwritable(error)
        finally:
            self._syncing = None

    def fold(self) -> None:
        """Write the lock and start the journal anew with the open intents alone. LockError where the lock is not the
        one any more that this ledger was opened on, or wrote: it stays, and so does the journal."""
        lock = self._state.as_lock(self._provider)
        known = self._lock.known
        if known is None or differs(self._state, known) or known.provider != self._provider:
            self._state.serial = self._lock.put(lock)
        self._restart()

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(OSError):  # a fold has written all that counts into the lock
                stream.close()

    def _done(self, number: int, address: Address, entry: Entry | None, tombstone: str | None) -> None:
        self._state.put(address, entry, tombstone)
        record: JsonObject = {
            "n": number,
            "record": "done",
            "address": str(address),
            "entry": None if entry is None else entry_document(entry),
        }
        if tombstone is not None:
            record["tombstone"] = tombstone
        self._append(record)

    def _number(self) -> int:
        number = self._state.next_number
        self._state.next_number += 1
        return number

    def _append(self, record: JsonObject) -> None:
        try:
            if self._stream is None:
                self._restart()
            self._stream.write(line_of(record))
            self._stream.flush()
            self._written += 1
        except OSError as error:
            raise self._unwritable(error) from None

    def _restart(self) -> None:
        """Put a journal in place that holds the header and what is still open; closed results are in the lock
        by then, or (at the start) are written again."""
        journal = self._paths.journal
        header: JsonObject = {"format": FORMAT, "lineage": self._state.lineage, "serial": self._state.serial}
        records = [header, *self._unfolded(), *(_intent_record(i) for i in self._state.intents.values())]
        temporary = temporary_for(journal)
        try:
            journal.parent.mkdir(parents=True, exist_ok=True)
            self.close()
            with temporary.open("wb") as stream:
                stream.write(b"".join(line_of(record) for record in records))
                stream.flush()
                self._sync(stream.fileno())
            temporary.replace(journal)
            sync_directory(journal.parent)
            self._stream = journal.open("ab")
            self._durable = self._written
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise self._unwritable(error) from None

    def _unfolded(self) -> list[JsonObject]:
        """What the state knows and the lock does not: results that an earlier process left in the journal."""
        lock = self._lock.known
        known = lock.resources if lock else {}
        buried = lock.tombstones if lock else {}
        records: list[JsonObject] = []
        for address in sorted({*self._state.entries, *known, *self._state.tombstones}):
            entry = self._state.entries.get(address)
            slots: list[str | None] = [
                slot for slot in self._state.tombstones.get(address, ()) if slot not in buried.get(address, ())
            ]
            if entry == known.get(address) and not slots:
                continue
            for slot in slots or [None]:
                records.append(
                    {
                        "n": self._number(),
                        "record": "done",
                        "address": str(address),
                        "entry": None if entry is None else entry_document(entry),
                        **({"tombstone": slot} if slot else {}),
                    }
                )
        return records

    def _unwritable(self, error: OSError) -> LockError:
        return LockError(
            f"journal {self._paths.shown} cannot be written: {error.strerror}",
            hint="make room or fix the permissions of .rftplan, then run the command again",
        )


def open_ledger(
    paths: Paths,
    provider: ProviderIdentity,
    *,
    now: Callable[[], float],
    new_lineage: Callable[[], str],
    sync: Callable[[int], None] | None = None,
    project: str | None = None,
) -> Ledger:
    """The ledger of this lock and journal; `sync` brings a file to the disk (fsync). LockError if they must not
    be used, or the lock could not be written afterwards. `project` is whose lock it is from the next time that it is
    written."""
    require_writable(paths)
    raw = read_state_file(paths.lock)
    state, lock = read_state(paths, new_lineage=new_lineage)
    state.project = project or state.project
    return Ledger(paths, provider, state, LockOnDisk(paths, lock, raw), now, sync or os.fsync)


def _intent_record(intent: Intent) -> JsonObject:
    record: JsonObject = {
        "n": intent.number,
        "record": "intent",
        "address": str(intent.address),
        "verb": intent.verb,
        "token": intent.token,
        "at": intent.at,
    }
    if intent.launch is not None:
        record["launch"] = intent.launch
    if intent.target:
        record["target"] = list(intent.target)
    if intent.ended_at is not None:
        record["ended_at"] = intent.ended_at
    if intent.going_at is not None:
        record["going_at"] = intent.going_at
    return record
