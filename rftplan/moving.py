"""What the specs say has moved, laid over what lock and journal know. Pure; whether it did move is not known here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Action, Change, Reason
from rftplan.journal import Intent
from rftplan.kinds.steps import MoveStep
from rftplan.lockfile import Entry

Moves = Iterable[tuple[Address, Address]]


def moved_entries(
    entries: Mapping[Address, Entry], tombstones: Mapping[Address, tuple[str, ...]], moves: Moves
) -> tuple[dict[Address, Entry], tuple[Change, ...]]:
    """The lock's entries under the addresses that are meant now, and the changes that make it so.

    A move that was carried out already, or whose target the lock knows otherwise, changes nothing.
    """
    now = dict(entries)
    changes = []
    for origin, to in moves:
        entry = now.get(origin)
        if entry is None or (to in now and now[to].id != entry.id):
            continue
        now[to] = now.pop(origin)
        step = MoveStep(to, entry, tombstones.get(origin, ()))
        changes.append(Change(origin, Action.UPDATE, "move", Reason.MOVED, f"is {to} from now on", step=step))
    return now, tuple(changes)


def moved_tombstones(tombstones: Mapping[Address, tuple[str, ...]], moves: Moves) -> dict[Address, tuple[str, ...]]:
    """The launches that we ended, also under the addresses that are meant now: the lock may have forgotten the
    origin before it could move."""
    now = dict(tombstones)
    for origin, to in moves:
        now[to] = tuple(dict.fromkeys((*now.get(to, ()), *tombstones.get(origin, ()))))
    return now


def moved_places(waiting: Iterable[Address], moves: Moves) -> tuple[Address, ...]:
    """Who waits for a place, under the addresses that are meant now: a move costs nobody the turn."""
    to_of = dict(reversed([*moves]))
    return tuple(dict.fromkeys(to_of.get(address, address) for address in waiting))


def moved_launches(intents: Iterable[Intent], moves: Moves, entries: Mapping[Address, Entry]) -> tuple[Intent, ...]:
    """The open intents, a launch under the address that is meant now: if it went through, its job is found there.

    `entries` are those that `moved_entries` gave: what they still know under the origin did not move. An intent of
    anything else concerns what the entry names, and is closed with its move.
    """
    to_of = dict(reversed([*moves]))
    return tuple(
        replace(intent, address=to_of[intent.address])
        if intent.verb == "launch" and intent.address in to_of and intent.address not in entries
        else intent
        for intent in intents
    )
