"""The effects of an apply in progress, as they lie under `.rftplan/<env>/`, laid over the lock.

Every effect is bracketed: intent on disk, call, result on disk. A result carries the whole new entry, so that
reading a journal twice changes nothing. Reads only; knows no kind and calls no service.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.identity import ProviderIdentity
from rftplan.canonical import JsonObject
from rftplan.errors import ApiError, LockError
from rftplan.lockfile import Entry, Lock, entry_from, read_lock, read_state_file
from rftplan.typed_json import list_of, mapping_of, number_of, optional_text_of, parse_json, text_of, whole_of

FORMAT: Final = "rftplan.journal/1"
_SEAL: Final = re.compile(rb',"sum":"([0-9a-f]{8})"}\Z')


class Intent(Struct, frozen=True):
    """An effect that was about to happen and of whose end the journal knows nothing.

    `launch` is the slot's second half (fingerprint and attempt) for a launch. `at` and `ended_at` are seconds
    since the epoch; `ended_at` is None if we died in the middle, and then `going_at` is when it was last known not to
    be over, where that is later than when it began. `target` says to what it was done where the address alone does not
    (a grant: model and project).
    """

    number: int
    address: Address
    verb: str
    token: str
    launch: str | None
    at: float
    ended_at: float | None = None
    target: tuple[str, ...] = ()
    going_at: float | None = None

    def over_by(self, call_seconds: float) -> float:
        """When it was over at the latest: a service may go on for so long with what we died in the middle of."""
        if self.ended_at is not None:
            return self.ended_at
        return max(self.at, self.going_at or self.at) + call_seconds

    def settled(self, *, now: float, settle_seconds: float, call_seconds: float) -> bool:
        """Whether a look-up that finds nothing now proves that nothing happened."""
        return now >= self.over_by(call_seconds) + settle_seconds


class Trace(Struct, frozen=True):
    """What an open effect is known to have left at the service: the object's id and its state. `nothing`: certainly
    nothing, so that it can be repeated; otherwise nobody knows yet, or the kind does not look."""

    id: str | None = None
    state: str | None = None
    nothing: bool = False


class LostEffect(Exception):
    """An effect's fate is unknown; its intent is still open in the journal."""

    def __init__(self, intent: Intent, error: ApiError) -> None:
        super().__init__(str(error))
        self.intent = intent
        self.error = error


class State(Struct):
    """Lock and journal laid over each other: what is known now."""

    lineage: str
    serial: int
    entries: dict[Address, Entry]
    tombstones: dict[Address, tuple[str, ...]]
    intents: dict[int, Intent] = field(default_factory=dict)
    next_number: int = 1
    new: bool = False
    """True where neither lock nor journal existed."""
    project: str | None = None
    """Whose lock it is; None where it does not say so."""
    waiting: tuple[Address, ...] = ()
    """As the lock has it: a death on the way costs the order of one apply, and no launch."""

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
            project=self.project,
            waiting=self.waiting,
        )


class Paths(Struct, frozen=True):
    """Where one environment keeps its state. `former` is the name that the journal had before locks of one name
    in two folders were told apart."""

    lock: Path
    journal: Path
    former: Path | None = None

    @property
    def shown(self) -> str:
        """The journal's place, seen from the project's root."""
        return _shown(self.journal)


def _shown(journal: Path) -> str:
    return "/".join(journal.parts[-3:])


def read_state(paths: Paths, *, new_lineage: Callable[[], str]) -> tuple[State, Lock | None]:
    """The state now, and the lock as it lies there. Reads only; LockError where it must not be used."""
    lock = read_lock(paths.lock)
    raw = read_state_file(paths.journal)
    if raw is None and paths.former is not None:
        _refuse_former(paths.former, lock, paths)
    return _overlay(lock, _records(raw or b"", paths.journal), new_lineage, paths), lock


def _refuse_former(former: Path, lock: Lock | None, paths: Paths) -> None:
    """LockError if a journal under its former name may be this lock's and knows of something: whose it is, where
    two locks shared the name, only a person can say."""
    records = _records(read_state_file(former) or b"", former)
    if len(records) > 1 and (lock is None or records[0].get("lineage") == lock.lineage):
        raise LockError(
            f"journal {_shown(former)} has a name that two locks could share, and an apply in it that did not end",
            hint=f"if it is of {paths.lock.name}, rename it to {paths.journal.name}; otherwise move it away",
        )


def line_of(record: JsonObject) -> bytes:
    """A record as its line, sealed with a checksum of the rest: one byte that a disk got wrong may still be JSON, and
    would name another job."""
    plain = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return plain[:-1] + b',"sum":"%08x"}\n' % zlib.crc32(plain)


