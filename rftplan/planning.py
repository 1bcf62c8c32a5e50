"""What a plan is computed from, brought together: specs, data, lock and what the service says now.

Asks and reads; writes nothing and carries nothing out.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Mode, Plan
from rftplan.checks.policy import launches_planned
from rftplan.codes import OTHER_BYTES, finding
from rftplan.errors import Diagnostic, SpecError, UsageError, UserError, has_errors, sort_diagnostics
from rftplan.evaluations import judge_named
from rftplan.events import OnEvent, ignore
from rftplan.journal import State, read_state
from rftplan.kinds.file import strangers
from rftplan.kinds.job import Run
from rftplan.kinds.scope import Scope
from rftplan.loading import Loaded, Options
from rftplan.lockfile import Entry, Lock
from rftplan.made_from import MadeFrom, made_from
from rftplan.moving import moved_entries, moved_launches, moved_places, moved_tombstones
from rftplan.observe import observe, open_intents
from rftplan.opening import dated, opened, telling, with_sharing
from rftplan.ownership import require_own
from rftplan.places import launches
from rftplan.planner import PlanInputs, Selection, make_plan
from rftplan.refresh import remembered
from rftplan.selecting import left_out, meant
from rftplan.spelling import close_names
from rftplan.wiring import World, connected, exposed_keys, real_world

if TYPE_CHECKING:
    from rftplan.api.port import Port


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and how many HTTP requests it took. No part of what is printed of it: asyncio makes that text of what
    its main task returns, though nobody reads it, and of a large plan it takes as long as to make it."""

    plan: Plan = field(repr=False)
    requests: int
    loaded: Loaded = field(repr=False)

    @property
    def made_from(self) -> MadeFrom:
        """What it was computed from, but for what the service says."""
        return made_from(self.loaded)


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
        async with connected(loaded, world, on_event=on_event) as port:
            told[:] = await dated(loaded, port)
            inputs, _ = await plan_inputs(loaded, port, world, selection, told)
            return Planned(allowed_plan(loaded, inputs), port.requests, loaded)


def plan_offline(
    options: Options, *, selection: Selection = Selection(), on_event: OnEvent = ignore, world: World | None = None
) -> Planned:
    """What apply would do if the service were as the lock knew it last: no key, no request. What only the service knows
    is said to be unknown, and a launch whose end nobody saw waits."""
    world = world or real_world()
    loaded = opened(options, on_event, world)
    if has_errors(loaded.diagnostics):
        raise SpecError(loaded.diagnostics)
    inputs, _ = _known_inputs(loaded, world, selection, now=-math.inf, findings=loaded.diagnostics)
    made = allowed_plan(loaded, replace(inputs, snapshot=remembered(inputs)))
    return Planned(replace(made, mode=Mode.OFFLINE), 0, loaded)


def allowed_plan(loaded: Loaded, inputs: PlanInputs) -> Plan:
    """The plan. SpecError where it launches more than one apply may: a retry, and what a person replaces, is known here
    alone."""
    made = make_plan(inputs)
    due = [change.address for change in made.changes if launches(change)]
    if beyond := [*launches_planned(loaded.preflight, due)]:
        raise SpecError(sort_diagnostics((*inputs.diagnostics, *beyond)))
    return made


async def plan_inputs(
    loaded: Loaded, port: Port, world: World, selection: Selection, findings: Sequence[Diagnostic] = ()
) -> tuple[PlanInputs, State]:
    """Everything a plan is computed from, and the state that it saw."""
    known, state = _known_inputs(loaded, world, selection, now=world.now())
    launches = moved_launches(state.intents.values(), loaded.moves, known.entries)
    snapshot = await observe(loaded.graph, known.entries, launches, port=port, scope=known.scope, now=world.now())
    strangers = _strangers(known.entries, snapshot)
    found = (*with_sharing(loaded, snapshot, findings), *exposed_keys(loaded, world), *strangers)
    return replace(known, snapshot=snapshot, diagnostics=sort_diagnostics(found)), state


def _strangers(entries: Mapping[Address, Entry], snapshot: Mapping[Address, object]) -> Iterator[Diagnostic]:
    """What an apply found to carry our name and not to have our bytes, for as long as it is there."""
    for address in sorted(entries):
        for id, has in strangers(entries[address], snapshot.get(address)).items():
            detail = (
                f"{id} carries the name of {address} with its hash, and has other bytes ({has}): nothing is made of it"
            )
            hint = f"find out who put it there, then delete {id} at the service"
            yield finding(OTHER_BYTES, detail, address=str(address), hint=hint)


