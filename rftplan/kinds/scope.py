"""Whose plan something is, and under which names the service knows its launches. Asks nobody."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from rftplan.address import Address
from rftplan.api.profiles import Profile
from rftplan.kinds.budget import Budget


class Scope(Struct, frozen=True):
    """Whose plan this is. `fresh` is True where no lock and no journal exist. `moves` are those that the specs say,
    each from where to where, for as long as they say them. `budget` is the policy's, for jobs that say none.
    `most_running` jobs may run at a time, whoever's they are; None where nobody says how many.
    `delete_models` are the jobs that left the specs with the word that their models shall go, too.
    `allow_selection_only`: what chose a checkpoint is enough to replace a live one by.
    `judge` is who answers on this machine for graders that ask a model."""

    project: str
    env: str
    lineage: str
    fresh: bool
    profile: Profile
    moves: tuple[tuple[Address, Address], ...] = ()
    budget: Budget | None = None
    most_running: int | None = None
    delete_models: frozenset[Address] = frozenset()
    allow_selection_only: bool = False
    judge: str = ""

    def launch_address(self, address: Address) -> str:
        """`project/env/address`, the first half of a slot as the service keeps it."""
        return f"{self.project}/{self.env}/{address}"

    def launch_addresses(self, address: Address, entries: Collection[Address]) -> tuple[str, ...]:
        """Every first half that a launch of this address may carry, its own first: the service keeps the one that it
        was launched with, wherever it moved since. What the lock (`entries`) still knows where it was, did not move."""
        origins = dict.fromkeys(origin for origin, to in self.moves if to == address and origin not in entries)
        return tuple(self.launch_address(known) for known in (address, *origins))
