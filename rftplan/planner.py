"""Spec, lock and snapshot in, plan out. Pure: no client, no clock, no path; the same inputs give the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from rftplan.address import Address
from rftplan.changes import Action, Change, Drift, Hazard, Plan, Reason
from rftplan.errors import Diagnostic
from rftplan.graph import Graph
from rftplan.kinds import KINDS
from rftplan.kinds.base import MoveStep, OpenIntent, Resource, Scope, Situation, Standing
from rftplan.kinds.spec import Lifecycle
from rftplan.lockfile import Entry, Hold


@dataclass(frozen=True, slots=True)
class Selection:
    """What the person asked for beyond the specs. `destroy`: as if the specs declared nothing."""

    destroy: bool = False
    replace: frozenset[Address] = frozenset()


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """Everything a plan is computed from. `snapshot` holds what each kind saw, by address."""

    graph: Graph
    scope: Scope
    provider: Mapping[str, str | None]
    entries: Mapping[Address, Entry]
    tombstones: Mapping[Address, tuple[str, ...]]
    intents: Mapping[Address, OpenIntent]
    snapshot: Mapping[Address, object]
    selection: Selection = field(default_factory=Selection)
    diagnostics: tuple[Diagnostic, ...] = ()
    allowed: frozenset[Hazard] = frozenset()
    moves: tuple[Change, ...] = ()


def moved_entries(
    entries: Mapping[Address, Entry],
    tombstones: Mapping[Address, tuple[str, ...]],
    moves: Iterable[tuple[Address, Address]],
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


def make_plan(inputs: PlanInputs) -> Plan:
    """Decide about every address once: what is made on demand after what demands it, the rest in order.

    What would be made on demand is decided again once it is known which of the demands are blocked by another.
    """
    decided: dict[Address, Change] = {}
    drift: list[Drift] = []
    order = [*inputs.graph.order, *_orphans(inputs)]
    waiting = [address for address in order if KINDS[address.kind].on_demand]
    for address in (*(a for a in order if a not in set(waiting)), *waiting):
        situation = _situation(inputs, address, decided)
        decided[address] = _decide(inputs, situation)
        drift.extend(KINDS[address.kind].drift(situation))
    blocked = _blocked(decided)
    for address in waiting:
        if blocked[address].action.acts:
            blocked[address] = _decide(inputs, _situation(inputs, address, blocked))
    changes = (*inputs.moves, *_ordered(inputs, order, blocked))
    return Plan(
        project=inputs.scope.project,
        env=inputs.scope.env,
        provider=inputs.provider,
        changes=changes,
        drift=tuple(sorted(drift, key=lambda d: (d.address, d.detail))),
        diagnostics=inputs.diagnostics,
        allowed=inputs.allowed,
        lineage=_found_lineage(inputs) if inputs.scope.fresh else None,
    )


def _found_lineage(inputs: PlanInputs) -> str | None:
    """Whose launches are there already: a lock that was lost takes its own lineage up again."""
    found = (KINDS[a.kind].lineage(seen) for a, seen in sorted(inputs.snapshot.items(), key=lambda item: item[0]))
    return next((lineage for lineage in found if lineage), None)


def _orphans(inputs: PlanInputs) -> list[Address]:
    """What the lock has, or the journal left open, and the specs lack; dependents first."""
    kinds = list(KINDS)
    gone = {*inputs.entries, *inputs.intents} - set(inputs.graph.resources)
    return sorted(gone, key=lambda a: (-kinds.index(a.kind), a))


def _situation(inputs: PlanInputs, address: Address, decided: Mapping[Address, Change]) -> Situation:
    """Everything that is known of one address."""
    want = None if inputs.selection.destroy else inputs.graph.resources.get(address)
    return Situation(
        address=address,
        want=want,
        entry=inputs.entries.get(address),
        seen=inputs.snapshot.get(address),
        intent=inputs.intents.get(address),
        scope=inputs.scope,
        tombstones=inputs.tombstones.get(address, ()),
        upstream={ref.address: decided[ref.address] for ref in want.refs if ref.address in decided} if want else {},
        entries=inputs.entries,
        launching=tuple(sorted(a for a, change in decided.items() if address in change.needs)),
        replace=address in inputs.selection.replace,
    )


def _decide(inputs: PlanInputs, situation: Situation) -> Change:
    """What holds for every kind comes before what only the kind knows."""
    declared = inputs.graph.resources.get(situation.address)
    if situation.entry is not None and situation.entry.holds:
        return _held(situation, situation.entry.holds[0])
    if inputs.selection.destroy and declared is not None:
        if situation.entry is None and situation.intent is None:
            return situation.change(Action.NOOP, "keep", Reason.NOT_THERE, "nothing to destroy")
        if _protected(declared):
            return situation.change(Action.HOLD, "hold", Reason.PREVENTED, "lifecycle.prevent_destroy is set")
    change = KINDS[situation.address.kind].decide(situation)
    if inputs.selection.destroy and change.reason is Reason.REMOVED_FROM_SPEC:
        return replace(change, reason=Reason.DESTROYED)
    return change


def _protected(resource: Resource) -> bool:
    lifecycle = getattr(resource.spec, "lifecycle", None)
    return isinstance(lifecycle, Lifecycle) and lifecycle.prevent_destroy


def standings(inputs: PlanInputs) -> dict[Address, Standing]:
    """How every declared or locked address stands now, in the order of the plan."""
    order = [*inputs.graph.order, *_orphans(inputs)]
    return {address: KINDS[address.kind].standing(_situation(inputs, address, {})) for address in order}


def _held(situation: Situation, hold: Hold) -> Change:
    return situation.change(Action.HOLD, "hold", Reason.HELD, f"{hold.code}: {hold.reason}")


def _blocked(decided: Mapping[Address, Change]) -> dict[Address, Change]:
    """A step whose inputs are not there yet, or are held, is not there yet either."""
    result = dict(decided)
    for address, change in decided.items():
        stuck = [a for a in change.needs if result[a].action in (Action.DEFER, Action.HOLD)]
        if stuck and change.action.acts:
            names = ", ".join(str(a) for a in stuck)
            result[address] = Change(
                address,
                Action.DEFER,
                "wait",
                Reason.UPSTREAM_BLOCKED,
                f"waits for {names}",
                fields=change.fields,
                then=(change.verb,),
            )
    return result


def _ordered(inputs: PlanInputs, order: list[Address], decided: Mapping[Address, Change]) -> tuple[Change, ...]:
    """In the order of the graph, each change with what must be finished first."""
    changes = []
    for address in order:
        change, want = decided[address], inputs.graph.resources.get(address)
        if inputs.selection.destroy or want is None:
            before = _users(inputs, address, decided)
        else:
            before = (*(m.address for m in inputs.moves), *change.needs)
        changes.append(replace(change, after=tuple(dict.fromkeys(before))))
    return tuple(changes)


def _users(inputs: PlanInputs, address: Address, decided: Mapping[Address, Change]) -> tuple[Address, ...]:
    """What goes away goes after what used it: kinds in reverse, and only where both go."""
    if not decided[address].action.acts:
        return ()
    kinds = list(KINDS)
    rank = kinds.index(address.kind)
    users = (a for a, c in decided.items() if kinds.index(a.kind) > rank and c.action.acts and _gone(inputs, a))
    return tuple(sorted(users))


def _gone(inputs: PlanInputs, address: Address) -> bool:
    return inputs.selection.destroy or address not in inputs.graph.resources
