"""What a step may write down, and what it raises when nobody knows what became of an effect. Knows no kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from rftplan.address import Address
from rftplan.errors import ApiError
from rftplan.journal import Intent
from rftplan.lockfile import Entry


class Records(Protocol):
    """The part of the ledger that a step may write to. What was written is on the disk after `synced`."""

    @property
    def lineage(self) -> str: ...

    @property
    def entries(self) -> Mapping[Address, Entry]: ...

    def begin(
        self, address: Address, verb: str, *, token: str, launch: str | None = None, target: tuple[str, ...] = ()
    ) -> Intent: ...

    def finish(self, intent: Intent, entry: Entry | None, *, tombstone: str | None = None) -> None: ...

    def abandon(self, intent: Intent) -> None: ...

    def lose(self, intent: Intent) -> None: ...

    def record(self, address: Address, entry: Entry | None, *, tombstone: str | None = None) -> None: ...

    async def synced(self) -> None: ...


class LostEffect(Exception):
    """An effect's fate is unknown; its intent is still open in the journal."""

    def __init__(self, intent: Intent, error: ApiError) -> None:
        super().__init__(str(error))
        self.intent = intent
        self.error = error
