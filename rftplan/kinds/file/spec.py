"""What a data file says, what is seen of it, what its steps are, and what the lock keeps of it. Values only."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import Final, Literal

from rftplan.api.port import RemoteFile
from rftplan.canonical import JsonObject
from rftplan.kinds.base import Resource
from rftplan.kinds.spec import RetainedLifecycle, SpecModel, Str
from rftplan.lockfile import Entry, Origin

PURPOSE: Final = "fine-tune"
RETAIN: Final = "retain"
USED: Final = "used"
PATH: Final = "path"


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


@dataclass(frozen=True, slots=True)
class SeenFile:
    """`mine` is the entry's own object; `named` are those that carry exactly the name we would give; `sent` is what
    came of an upload that was cut off, whatever the bytes here are by now."""

    mine: RemoteFile | None = None
    named: tuple[RemoteFile, ...] = ()
    sent: RemoteFile | None = None


@dataclass(frozen=True, slots=True)
class UploadStep:
    filename: str
    size: int


@dataclass(frozen=True, slots=True)
class AdoptStep:
    entry: Entry


@dataclass(frozen=True, slots=True)
class DeleteStep:
    file_id: str


def remote_name(project: str, env: str, name: str, sha256: str) -> str:
    """The only place where the service keeps our hash."""
    return f"{project}.{env}.{name}-{sha256[:32]}.jsonl"


def file_identity(spec: FileSpec, sha256: str) -> JsonObject:
    """The bytes and what they are for; not the path, not the name."""
    return {"purpose": spec.purpose, "sha256": sha256}


def path_from_root(written: str, beside: str) -> str:
    """A file's path from the root, as its spec in `beside` means it, with POSIX slashes; links are not followed."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(beside), written))


def entry_of(want: Resource, remote: RemoteFile, origin: Origin) -> Entry:
    """What the lock shall know of a file that is at the service."""
    resolved: JsonObject = {"filename": remote.filename, "size": remote.size, "rows_digest": want.rows_digest}
    if want.data is not None:
        resolved["rows"] = want.data.rows
    made = Entry(fingerprint=want.fingerprint, inputs=want.inputs, id=remote.id, origin=origin, resolved=resolved)
    return as_declared(made, want)


def as_declared(entry: Entry, want: Resource) -> Entry:
    """The entry with what the spec says of it today: whether the file is kept, and where its bytes lie, for when
    the spec, or the bytes, are not here."""
    kept: JsonObject = {key: value for key, value in entry.resolved.items() if key != RETAIN}
    if want.data is not None:
        kept[PATH] = path_from_root(want.spec.path, want.place.path)
    return replace(entry, resolved=kept if want.spec.lifecycle.retain else {**kept, RETAIN: False})


def lies_at(entry: Entry, path: str) -> bool:
    """Whether the entry's digest is of the file at this path from the root; older entries do not say."""
    return entry.resolved.get(PATH, path) == path


def retained(entry: Entry) -> bool:
    """`lifecycle.retain` as the lock keeps it, for when the spec is gone."""
    return entry.resolved.get(RETAIN) is not False


def used(entry: Entry) -> Entry:
    """The entry of a file that a job was launched from: what the model was made of is kept from now on."""
    return replace(entry, resolved={**entry.resolved, USED: True})
