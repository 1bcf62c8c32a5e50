"""A project opened: what one can ask of it, brought together under one name.

The facade that the command line and Python programs call. Decides nothing itself, prints nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from msgspec import Struct

from rftplan.address import Address
from rftplan.api.identity import ProviderIdentity
from rftplan.api.port import Port, RemoteJob
from rftplan.api.profiles import Profile
from rftplan.applying import Applied, Consent, Review, apply
from rftplan.changes import Reason
from rftplan.errors import Diagnostic, has_errors
from rftplan.events import OnEvent, ignore
from rftplan.journal import read_state
from rftplan.kinds.job.observe import SeenJob
from rftplan.loading import Options, load
from rftplan.lockfile import Lock
from rftplan.monitor import Facts, Heard, facts_of
from rftplan.opening import dated, opened
from rftplan.planner import Selection, standings
from rftplan.planning import Planned, plan, plan_inputs, plan_offline
from rftplan.promoted import Promoted, promoted, require_directory, require_environment, state_paths
from rftplan.refreshing import plan_refresh, refresh
from rftplan.wiring import World, connected, real_world


class ResourceStatus(Struct, frozen=True):
    """How one resource stands. `facts` are there of a job that has begun to train and has not ended."""

    address: Address
    kind: str
    state: str
    id: str | None
    detail: str
    reason: Reason | None = None
    facts: Facts | None = None


def check(options: Options, *, on_event: OnEvent = ignore) -> tuple[Diagnostic, ...]:
    """Every finding, sorted. Asks no service, runs nothing, writes nothing but the cache of data digests."""
    return load(options, on_event).diagnostics


async def status(
    options: Options, *, on_event: OnEvent = ignore, world: World | None = None
) -> tuple[ResourceStatus, ...]:
    """How every resource stands at the service now."""
    world = world or real_world()
    loaded = opened(options, on_event, world)
    async with connected(loaded, world, on_event=on_event) as port:
        if has_errors(loaded.diagnostics):
            await dated(loaded, port)
        inputs, _ = await plan_inputs(loaded, port, world, Selection())
        facts = await _facts(inputs.snapshot, port, loaded.profile, world)
    return tuple(
        ResourceStatus(address, address.kind, one.state, one.id, one.detail, one.reason, facts.get(address))
        for address, one in standings(inputs).items()
    )


async def _facts(
    snapshot: Mapping[Address, object], port: Port, profile: Profile, world: World
) -> dict[Address, Facts]:
    """Two requests for each job that trains; of those that ended the lock knows what counts."""
    jobs = {address: seen.mine for address, seen in snapshot.items() if isinstance(seen, SeenJob) and seen.mine}
    training = {a: job for a, job in jobs.items() if not (job.status.ended or job.status.unbilled)}

    async def heard(address: Address, job: RemoteJob) -> Heard:
        events, checkpoints = await asyncio.gather(port.list_events(job.id), port.list_checkpoints(job.id))
        return Heard(job, address, events, checkpoints)

    found = await asyncio.gather(*(heard(address, job) for address, job in training.items()))
    return {
        address: facts_of(one, now=world.now(), profile=profile) for address, one in zip(training, found, strict=True)
    }


def outputs(options: Options) -> Mapping[str, Promoted]:
    """What is promoted, from the lock alone."""
    require_environment(options.env)
    current, _ = read_state(state_paths(options.directory, options.lock), new_lineage=str)
    return promoted(current)


def state(options: Options) -> Lock | None:
    """Lock and journal laid over each other, None where there is neither; reads only."""
    require_environment(options.env)
    require_directory(options.directory)
    current, lock = read_state(state_paths(options.directory, options.lock), new_lineage=str)
    if lock is None and current.new:
        return None
    provider = lock.provider if lock else ProviderIdentity("unknown", "unknown")
    return current.as_lock(provider)


__all__ = [
    "Applied",
    "Consent",
    "Options",
    "Planned",
    "Promoted",
    "ResourceStatus",
    "Review",
    "apply",
    "check",
    "load",
    "outputs",
    "plan",
    "plan_offline",
    "plan_refresh",
    "refresh",
    "state",
    "status",
]
