"""A project opened: what one can ask of it, brought together under one name.

The facade that the command line and Python programs call. Decides nothing itself, prints nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from rftplan.address import Address
from rftplan.api.identity import ProviderIdentity
from rftplan.applying import Applied, Consent, Review, apply
from rftplan.changes import Reason
from rftplan.errors import Diagnostic, has_errors
from rftplan.events import OnEvent, ignore
from rftplan.journal import read_state
from rftplan.loading import Options, load
from rftplan.lockfile import Lock
from rftplan.opening import dated, opened
from rftplan.planner import Selection, standings
from rftplan.planning import Planned, plan, plan_inputs, plan_offline
from rftplan.promoted import Promoted, promoted, require_directory, require_environment, state_paths
from rftplan.refreshing import plan_refresh, refresh
from rftplan.wiring import World, connected, real_world


class ResourceStatus(Struct, frozen=True):
    """How one resource stands."""

    address: Address
    kind: str
    state: str
    id: str | None
    detail: str
    reason: Reason | None = None


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
    return tuple(
        ResourceStatus(address, address.kind, standing.state, standing.id, standing.detail, standing.reason)
        for address, standing in standings(inputs).items()
    )


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
