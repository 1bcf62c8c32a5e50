"""Set a hold on one address, or lift what holds it, because a person says so. Launches, pauses and promotes nothing."""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.amending import amended, known_state, locked_at, unknown
from rftplan.canonical import fingerprint
from rftplan.changes import Change, Reason
from rftplan.errors import UserError, has_errors
from rftplan.events import ignore
from rftplan.kinds.job.kept import status_in
from rftplan.loading import Options
from rftplan.lockfile import RELEASED, Entry, Hold
from rftplan.opening import dated, opened
from rftplan.planning import checked_state, plan
from rftplan.subject import Subject, read_subject
from rftplan.wiring import World, connected, real_world

OPERATOR: Final = "operator"
"""The code of a hold that `hold` sets."""


class Held(Struct, frozen=True):
    """An address that is held from now on: every hold on it, its own first. `replaced` is the reason that an earlier
    `hold` gave. `going` is the status of its job where the lock knows it as active: it goes on."""

    address: Address
    holds: tuple[Hold, ...]
    replaced: str | None = None
    id: str | None = None
    going: str | None = None


def hold(options: Options, address: Address, reason: str, *, world: World | None = None) -> Held:
    """Hold one address: no apply does anything about it until `release`. Needs no specs that can be read.

    UserError for an address that neither lock nor specs know, and where there is no lock.
    """
    world = world or real_world()
    subject = read_subject(options, world.today())
    state = known_state(subject)
    at = locked_at(subject, address)
    if at not in state.entries and not _declared(subject, at):
        known = {*state.entries, *subject.config.declared}
        raise unknown(f"{address} is neither declared nor in the lock", address, known)
    with amended(subject, world, f"hold {address}") as ledger:
        entry = ledger.entries.get(at) or _placeholder()
        mine = [one.reason for one in entry.holds if one.code == OPERATOR]
        others = tuple(one for one in entry.holds if one.code != OPERATOR)
        held = replace(entry, holds=(Hold(OPERATOR, reason, operator=True), *others))
        ledger.record(at, held)
    status = status_in(held) if at.kind == "job" and held.id else None
    going = status.value if status and not status.ended else None
    return Held(at, held.holds, mine[0] if mine else None, held.id, going)


def _declared(subject: Subject, address: Address) -> bool:
    config = subject.config
    return address in config.declared or address in config.broken or address.kind in config.unread


def _placeholder() -> Entry:
    """What stands in the lock for something that is held before it was ever made."""
    return Entry(fingerprint({}), {})


def _is_placeholder(entry: Entry) -> bool:
    return entry.id is None and not entry.inputs and not entry.history


class Released(Struct, frozen=True):
    """An address that nothing holds any more, and the holds that were lifted; none for a stop that the lock did not
    keep as one."""

    address: Address
    lifted: tuple[Hold, ...] = ()


async def release(options: Options, address: Address, *, world: World | None = None) -> Released | Change:
    """Lift the holds of one address, the stop after a rebuilt lock, or that after a pause by somebody else.

    Where none of these holds it, nothing is written, and what is planned for it comes back. A hold in the lock is
    lifted with broken specs, too. UserError for an address that neither specs nor lock know.
    """
    world = world or real_world()
    subject = read_subject(options, world.today())
    at = locked_at(subject, address) if subject.state and not subject.state.new else address
    entry = subject.state.entries.get(at) if subject.state else None
    if entry is not None and entry.holds:
        with amended(subject, world, f"release {address}") as ledger:
            now = ledger.entries.get(at)
            lifted = now.holds if now else ()
            if now is not None:
                ledger.record(at, None if _is_placeholder(now) else replace(now, holds=()))
        return Released(address, lifted)
    return await _release_planned(options, subject, at, world)


async def _release_planned(options: Options, subject: Subject, address: Address, world: World) -> Released | Change:
    """Lift what is no hold of the lock, and is known by a plan alone."""
    loaded = opened(options, ignore, world)
    if has_errors(loaded.diagnostics):
        async with connected(loaded, world) as port:
            await dated(loaded, port)
    entry = checked_state(loaded, world).entries.get(address)
    if entry is None and address not in loaded.graph.resources:
        raise UserError(f"{address} is neither declared nor in the lock", hint="rftplan status lists the addresses")
    made = (await plan(options, world=world)).plan
    change = next(change for change in made.changes if change.address == address)
    if change.reason not in (Reason.LOCK_REBUILT, Reason.PAUSED_ELSEWHERE):
        return change
    with amended(subject, world, f"release {address}") as ledger:
        now = ledger.entries.get(address)
        if now is None:
            wanted = loaded.graph.resources[address]
            ledger.record(address, Entry(wanted.fingerprint, wanted.inputs))
        else:
            ledger.record(address, replace(now, resolved={**now.resolved, "paused_by": RELEASED}))
    return Released(address)
