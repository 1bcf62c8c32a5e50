"""A project opened: specs, data, lock and service brought together for each thing one can ask.

The facade that the command line and Python programs call. Decides nothing itself, prints nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rftplan.address import Address
from rftplan.api.identity import ProviderIdentity
from rftplan.changes import Action, Change, Plan
from rftplan.errors import Diagnostic, LockError, RefusedPlanError, UserError, has_errors, sort_diagnostics
from rftplan.events import OnEvent, Result, ignore
from rftplan.execution import Execution, Stop, execute
from rftplan.journal import State, read_state
from rftplan.kinds.base import Act, RecordStep
from rftplan.kinds.job import Run
from rftplan.kinds.scope import Scope
from rftplan.ledger import open_ledger
from rftplan.loading import Loaded, Options, load
from rftplan.lockfile import Lock
from rftplan.moving import moved_entries, moved_launches, moved_tombstones
from rftplan.observe import observe, open_intents
from rftplan.opening import dated, opened, telling, with_sharing
from rftplan.ownership import require_own
from rftplan.planner import PlanInputs, Selection, make_plan, standings
from rftplan.promoted import Promoted, promoted, require_directory, require_environment, state_paths
from rftplan.spelling import close_names
from rftplan.wiring import World, acting_alone, connected, exposed_keys, real_world

if TYPE_CHECKING:
    from rftplan.api.port import Port

Consent = Callable[[Plan], bool]
"""Sees the plan and says whether to go on; raises RefusedPlanError when its hazards are not allowed."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and how many HTTP requests it took. No part of what is printed of it: asyncio makes that text of what
    its main task returns, though nobody reads it, and of a large plan it takes as long as to make it."""

    plan: Plan = field(repr=False)
    requests: int


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan. `interrupted`: somebody stopped it; the rest was not tried. `unsaved`: why what was
    done could not be written into the lock; the journal knows it."""

    plan: Plan
    results: tuple[Result, ...]
    requests: int
    interrupted: bool
    unsaved: LockError | None = None


@dataclass(frozen=True, slots=True)
class ResourceStatus:
    """How one resource stands."""

    address: Address
    kind: str
    state: str
    id: str | None
    detail: str


def check(options: Options, *, on_event: OnEvent = ignore) -> tuple[Diagnostic, ...]:
    """Every finding, sorted. Asks no service, runs nothing, writes nothing but the cache of data digests."""
    return load(options, on_event).diagnostics


async def plan(
    options: Options,
    *,
    selection: Selection = Selection(),
    on_event: OnEvent = ignore,
    world: World | None = None,
) -> Planned:
    """What apply would do. SpecError if a finding is an error; what was found is told with a service's failure, too."""
    world = world or real_world()
    loaded = opened(options, on_event, world)
    with telling(loaded.diagnostics) as told:
        async with connected(loaded, world) as port:
            told[:] = await dated(loaded, port)
            inputs, _ = await _inputs(loaded, port, world, selection, told)
            return Planned(make_plan(inputs), port.requests)


async def _inputs(
    loaded: Loaded, port: Port, world: World, selection: Selection, findings: Sequence[Diagnostic] = ()
) -> tuple[PlanInputs, State]:
    """Everything a plan is computed from, and the state that it saw."""
    _require_own(loaded, loaded.lock)
    state = replace(loaded.state, lineage=world.new_id()) if loaded.state.new else loaded.state
    scope = Scope(loaded.project, loaded.env, state.lineage, state.new, loaded.profile, loaded.moves, loaded.budget)
    entries, moves = moved_entries(state.entries, state.tombstones, loaded.moves)
    intents = moved_launches(state.intents.values(), loaded.moves, entries)
    moved = {change.address for change in moves}
    snapshot = await observe(loaded.graph, entries, intents, port=port, scope=scope, now=world.now())
    document = {key: None if value is None else str(value) for key, value in loaded.identity.as_document().items()}
    inputs = PlanInputs(
        graph=loaded.graph,
        scope=scope,
        provider=document,
        entries=entries,
        tombstones=moved_tombstones(state.tombstones, loaded.moves),
        intents=open_intents((i for i in intents if i.address not in moved), now=world.now(), scope=scope),
        snapshot=snapshot,
        selection=_checked(selection, loaded),
        diagnostics=sort_diagnostics((*with_sharing(loaded, snapshot, findings), *exposed_keys(loaded, world))),
        allowed=loaded.allowed,
        moves=moves,
    )
    return inputs, state


def _checked(selection: Selection, loaded: Loaded) -> Selection:
    unknown = sorted(str(a) for a in selection.replace if a not in loaded.graph.resources or a.kind != "job")
    if unknown:
        jobs = [str(address) for address in loaded.graph.resources if address.kind == "job"]
        close = close_names(unknown[0], jobs)
        hint = f"did you mean {close[0]}?" if close else f"jobs are {', '.join(jobs) or 'not declared'}"
        raise UserError(f"{', '.join(unknown)} is not a job of these specs", hint=hint)
    for address in sorted(selection.replace):
        run = loaded.graph.resources[address].spec.run
        if run is not Run.RUNNING:
            raise UserError(
                f"{address} shall not run (run: {run}), so nothing can be launched in its place",
                hint=f"write run: running, or leave --replace {address} out",
            )
    return selection