def _records(raw: bytes, journal: Path) -> list[dict[str, Any]]:
    """Whole lines only: a torn last line never happened, a torn middle is damage. Lines have no seal where an rftplan
    wrote them that knew of none, and then none has."""
    lines = raw.split(b"\n")[:-1]
    sealed = any(_SEAL.search(line) for line in lines)
    records = []
    for number, line in enumerate(lines, 1):
        try:
            if sealed:
                _check_seal(line)
            record = mapping_of(parse_json(line.decode()))
        except (TypeError, ValueError) as error:
            raise _damaged(journal, str(error), f" in line {number} of {len(lines)}") from None
        records.append(record)
    return records


def _check_seal(line: bytes) -> None:
    """ValueError where the line is not what was written."""
    seal = _SEAL.search(line)
    if seal is None or int(seal[1], 16) != zlib.crc32(line[: seal.start()] + b"}"):
        raise ValueError("its checksum does not fit what it says")


def _overlay(lock: Lock | None, records: list[dict[str, Any]], new_lineage: Callable[[], str], paths: Paths) -> State:
    # A header alone was left behind by an apply that ended well; it binds nobody.
    header = _header(records[0], paths) if len(records) > 1 or (records and lock is None) else None
    if lock is not None and header is not None and header.lineage != lock.lineage:
        raise LockError(
            f"journal {paths.shown} belongs to another lock than {paths.lock.name}",
            hint="restore the lock that it belongs to, or move the journal away",
        )
    lineage = lock.lineage if lock else header.lineage if header else new_lineage()
    serial = lock.serial if lock else header.serial if header else 0
    state = State(
        lineage=lineage,
        serial=serial,
        entries=dict(lock.resources) if lock else {},
        tombstones=dict(lock.tombstones) if lock else {},
        new=lock is None and header is None,
        project=lock.project if lock else None,
        waiting=lock.waiting if lock else (),
    )
    try:
        for record in records[1:]:
            _play(state, record)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(paths.journal, _said(error)) from None
    if lock and header and header.serial != lock.serial and differs(state, lock):
        raise LockError(
            f"journal {paths.shown} was begun on serial {header.serial} of {paths.lock.name}, "
            f"which is at serial {lock.serial} now",
            hint="restore the lock that it was begun on and apply, or move the journal away: launches that it "
            "knew of are found at the service by their metadata",
        )
    return state


class _Header(Struct, frozen=True):
    """Which lock a journal was begun on."""

    lineage: str
    serial: int


def _header(record: Mapping[str, Any], paths: Paths) -> _Header:
    if record.get("format") != FORMAT:
        raise LockError(
            f"journal {paths.shown} has a format that this rftplan does not know",
            hint="upgrade rftplan, or finish the apply with the version that began it",
        )
    try:
        return _Header(text_of(record["lineage"]), whole_of(record["serial"]))
    except (KeyError, TypeError) as error:
        raise _damaged(paths.journal, _said(error)) from None


def _said(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _damaged(journal: Path, what: str, where: str = "") -> LockError:
    shown = _shown(journal)
    return LockError(
        f"journal {shown} is damaged{where}: {what}",
        hint=f"move it away (mv {shown} {shown}.damaged), then run rftplan plan: launches and files that it knew of "
        "are found at the service by their names, and none is made twice",
    )


def differs(state: State, lock: Lock | None) -> bool:
    """Whether the journal knows what the lock does not."""
    if lock is None:
        return bool(state.entries or state.tombstones or state.waiting)
    known = (dict(lock.resources), dict(lock.tombstones), lock.waiting)
    return (state.entries, state.tombstones, state.waiting) != known


def _play(state: State, record: Mapping[str, Any]) -> None:
    number = whole_of(record["n"])
    state.next_number = max(state.next_number, number + 1)
    match record["record"]:
        case "intent":
            state.intents[number] = Intent(
                number,
                Address.parse(text_of(record["address"])),
                text_of(record["verb"]),
                text_of(record["token"]),
                optional_text_of(record.get("launch")),
                number_of(record["at"]),
                None if record.get("ended_at") is None else number_of(record["ended_at"]),
                tuple(text_of(part) for part in list_of(record.get("target", []))),
                None if record.get("going_at") is None else number_of(record["going_at"]),
            )
        case "lost":
            if number in state.intents:
                state.intents[number] = replace(state.intents[number], ended_at=number_of(record["at"]))
        case "not-done":
            state.intents.pop(number, None)
        case "done":
            state.intents.pop(number, None)
            entry = record["entry"]
            state.put(
                Address.parse(text_of(record["address"])),
                None if entry is None else entry_from(entry),
                optional_text_of(record.get("tombstone")),
            )
        case other:
            raise ValueError(f'record "{other}" is not known')
