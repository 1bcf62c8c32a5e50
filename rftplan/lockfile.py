"""`rftplan.lock`: what we last did, owned by the machine, read by people in diffs.

`loads` and `dumps` are pure; `read_lock` and `write_lock` are the only places that touch the file. Knows no
kind: an entry's inputs and resolved values are JSON that its kind understands.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct, field

from rftplan.address import Address
from rftplan.api.identity import ProviderIdentity
from rftplan.canonical import Json, JsonObject, known_version
from rftplan.errors import LockError
from rftplan.reading import UnreadableError, conflict_line, conflict_sides, open_regular
from rftplan.typed_json import each_once, list_of, mapping_of, optional_text_of, parse_json, text_of, whole_of

FORMAT: Final = "rftplan.lock/1"
FORGOTTEN: Final = "forgotten"
"""The tombstone of an address that an apply or a destroy forgot on purpose: that its entry is not there does not
mean that a lock was lost."""
RELEASED: Final = "released"
"""`paused_by` of a job that somebody else paused, and that a person said may go on."""


class Origin(StrEnum):
    """How the remote object came to be ours. Only what we created is ever deleted."""

    CREATED = "created"
    ADOPTED = "adopted"
    IMPORTED = "imported"


class Hold(Struct, frozen=True):
    """A stop on one address that a person lifts. `operator` is True when a person set it."""

    code: str
    reason: str
    operator: bool = False


class Entry(Struct, frozen=True):
    """What the lock knows of one address.

    `inputs` recompute `fingerprint` under the version it carries; `resolved` are values that the service
    filled in, or figures of an ended job; `history` are a deployment's revisions or a
    job's runs, oldest first. `imported` is how it is known, input by input, that what a person imported is what the
    specs say; `accepted` what a person let stand although the specs changed since, and why.
    """

    fingerprint: str
    inputs: JsonObject
    id: str | None = None
    origin: Origin = Origin.CREATED
    attempt: int = 1
    resolved: JsonObject = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    history: tuple[JsonObject, ...] = ()
    imported: JsonObject = field(default_factory=dict)
    accepted: JsonObject = field(default_factory=dict)


class Lock(Struct, frozen=True):
    """One environment at one provider identity. `tombstones` are launches that we ended ourselves, and FORGOTTEN
    where the whole address was given up. `waiting` are the jobs that wait for a place at the provider, oldest first."""

    lineage: str
    provider: ProviderIdentity
    serial: int = 0
    resources: Mapping[Address, Entry] = field(default_factory=lambda: MappingProxyType({}))
    tombstones: Mapping[Address, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    project: str | None = None
    """The project's name, which every launch carries; None in locks that were written before it was kept."""
    waiting: tuple[Address, ...] = ()


def entry_document(entry: Entry) -> JsonObject:
    """The entry as JSON; empty parts are left out."""
    document: JsonObject = {
        "fingerprint": entry.fingerprint,
        "inputs": entry.inputs,
        "origin": entry.origin.value,
        "attempt": entry.attempt,
    }
    if entry.id is not None:
        document["id"] = entry.id
    parts: JsonObject = {
        "resolved": entry.resolved,
        "imported": entry.imported,
        "accepted": entry.accepted,
        "holds": [{"code": hold.code, "reason": hold.reason, "operator": hold.operator} for hold in entry.holds],
        "history": list(entry.history),
    }
    document.update({part: value for part, value in parts.items() if value})
    return document


def entry_from(document: Any) -> Entry:
    """The inverse of `entry_document`; KeyError, TypeError or ValueError if it is not an entry."""
    fingerprint = text_of(document["fingerprint"])
    if not known_version(fingerprint):
        raise ValueError(f"fingerprint {fingerprint} is of a version that this rftplan does not know")
    return Entry(
        fingerprint=fingerprint,
        inputs=mapping_of(document["inputs"]),
        id=optional_text_of(document.get("id")),
        origin=Origin(document["origin"]),
        attempt=whole_of(document["attempt"]),
        resolved=mapping_of(document.get("resolved", {})),
        holds=tuple(_hold(hold) for hold in list_of(document.get("holds", []))),
        history=tuple(mapping_of(revision) for revision in list_of(document.get("history", []))),
        imported=mapping_of(document.get("imported", {})),
        accepted=mapping_of(document.get("accepted", {})),
    )