def checked_state(loaded: Loaded, world: World) -> State:
    """Lock and journal as they are now, whatever they were when the project was opened."""
    state, lock = read_state(loaded.paths, new_lineage=world.new_id)
    _require_own(loaded, lock)
    return state


def _require_own(loaded: Loaded, lock: Lock | None) -> None:
    """A lock of another account or project stops everything before anything is compared."""
    require_own(lock, loaded.paths.lock.name, loaded.identity, loaded.project)


async def apply(
    options: Options,
    *,
    consent: Consent,
    selection: Selection = Selection(),
    wait: bool = False,
    parallelism: int = 10,
    on_event: OnEvent = ignore,
    stop: asyncio.Event | None = None,
    world: World | None = None,
) -> Applied | None:
    """Plan, ask, act. None if consent was not given. SpecError, RefusedPlanError, BusyError, LockError."""
    world = world or real_world()
    loaded = opened(options, on_event, world)
    stopping = Stop(stop or asyncio.Event())
    async with AsyncExitStack() as open_until_done:
        with telling(loaded.diagnostics) as told:  # until the plan is shown: what was found is shown with it
            port = await open_until_done.enter_async_context(connected(loaded, world))
            told[:] = await dated(loaded, port)
            inputs, state = await _inputs(loaded, port, world, selection, told)
        made = make_plan(inputs) if wait else make_plan(inputs).without_follow_ups()
        if (made.acts or made.hazards()) and not consent(made):
            return None
        if not wait and not _writes(made):
            return Applied(made, (), port.requests, stopping.asked)
        scope = replace(inputs.scope, lineage=made.lineage or inputs.scope.lineage)
        execution = Execution(
            plan=made,
            acting=_acting(loaded, port, world, replace(inputs, scope=scope), state, on_event),
            on_event=on_event,
            stop=stopping,
            parallelism=parallelism,
            poll_seconds=loaded.profile.poll_seconds,
            sleep=world.sleep,
        )
        done = await execute(execution, wait=wait)
        return Applied(made, done.results, port.requests, stopping.asked, done.unsaved)


def _writes(made: Plan) -> bool:
    return made.acts or any(_notes(change) for change in made.changes)


def _notes(change: Change) -> bool:
    """Whether lock or journal shall know something more, although nothing is done."""
    return change.closes is not None or (change.action is Action.NOOP and isinstance(change.step, RecordStep))


def _acting(
    loaded: Loaded, port: Port, world: World, inputs: PlanInputs, planned: State, on_event: OnEvent
) -> Callable[[], AbstractContextManager[Act]]:
    """How to begin acting: take the file lock, and refuse if the state moved since it was planned on."""
    expected: list[State | None] = [planned]

    @contextmanager
    def acting() -> Iterator[Act]:
        before = expected.pop() if expected else None
        with acting_alone(loaded.paths):
            if before is not None:
                _refuse_moved(checked_state(loaded, world), before)
            ledger = open_ledger(
                loaded.paths,
                loaded.identity,
                project=loaded.project,
                now=world.now,
                new_lineage=lambda: inputs.scope.lineage,
            )
            intents = moved_launches(ledger.intents, loaded.moves, inputs.entries)
            act = Act(
                port=port,
                scope=inputs.scope,
                ledger=ledger,
                resources=loaded.graph.resources,
                new_token=world.new_id,
                data_path=loaded.data_paths.__getitem__,
                on_event=on_event,
                open_intents={intent.address: intent for intent in intents},
            )
            try:
                yield act
            finally:
                ledger.close()

    return acting


def _refuse_moved(now: State, planned: State) -> None:
    same = (now.entries, now.tombstones, now.intents) == (
        planned.entries,
        planned.tombstones,
        planned.intents,
    )
    if not same:
        raise RefusedPlanError(
            "somebody else applied while this plan was being looked at", hint="run rftplan apply again"
        )


async def status(
    options: Options, *, on_event: OnEvent = ignore, world: World | None = None
) -> tuple[ResourceStatus, ...]:
    """How every resource stands at the service now."""
    world = world or real_world()
    loaded = opened(options, on_event, world)
    async with connected(loaded, world) as port:
        if has_errors(loaded.diagnostics):
            await dated(loaded, port)
        inputs, _ = await _inputs(loaded, port, world, Selection())
    return tuple(
        ResourceStatus(address, address.kind, standing.state, standing.id, standing.detail)
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
    "apply",
    "check",
    "load",
    "outputs",
    "plan",
    "state",
    "status",
]
