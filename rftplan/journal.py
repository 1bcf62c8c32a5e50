"""The effects of an apply in progress: append-only under `.rftplan/<env>/`, folded into the lock.

Every effect is bracketed: intent on disk, call, result on disk. A result carries the whole new entry, so that
reading a journal twice changes nothing. Knows no kind and calls no service.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from rftplan.address import Address
from rftplan.api.identity import ProviderIdentity
from rftplan.canonical import JsonObject
from rftplan.errors import LockError
from rftplan.lockfile import Entry, Lock, entry_document, entry_from, read_lock, sync_directory, write_lock

FORMAT: Final = "rftplan.journal/1"


@dataclass(frozen=True, slots=True)
class Intent:
    """An effect that was about to happen and of whose end the journal knows nothing.

    `launch` is the slot's second half (fingerprint and attempt) for a launch. `at` and `ended_at` are seconds
    since the epoch; `ended_at` is None if we died in the middle.
    """

    number: int
    address: Address
    verb: str
    token: str
    launch: str | None
    at: float
    ended_at: float | None = None

    def settled(self, *, now: float, settle_seconds: float, call_seconds: float) -> bool:
        """Whether a look-up that finds nothing now proves that nothing happened."""
        ended = self.ended_at if self.ended_at is not None else self.at + call_seconds
        return now >= ended + settle_seconds


@dataclass(slots=True)
class State:
    """Lock and journal laid over each other: what is known now."""

    lineage: str
    serial: int
    entries: dict[Address, Entry]
    tombstones: dict[Address, tuple[str, ...]]
    intents: dict[int, Intent] = field(default_factory=dict)
    next_number: int = 1
    new: bool = False
    """True where neither lock nor journal existed."""

    def put(self, address: Address, entry: Entry | None, tombstone: str | None = None) -> None:
        if entry is None:
            self.entries.pop(address, None)
        else:
            self.entries[address] = entry
        if tombstone is not None and tombstone not in self.tombstones.get(address, ()):
            self.tombstones[address] = (*self.tombstones.get(address, ()), tombstone)

    def as_lock(self, provider: ProviderIdentity) -> Lock:
        return Lock(
            lineage=self.lineage,
            serial=self.serial,
            provider=provider,
            resources=MappingProxyType(dict(self.entries)),
            tombstones=MappingProxyType(dict(self.tombstones)),
        )


@dataclass(frozen=True, slots=True)
class Paths:
    """Where one environment keeps its state."""

    lock: Path
    journal: Path


def read_state(paths: Paths, *, new_lineage: Callable[[], str]) -> tuple[State, Lock | None]:
    """The state now, and the lock as it lies there. Reads only; LockError where it must not be used."""
    lock = read_lock(paths.lock)
    try:
        raw = paths.journal.read_bytes()
    except FileNotFoundError:
        raw = b""
    except OSError as error:
        raise LockError(f"{paths.journal.name} cannot be read: {error.strerror}") from None
    return _overlay(lock, _records(raw, paths.journal.name), new_lineage, paths), lock


def _records(raw: bytes, name: str) -> list[dict[str, Any]]:
    """Whole lines only: a torn last line never happened, a torn middle is damage."""
    lines = raw.split(b"\n")[:-1]
    records = []
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError("not an object")
        except ValueError as error:
            raise LockError(
                f"journal {name} is damaged in line {number} of {len(lines)}: {error}",
                hint="move it away: launches that it knew of are found at the service by their metadata",
            ) from None
        records.append(record)
    return records


def _overlay(lock: Lock | None, records: list[dict[str, Any]], new_lineage: Callable[[], str], paths: Paths) -> State:
    # A header alone was left behind by an apply that ended well; it binds nobody.
    header = records[0] if len(records) > 1 or (records and lock is None) else None
    if header is not None and header.get("format") != FORMAT:
        raise LockError(
            f"journal {paths.journal.name} has a format that this rftplan does not know",
            hint="upgrade rftplan, or finish the apply with the version that began it",
        )
    if lock is not None and header is not None and header["lineage"] != lock.lineage:
        raise LockError(
            f"journal {paths.journal.name} belongs to another lock than {paths.lock.name}",
            hint="restore the lock that it belongs to, or move the journal away",
        )
    lineage = lock.lineage if lock else header["lineage"] if header else new_lineage()
    serial = lock.serial if lock else header["serial"] if header else 0
    state = State(
        lineage=lineage,
        serial=serial,
        entries=dict(lock.resources) if lock else {},
        tombstones=dict(lock.tombstones) if lock else {},
        new=lock is None and header is None,
    )
    try:
        for record in records[1:]:
            _play(state, record)
    except (KeyError, TypeError, ValueError) as error:
        raise LockError(
            f"journal {paths.journal.name} is damaged: {error}",
            hint="move it away: launches that it knew of are found at the service by their metadata",
        ) from None
    if lock and header and header["serial"] != lock.serial and _differs(state, lock):
        raise LockError(
            f"journal {paths.journal.name} was begun on serial {header['serial']} of {paths.lock.name}, "
            f"which is at serial {lock.serial} now",
            hint="restore the lock that it was begun on and apply, or move the journal away: launches that it "
            "knew of are found at the service by their metadata",
        )
    return state


def _differs(state: State, lock: Lock) -> bool:
    return state.entries != dict(lock.resources) or state.tombstones != dict(lock.tombstones)


def _play(state: State, record: Mapping[str, Any]) -> None:
    number = int(record["n"])
    state.next_number = max(state.next_number, number + 1)
    match record["record"]:
        case "intent":
            state.intents[number] = Intent(
                number,
                Address.parse(record["address"]),
                record["verb"],
                record["token"],
                record.get("launch"),
                record["at"],
                record.get("ended_at"),
            )
        case "lost":
            if number in state.intents:
                state.intents[number] = replace(state.intents[number], ended_at=record["at"])
        case "not-done":
            state.intents.pop(number, None)
        case "done":
            state.intents.pop(number, None)
            entry = record["entry"]
            state.put(
                Address.parse(record["address"]),
                None if entry is None else entry_from(entry),
                record.get("tombstone"),
            )
        case other:
            raise ValueError(f'record "{other}" is not known')


class Ledger:
    """The one way to change what is known: appends to the journal, folds into the lock.

    Held by one process at a time (the caller holds the file lock). Every method that returns has made its
    record durable; cost is O(1) an effect, O(lock) a fold.
    """

    def __init__(
        self,
        paths: Paths,
        provider: ProviderIdentity,
        state: State,
        lock: Lock | None,
        now: Callable[[], float],
    ) -> None:
        self._paths = paths
        self._provider = provider
        self._state = state
        self._lock = lock
        self._now = now
        self._stream: Any = None

    @property
    def lineage(self) -> str:
        return self._state.lineage

    @property
    def entries(self) -> Mapping[Address, Entry]:
        return self._state.entries

    @property
    def intents(self) -> tuple[Intent, ...]:
        return tuple(self._state.intents.values())

    def begin(self, address: Address, verb: str, *, token: str, launch: str | None = None) -> Intent:
        """Say what is about to be done, before it is."""
        intent = Intent(self._number(), address, verb, token, launch, self._now())
        self._state.intents[intent.number] = intent
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

    def record(self, address: Address, entry: Entry | None, *, tombstone: str | None = None) -> None:
        """Know something that took no effect of ours (an adoption, an ended job's figures)."""
        if self._state.entries.get(address) == entry and tombstone is None:
            return
        self._done(self._number(), address, entry, tombstone)

    def fold(self) -> None:
        """Write the lock and start the journal anew with the open intents alone."""
        lock = self._state.as_lock(self._provider)
        if self._lock is None or _differs(self._state, self._lock) or self._lock.provider != self._provider:
            lock = replace(lock, serial=lock.serial + 1)
            write_lock(self._paths.lock, lock)
            self._state.serial = lock.serial
        self._lock = lock
        self._restart()

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

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
            self._stream.write(_line(record))
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise self._unwritable(error) from None

    def _restart(self) -> None:
        """Put a journal in place that holds the header and what is still open; closed results are in the lock
        by then, or (at the start) are written again."""
        journal = self._paths.journal
        header: JsonObject = {"format": FORMAT, "lineage": self._state.lineage, "serial": self._state.serial}
        records = [header, *self._unfolded(), *(_intent_record(i) for i in self._state.intents.values())]
        temporary = journal.with_name(f".{journal.name}.{os.getpid()}.tmp")
        try:
            journal.parent.mkdir(parents=True, exist_ok=True)
            self.close()
            with temporary.open("wb") as stream:
                stream.write(b"".join(_line(record) for record in records))
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(journal)
            sync_directory(journal.parent)
            self._stream = journal.open("ab")
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise self._unwritable(error) from None

    def _unfolded(self) -> list[JsonObject]:
        """What the state knows and the lock does not: results that an earlier process left in the journal."""
        known = self._lock.resources if self._lock else {}
        buried = self._lock.tombstones if self._lock else {}
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
            f"journal {self._paths.journal.name} cannot be written: {error.strerror}",
            hint="make room or fix the permissions of .rftplan, then run the command again",
        )


def open_ledger(
    paths: Paths, provider: ProviderIdentity, *, now: Callable[[], float], new_lineage: Callable[[], str]
) -> Ledger:
    """The ledger of this lock and journal. LockError if they must not be used."""
    state, lock = read_state(paths, new_lineage=new_lineage)
    return Ledger(paths, provider, state, lock, now)


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
    if intent.ended_at is not None:
        record["ended_at"] = intent.ended_at
    return record


def _line(record: JsonObject) -> bytes:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