def dumps(lock: Lock) -> str:
    """Normal form: sorted keys, two spaces, one trailing newline."""
    document: JsonObject = {
        "format": FORMAT,
        "serial": lock.serial,
        "lineage": lock.lineage,
        "provider": lock.provider.as_document(),
        "resources": {str(a): entry_document(e) for a, e in lock.resources.items()},
    }
    tombstones: JsonObject = {str(a): list(slots) for a, slots in lock.tombstones.items() if slots}
    waiting: list[Json] = [str(address) for address in lock.waiting]
    parts = {"project": lock.project, "tombstones": tombstones, "waiting": waiting}
    document.update({part: value for part, value in parts.items() if value})
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def loads(text: str, *, name: str) -> Lock:
    """Read a lock; LockError says what is wrong and what to do, and the file stays as it is."""
    if sides := conflict_sides(text):
        raise LockError(
            f"{name}:{conflict_line(text)} has merge-conflict markers{sides}: two branches applied at the same time",
            hint=f"take one side whole (git checkout --ours {name}, or --theirs), then run rftplan plan: "
            "launches of the other side are found at the service and adopted, never repeated; its promotions, "
            "holds and history are lost: take the side that promoted last, and look at what output says",
        )
    try:
        document = parse_json(text, each_once)
    except ValueError as error:
        raise LockError(
            f"{name} is damaged: {error}",
            hint=f"restore it (git checkout {name}); without a lock rftplan finds its launches by their metadata",
        ) from None
    _check_format(document, name)
    try:
        return _lock_from(document)
    except KeyError as error:
        raise _damaged(name, f"{error} is missing") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise _damaged(name, str(error)) from None


def _damaged(name: str, what: str) -> LockError:
    return LockError(f"{name} is damaged: {what}", hint=f"restore it (git checkout {name})")


def _check_format(document: Any, name: str) -> None:
    written = document.get("format") if isinstance(document, dict) else None
    if written == FORMAT:
        return
    kind, _, version = str(written).partition("/")
    if kind == "rftplan.lock" and version.isdecimal():
        raise LockError(
            f"{name} has format {version}, which is newer than this rftplan understands (1)",
            hint="upgrade rftplan: pip install --upgrade rftplan",
        )
    raise LockError(f"{name} is not a lock of rftplan", hint="move it away, or give another with --lock")


def _lock_from(document: Any) -> Lock:
    provider = mapping_of(document["provider"])
    return Lock(
        lineage=text_of(document["lineage"]),
        serial=whole_of(document["serial"]),
        provider=ProviderIdentity(
            type=text_of(provider["type"]),
            base_url=text_of(provider["base_url"]),
            organization=optional_text_of(provider.get("organization")),
            project=optional_text_of(provider.get("project")),
        ),
        resources=MappingProxyType(
            {Address.parse(key): entry_from(value) for key, value in mapping_of(document["resources"]).items()}
        ),
        project=optional_text_of(document.get("project")),
        waiting=tuple(Address.parse(text_of(one)) for one in list_of(document.get("waiting", []))),
        tombstones=MappingProxyType(
            {
                Address.parse(key): tuple(text_of(slot) for slot in list_of(slots))
                for key, slots in mapping_of(document.get("tombstones", {})).items()
            }
        ),
    )


def _hold(value: Json) -> Hold:
    hold = mapping_of(value)
    return Hold(text_of(hold["code"]), text_of(hold["reason"]), hold["operator"] is True)


def read_lock(path: Path) -> Lock | None:
    """The lock, or None where there is none."""
    raw = read_state_file(path)
    if raw is None:
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise LockError(f"{path.name} is damaged: {error}", hint=f"restore it (git checkout {path.name})") from None
    return loads(text, name=path.name)


def read_state_file(path: Path) -> bytes | None:
    """A lock or a journal whole, or None where there is none. LockError for what is no plain file."""
    try:
        with open_regular(path) as stream:
            return stream.read()
    except UnreadableError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise LockError(f"{path.name or path} {error.message}", hint="give another with --lock") from None
    except OSError as error:
        raise LockError(f"{path.name} cannot be read: {error.strerror}") from None


def write_lock(path: Path, lock: Lock) -> None:
    """Replace the file atomically; on failure the old one is intact and LockError is raised. A lock that is a link
    stays one: what it leads to is replaced."""
    try:
        replace_file(path, dumps(lock).encode())
    except OSError as error:
        raise LockError(
            f"{path.resolve().name} cannot be written: {error.strerror}",
            hint="make room or fix the permissions, then run rftplan apply again: the journal knows what was done",
        ) from None


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file atomically and durably, following links; on OSError the old one is intact."""
    path = path.resolve()
    temporary = temporary_for(path)
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_directory(path.parent)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def temporary_for(path: Path) -> Path:
    """Where this process writes what shall replace `path`; what killed processes left there is swept away."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        process = left.name.split(".")[-2]
        if process.isdecimal() and _is_dead(int(process)):
            with suppress(OSError):
                left.unlink()
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def _is_dead(process: int) -> bool:
    """Certainly none of this machine's; only a system where asking does no harm is asked."""
    if os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def sync_directory(directory: Path) -> None:
    """Make a rename durable; a no-op where directories cannot be opened."""
    if os.name != "posix":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
