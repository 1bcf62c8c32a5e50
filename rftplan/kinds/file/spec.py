"""What a data file says, what is seen of it, what its steps are, and what the lock keeps of it. Values only."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from rftplan.api.port import RemoteFile
from rftplan.canonical import JsonObject
from rftplan.journal import Intent
from rftplan.kinds.base import Resource
from rftplan.kinds.spec import RetainedLifecycle, SpecModel, Str
from rftplan.lockfile import Entry, Origin

PURPOSE: Final = "fine-tune"
RETAIN: Final = "retain"
USED: Final = "used"
PATH: Final = "path"
CREATED_AT: Final = "created_at"
"""When the service made it, by its own clock: what tells a list that is behind from a file that is gone."""
CONTENT: Final = "content"
"""How it is known that a file which was not uploaded from here has our bytes; absent of what was."""
OTHER_BYTES: Final = "other_bytes"
"""What carries our name at the service and is not ours: id → sha256 of what it has instead."""


class Content(StrEnum):
    """What an adoption rests on."""

    VERIFIED = "verified"
    """Its bytes were read from the service and hashed."""
    NAME_ONLY = "name only"
    """Name, size and purpose: the service gives no bytes back."""


class FileSpec(SpecModel):
    """`files.NAME`: a JSONL file beside the spec."""

    later = frozenset({"from", "split", "sample", "sha256"})

    path: Str
    purpose: Literal["fine-tune"] = PURPOSE
    upload: Literal["never"] | None = None
    lifecycle: RetainedLifecycle = RetainedLifecycle()

    @property
    def stays_here(self) -> bool:
        """Held-out data: read and checked, and shown to no service."""
        return self.upload == "never"


class SeenFile(Struct, frozen=True):
    """`mine` is the entry's own object; `named` are those that carry exactly the name we would give; `sent` is what
    came of an upload that was cut off, whatever the bytes here are by now."""

    mine: RemoteFile | None = None
    named: tuple[RemoteFile, ...] = ()
    sent: RemoteFile | None = None


class UploadStep(Struct, frozen=True):
    filename: str
    size: int


class AdoptStep(Struct, frozen=True):
    entry: Entry


class CompareStep(Struct, frozen=True):
    """Take the first whose bytes are ours, oldest first; if none is and a launch waits, `upload` beside them."""

    found: tuple[RemoteFile, ...]
    upload: UploadStep | None


class DeleteStep(Struct, frozen=True):
    file_id: str


def remote_name(project: str, env: str, name: str, sha256: str) -> str:
    """The only place where the service keeps our hash."""
    return f"{project}.{env}.{name}-{sha256[:32]}.jsonl"


def came_of(intent: Intent, remote: RemoteFile, *, named: str = "") -> bool:
    """Whether a file may be what an upload of ours sent: by the name and the size that it went under. A journal of
    before kept no size, or no name either: then `named` counts."""
    name, *size = intent.target or (named,)
    lasts = remote.purpose == PURPOSE and remote.expires_at is None
    return lasts and remote.filename == name and size in ([], [str(remote.size)])


def file_identity(spec: FileSpec, sha256: str) -> JsonObject:
    """The bytes and what they are for; not the path, not the name."""
    return {"purpose": spec.purpose, "sha256": sha256}


def path_from_root(written: str, beside: str) -> str:
    """A file's path from the root, as its spec in `beside` means it, with POSIX slashes; links are not followed."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(beside), written))


def entry_of(want: Resource, remote: RemoteFile, origin: Origin, *, before: Entry | None = None) -> Entry:
    """What the lock shall know of a file that is at the service. `before` is what it knew."""
    resolved: JsonObject = {
        "filename": remote.filename,
        "size": remote.size,
        "rows_digest": want.rows_digest,
        CREATED_AT: remote.created_at,
    }
    if want.data is not None:
        resolved["rows"] = want.data.rows
    if others := other_bytes(before):
        resolved[OTHER_BYTES] = {**others}
    made = Entry(fingerprint=want.fingerprint, inputs=want.inputs, id=remote.id, origin=origin, resolved=resolved)
    return as_declared(made, want)


def as_declared(entry: Entry, want: Resource) -> Entry:
    """The entry with what the spec says of it today: whether the file is kept, and where its bytes lie, for when
    the spec, or the bytes, are not here."""
    kept: JsonObject = {key: value for key, value in entry.resolved.items() if key != RETAIN}
    if want.data is not None:
        kept[PATH] = path_from_root(want.spec.path, want.place.path)
    return replace(entry, resolved=kept if want.spec.lifecycle.retain else {**kept, RETAIN: False})


def other_bytes(entry: Entry | None) -> Mapping[str, str]:
    """What carries our name and was found not to be ours, by id."""
    kept = entry.resolved.get(OTHER_BYTES) if entry is not None else None
    return {id: str(sha256) for id, sha256 in kept.items()} if isinstance(kept, dict) else {}


def with_other_bytes(entry: Entry | None, want: Resource, found: Mapping[str, str]) -> Entry:
    """The entry, or one that knows of no file yet, with what was found not to be ours."""
    known = entry or as_declared(Entry(want.fingerprint, want.inputs, resolved={"rows_digest": want.rows_digest}), want)
    return replace(known, resolved={**known.resolved, OTHER_BYTES: {**other_bytes(known), **found}})


def lies_at(entry: Entry, path: str) -> bool:
    """Whether the entry's digest is of the file at this path from the root; older entries do not say."""
    return entry.resolved.get(PATH, path) == path


def retained(entry: Entry) -> bool:
    """`lifecycle.retain` as the lock keeps it, for when the spec is gone."""
    return entry.resolved.get(RETAIN) is not False


def used(entry: Entry) -> Entry:
    """The entry of a file that a job was launched from: what the model was made of is kept from now on."""
    return replace(entry, resolved={**entry.resolved, USED: True})