def _known_inputs(
    loaded: Loaded, world: World, selection: Selection, *, now: float, findings: Sequence[Diagnostic] = ()
) -> tuple[PlanInputs, State]:
    """What is known without asking, and the state that it comes from; `now` says whether an open intent is settled."""
    _require_own(loaded, loaded.lock)
    state = replace(loaded.state, lineage=world.new_id()) if loaded.state.new else loaded.state
    scope = _scope(loaded, state)
    entries, moves = moved_entries(state.entries, state.tombstones, loaded.moves)
    intents = moved_launches(state.intents.values(), loaded.moves, entries)
    moved = {change.address for change in moves}
    document = {key: None if value is None else str(value) for key, value in loaded.identity.as_document().items()}
    open_ = open_intents((i for i in intents if i.address not in moved), now=now, scope=scope)
    inputs = PlanInputs(
        graph=loaded.graph,
        scope=scope,
        provider=document,
        entries=entries,
        tombstones=moved_tombstones(state.tombstones, loaded.moves),
        intents=open_,
        snapshot={},
        selection=_checked(selection, loaded, {*loaded.graph.resources, *entries, *open_}),
        diagnostics=sort_diagnostics(findings),
        allowed=loaded.allowed,
        moves=moves,
        waiting=moved_places(state.waiting, loaded.moves),
    )
    return inputs, state


def _scope(loaded: Loaded, state: State) -> Scope:
    return Scope(
        project=loaded.project,
        env=loaded.env,
        lineage=state.lineage,
        fresh=state.new,
        profile=loaded.profile,
        moves=loaded.moves,
        budget=loaded.budget,
        most_running=loaded.most_running,
        delete_models=loaded.delete_models,
        allow_selection_only=loaded.allow_selection_only,
        judge=judge_named(loaded),
    )


def _checked(selection: Selection, loaded: Loaded, known: Collection[Address]) -> Selection:
    """The selection, under the addresses that are meant now. UserError for what there is not, UsageError for what
    contradicts itself. `known` are all addresses that are decided about."""
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
    return _checked_parts(selection, loaded, known) if selection.partial else selection


def _checked_parts(selection: Selection, loaded: Loaded, known: Collection[Address]) -> Selection:
    to_of = {origin: to for origin, to in loaded.moves if to in known and origin not in known}
    given = sorted({*selection.target, *selection.exclude})
    if unknown := [a for a in given if a not in to_of and not meant(a, known)]:
        close = close_names(str(unknown[0]), sorted(map(str, (*known, *to_of))))
        hint = f"did you mean {close[0]}?" if close else "rftplan plan has every address"
        raise UserError(f"neither the specs nor the lock know {', '.join(map(str, unknown))}", hint=hint)
    now = replace(
        selection,
        target=frozenset(to_of.get(a, a) for a in selection.target),
        exclude=frozenset(to_of.get(a, a) for a in selection.exclude),
    )
    _refuse_lost(now, left_out(now, loaded.graph, known), known)
    return now


def _refuse_lost(selection: Selection, without: Mapping[Address, str], known: Collection[Address]) -> None:
    """UsageError for what the same command asks for and leaves out."""
    for option, named in (("--replace", selection.replace), ("--target", selection.target)):
        for address in sorted(named):
            why = [without.get(a) for a in sorted(meant(address, known))]
            if all(why):
                message = f"{option} asks for {address}, and the same command leaves it out: {why[0]}"
                beside = option == "--replace" and not selection.exclude
                raise UsageError(message, hint=f"add --target {address}" if beside else "take one of the two out")
    if len(without) == len(known):
        raise UsageError("--exclude leaves nothing", hint="take some of it out")


def checked_state(loaded: Loaded, world: World) -> State:
    """Lock and journal as they are now, whatever they were when the project was opened."""
    state, lock = read_state(loaded.paths, new_lineage=world.new_id)
    _require_own(loaded, lock)
    return state


def _require_own(loaded: Loaded, lock: Lock | None) -> None:
    """A lock of another account or project stops everything before anything is compared."""
    require_own(lock, loaded.paths.lock.name, loaded.identity, loaded.project)
