"""Say in the lock that what it knows under one address is another from now on. Asks and changes nothing at a service.

The specs' own `moved:` does the same at an apply, and is reviewed; this is for what cannot wait for one.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from rftplan.address import Address
from rftplan.amending import amended, entry_at, known_state
from rftplan.errors import UserError
from rftplan.journal import Intent
from rftplan.ledger import Ledger
from rftplan.loading import Options
from rftplan.lockfile import Entry
from rftplan.subject import Subject, read_subject
from rftplan.wiring import World, real_world


class Moved(Struct, frozen=True):
    """What was moved: `id` its remote object, `tombstones` how many launches that we ended went with it. `declared`
    says which of the two addresses the specs declare, as far as they can be read."""

    origin: Address
    to: Address
    id: str | None
    tombstones: int
    serial: int
    declared: tuple[Address, ...] = ()


def move(options: Options, origin: Address, to: Address, *, world: World | None = None) -> Moved:
    """Known as `to` from now on, with all that the lock knows of it. Needs no specs that can be read.

    UserError where the kinds differ, where the lock does not know `origin` or knows `to`, and where an effect on
    either is still open.
    """
    world = world or real_world()
    if origin.kind != to.kind or origin == to:
        what = "are the same" if origin == to else f"are of two kinds, and a {origin.kind} becomes no {to.kind}"
        raise UserError(f"{origin} and {to} {what}", hint="write two addresses of one kind: job.old job.new")
    subject = read_subject(options, world.today())
    known_state(subject)
    with amended(subject, world, f"state mv {origin} {to}") as ledger:
        entry = entry_at(ledger.entries, origin)
        _refuse(ledger.entries, ledger.intents, origin, to)
        buried = _carry(ledger, entry, origin, to)
    config = subject.config
    declared = tuple(one for one in (origin, to) if one in config.declared or one in config.broken)
    return Moved(origin, to, entry.id, buried, _serial(subject), declared)


def _refuse(entries: Mapping[Address, Entry], intents: tuple[Intent, ...], origin: Address, to: Address) -> None:
    if to in entries:
        raise UserError(
            f"the lock knows {to} already" + (f" ({entries[to].id})" if entries[to].id else ""),
            hint=f"move that one away first, or make the lock forget it: rftplan state rm {to}",
        )
    refuse_open(intents, origin, to)


def refuse_open(intents: tuple[Intent, ...], *addresses: Address) -> None:
    """UserError where an effect on one of these was begun whose end nobody knows: the journal names the address."""
    for intent in intents:
        if intent.address in addresses:
            raise UserError(
                f"{intent.verb} of {intent.address} was cut off, and how it ended is not known yet",
                hint="settle that first: rftplan recover, or rftplan apply",
            )


def _carry(ledger: Ledger, entry: Entry, origin: Address, to: Address) -> int:
    """Known under the new address first: a death in between leaves it known twice, never not at all. What was ended
    under the old one stays known there, too, for the service has it under that name."""
    buried = ledger.tombstones.get(origin, ())
    ledger.record(to, entry)
    for launch in buried:
        ledger.record(to, entry, tombstone=launch)
    ledger.record(origin, None)
    ledger.queue(to if one == origin else one for one in ledger.waiting)
    return len(buried)


def _serial(subject: Subject) -> int:
    from rftplan.lockfile import read_lock

    lock = read_lock(subject.paths.lock)
    return lock.serial if lock else 0
