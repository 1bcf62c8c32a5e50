"""Lift what holds one address, once a person says so. Writes one record; launches, resumes and promotes nothing."""

from __future__ import annotations

from dataclasses import replace

from rftplan.address import Address
from rftplan.changes import Change, Reason
from rftplan.errors import UserError, has_errors
from rftplan.events import ignore
from rftplan.ledger import open_ledger
from rftplan.loading import Loaded, Options
from rftplan.lockfile import RELEASED, Entry
from rftplan.opening import dated, opened
from rftplan.planning import checked_state, plan
from rftplan.wiring import World, acting_alone, connected, real_world


async def release(options: Options, address: Address, *, world: World | None = None) -> Change | None:
    """Lift the holds of one address, the stop after a rebuilt lock, or that after a pause by somebody else.

    Where none of these holds it, nothing is written, and what is planned for it comes back. UserError for an
    address that neither specs nor lock know.
    """
    world = world or real_world()
    loaded = opened(options, ignore, world)
    if has_errors(loaded.diagnostics):
        async with connected(loaded, world) as port:
            await dated(loaded, port)
    entry = checked_state(loaded, world).entries.get(address)
    if entry is None and address not in loaded.graph.resources:
        raise UserError(f"{address} is neither declared nor in the lock", hint="rftplan status lists the addresses")
    if entry is None or not entry.holds:
        made = (await plan(options, world=world)).plan
        change = next(change for change in made.changes if change.address == address)
        if change.reason not in (Reason.LOCK_REBUILT, Reason.PAUSED_ELSEWHERE):
            return change
    _lift(loaded, address, world)
    return None


def _lift(loaded: Loaded, address: Address, world: World) -> None:
    with acting_alone(loaded.paths):
        checked_state(loaded, world)
        ledger = open_ledger(
            loaded.paths, loaded.identity, project=loaded.project, now=world.now, new_lineage=world.new_id
        )
        if not ledger.entries:
            raise UserError("there is no lock yet", hint="run rftplan apply first: it finds what was launched")
        ledger.record(address, _released(loaded, address, ledger.entries.get(address)))
        ledger.fold()
        ledger.close()


def _released(loaded: Loaded, address: Address, entry: Entry | None) -> Entry:
    if entry is None:
        wanted = loaded.graph.resources[address]
        return Entry(wanted.fingerprint, wanted.inputs)
    if entry.holds:
        return replace(entry, holds=())
    return replace(entry, resolved={**entry.resolved, "paused_by": RELEASED})
