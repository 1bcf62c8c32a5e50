"""What apply carries out itself, whatever the kind: instructions that a plan gives it. Values only; knows no kind."""

from __future__ import annotations

from msgspec import Struct

from rftplan.address import Address
from rftplan.changes import Change
from rftplan.lockfile import Entry


class RecordStep(Struct, frozen=True):
    """Nothing to do at the service; the lock shall say this from now on. The only step a NOOP may carry
    that apply carries out, and it does so silently. `tombstone` is a launch that we ended without knowing it."""

    entry: Entry
    tombstone: str | None = None


class MoveStep(Struct, frozen=True):
    """The lock shall know under `to` what it knew under the change's address. Apply carries it out itself."""

    to: Address
    entry: Entry
    tombstones: tuple[str, ...] = ()


class PlaceStep(Struct, frozen=True):
    """Wait until a place is free at the provider, then carry out `change`."""

    change: Change
