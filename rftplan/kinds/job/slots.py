"""Who stands in a slot at the service, asked anew around a launch. Decides nothing and changes nothing there."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from rftplan.address import Address
from rftplan.api.port import RemoteJob
from rftplan.api.profiles import Capability
from rftplan.kinds.base import Act
from rftplan.kinds.job.launch import ADDRESS_KEY, LAUNCH_KEY, age
from rftplan.kinds.job.nameless import Launched, is_nameless, known_again
from rftplan.kinds.job.recognising import alike_from, files_now


class Standing(Struct, frozen=True):
    """Every launch of a slot, oldest first, under whatever address it was launched; and what of nobody may have been
    launched for the same, where the service may not keep metadata."""

    slot: tuple[RemoteJob, ...]
    alike: tuple[RemoteJob, ...] = ()


async def standing(address: Address, launch: str, act: Act, ours: Collection[Launched] = ()) -> Standing:
    """Who is in the slot now. `ours` are the launches of this apply, however they ended."""
    names = act.scope.launch_addresses(address, act.ledger.entries)
    if act.scope.profile.can(Capability.METADATA):
        lists = [await act.port.list_jobs({ADDRESS_KEY: name, LAUNCH_KEY: launch}) for name in names]
        return Standing(tuple(sorted((job for jobs in lists for job in jobs), key=age)))
    jobs = known_again(
        sorted(await act.port.list_jobs(), key=age),
        act.scope,
        entries=act.ledger.entries,
        intents=act.ledger.intents,
        also=ours,
    )
    slot = tuple(j for j in jobs if j.metadata.get(ADDRESS_KEY) in names and j.metadata.get(LAUNCH_KEY) == launch)
    unknown = tuple(job for job in jobs if is_nameless(job))
    if not unknown:
        return Standing(slot)
    want = act.resources[address]
    files = await files_now(act.port, want, act.ledger.entries)
    return Standing(slot, await alike_from(act.port, want, unknown, files))
