"""What is known of something at the service that a person imports. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, field

from rftplan.address import Address
from rftplan.api.port import Port, RemoteFile
from rftplan.changes import FieldChange
from rftplan.events import OnEvent
from rftplan.kinds.file import PURPOSE
from rftplan.loading import Loaded
from rftplan.lockfile import Entry


class Ground(StrEnum):
    """How it is known that an input is what the spec says."""

    ECHOED = "echoed"
    """The service says the same."""
    LAUNCH = "launch"
    """The job carries the fingerprint of this very launch."""
    LOCK = "lock"
    """The lock knows the file by its id."""
    NAME = "name"
    """Its name at the service carries the digest, and its size fits."""
    DOWNLOADED = "downloaded"
    """Its bytes were read from the service."""
    GIVEN = "given"
    """Bytes that a person gave for it have its size, and are what the spec names."""
    ASSERTED = "asserted"
    """Nobody could look: a person says so."""

    @property
    def verified(self) -> bool:
        return self is not Ground.ASSERTED


class Input(Struct, frozen=True):
    """One thing that the imported object was made from. `file` is the id that the service has for it, `declared` the
    address that the spec names."""

    name: str
    ground: Ground
    file: str | None = None
    declared: Address | None = None


class Found(Struct, frozen=True):
    """What the service has under the id, and the entry that the lock would get. With `differences` (`before` is what
    the spec says, `after` what is there) it gets none. `also` are entries of others that go with it.
    `simulated` says that nothing was trained for it."""

    entry: Entry
    state: str
    inputs: tuple[Input, ...]
    differences: tuple[FieldChange, ...] = ()
    also: Mapping[Address, Entry] = field(default_factory=dict)
    simulated: bool = False


class Looking(Struct):
    """Where to look: the project, the service, and the bytes that a person gave, by the file's name."""

    loaded: Loaded
    port: Port
    entries: Mapping[Address, Entry]
    given: Mapping[str, Path]
    on_event: OnEvent
    lineage: str
    _files: dict[str, RemoteFile] | None = None

    async def file(self, file_id: str) -> RemoteFile | None:
        """The file with this id; all are listed once."""
        if self._files is None:
            self._files = {remote.id: remote for remote in await self.port.list_files(PURPOSE)}
        return self._files.get(file_id)
