"""The lock brought to what the service says: looked at, or recorded. Launches, resumes, deletes and grants nothing."""

from __future__ import annotations

from msgspec.structs import replace

from rftplan.applying import Applied, Consent, refuse_moved
from rftplan.changes import Plan
from rftplan.events import OnEvent, Outcome, ignore
from rftplan.file_lock import acting_alone
from rftplan.journal import State
from rftplan.kinds.base import result
from rftplan.kinds.steps import RecordStep
from rftplan.ledger import open_ledger
from rftplan.loading import Loaded, Options
from rftplan.opening import dated, opened, telling
from rftplan.planner import Selection
from rftplan.planning import Planned, checked_state, plan_inputs
from rftplan.refresh import refreshed
from rftplan.wiring import World, connected, real_world


async def plan_refresh(options: Options, *, on_event: OnEvent = ignore, world: World | None = None) -> Planned:
    """What a refresh would record. Asks, and writes nothing."""
    planned, _ = await _planned(options, on_event, world or real_world())
    return planned


async def refresh(
    options: Options, *, consent: Consent, on_event: OnEvent = ignore, world: World | None = None
) -> Applied | None:
    """Record what is there now. None if consent was not given; RefusedPlanError if somebody applied meanwhile."""
    world = world or real_world()
    planned, state = await _planned(options, on_event, world)
    if planned.plan.acts:
        if not consent(planned.plan):
            return None
        _record(planned.loaded, planned.plan, state, world)
    results = tuple(result(change, Outcome.DONE) for change in planned.plan.changes)
    return Applied(planned.plan, results, planned.requests, interrupted=False)


async def _planned(options: Options, on_event: OnEvent, world: World) -> tuple[Planned, State]:
    loaded = opened(options, on_event, world)
    with telling(loaded.diagnostics) as told:
        async with connected(loaded, world) as port:
            told[:] = await dated(loaded, port)
            inputs, state = await plan_inputs(loaded, port, world, Selection(), told)
            # What the specs say has moved moves with an apply; until then its entry stands where the lock has it.
            entries = {address: entry for address, entry in inputs.entries.items() if address in state.entries}
            plan = replace(refreshed(replace(inputs, entries=entries)), diagnostics=inputs.diagnostics)
            return Planned(plan, port.requests, loaded), state


def _record(loaded: Loaded, plan: Plan, planned: State, world: World) -> None:
    with acting_alone(loaded.paths, "apply"):
        refuse_moved(checked_state(loaded, world), planned)
        ledger = open_ledger(
            loaded.paths, loaded.identity, project=loaded.project, now=world.now, new_lineage=world.new_id
        )
        try:
            for change in plan.changes:
                if isinstance(change.step, RecordStep):
                    ledger.record(change.address, change.step.entry)
            ledger.fold()
        finally:
            ledger.close()
