"""Spec, lock and snapshot in, plan out. Pure: no client, no clock, no path; the same inputs give the same bytes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.blocking import blocked_by, kept_for_holds
from rftplan.canonical import fingerprint
from rftplan.changes import Action, Change, Drift, Hazard, Mode, Plan, Reason
from rftplan.errors import Diagnostic
from rftplan.graph import Graph
from rftplan.kinds import KINDS
from rftplan.kinds.base import OpenIntent, Resource, Situation
from rftplan.kinds.scope import Scope
from rftplan.kinds.spec import written
from rftplan.kinds.standing import Standing
from rftplan.lockfile import Entry, Hold
from rftplan.places import Line, line_up
from rftplan.selecting import Selection, leave_move_out, leave_out, left_out, protected, staying

__all__ = ["PlanInputs", "Selection", "alone", "make_plan", "standings"]


class PlanInputs(Struct, frozen=True):
    """Everything a plan is computed from. `snapshot` holds what each kind saw, by address; `waiting` are those that
    the lock says wait for a place, oldest first."""

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
    waiting: tuple[Address, ...] = ()


class _Around(Struct, frozen=True):
    """What a decision may have to know of other addresses: what the lock and the specs do not have in common, which
    launches were cut off, who goes on from which file, and what of the specs stays."""

    orphans: Mapping[Address, Entry] = field(default_factory=dict)
    newcomers: Mapping[Address, Resource] = field(default_factory=dict)
    cut_off_launches: tuple[Address, ...] = ()
    starting_from: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)
    staying: Mapping[Address, Resource] = field(default_factory=dict)


def _around(inputs: PlanInputs, without: Collection[Address]) -> _Around:
    orphans = {a: e for a, e in inputs.entries.items() if a not in inputs.graph.resources}
    newcomers = {a: r for a, r in inputs.graph.resources.items() if a not in inputs.entries}
    cut_off = sorted(a for a, one in inputs.intents.items() if one.intent.verb == "launch")
    users: dict[str, tuple[Address, ...]] = {}
    for address in sorted(inputs.snapshot):
        for file_id in KINDS[address.kind].starts_from(inputs.snapshot[address]):
            users[file_id] = (*users.get(file_id, ()), address)
    newcomers = {} if inputs.selection.destroy else newcomers
    stays = staying(inputs.selection, inputs.graph, inputs.entries, without)
    return _Around(orphans, newcomers, tuple(cut_off), users, stays)


def _without_ended(around: _Around, decided: Mapping[Address, Change]) -> _Around:
    """Less what this very plan ends: what was used goes after it, and stays if that fails."""
    ended = {address for address, change in decided.items() if change.action is Action.DELETE}
    cut_off = tuple(address for address in around.cut_off_launches if address not in ended)
    users = {id: tuple(a for a in addresses if a not in ended) for id, addresses in around.starting_from.items()}
    return replace(around, cut_off_launches=cut_off, starting_from=users)


def make_plan(inputs: PlanInputs) -> Plan:
    """Decide about every address once: what is made on demand after what demands it, the rest in order.

    What would be made on demand is decided again once it is known which of the demands are blocked by another. What
    the selection leaves out demands nothing, and nothing follows from it.
    """
    found = _found_lineage(inputs) if inputs.scope.fresh else None
    if found is not None:
        inputs = replace(inputs, scope=replace(inputs.scope, lineage=found))
    decided: dict[Address, Change] = {}
    drift, held = list[Drift](), list[Change]()
    order = [*inputs.graph.order, *_orphans(inputs)]
    without = left_out(inputs.selection, inputs.graph, order)
    around = _around(inputs, without)
    waiting = [address for address in order if KINDS[address.kind].on_demand]
    for addresses in ([a for a in order if not KINDS[a.kind].on_demand], waiting):
        demand, around = _demand(decided), _without_ended(around, decided)
        for address in addresses:
            situation = _situation(inputs, address, decided, demand, around)
            change = _decide(inputs, situation)
            held += [change] if change.action is Action.HOLD else []
            decided[address] = leave_out(change, without[address]) if address in without else change
            drift.extend(KINDS[address.kind].drift(situation))
    blocked = kept_for_holds(blocked_by(decided), held, set(around.orphans) - set(without))
    line = _line(inputs, order, blocked)
    blocked.update(line.late)
    for address in _referring(inputs, line.late, without):
        blocked[address] = _decide(inputs, _situation(inputs, address, blocked, demand, around))
    demand = _demand(blocked)
    for address in waiting:
        if blocked[address].action.acts:
            blocked[address] = _decide(inputs, _situation(inputs, address, blocked, demand, around))
    inputs = replace(inputs, moves=tuple(leave_move_out(move, without) for move in inputs.moves))
    changes = (*inputs.moves, *_ordered(inputs, order, blocked))
    return Plan(
        project=inputs.scope.project,
        env=inputs.scope.env,
        provider=inputs.provider,
        changes=changes,
        drift=tuple(sorted(drift, key=lambda d: (d.address, d.detail))),
        diagnostics=inputs.diagnostics,
        allowed=inputs.allowed,
        mode=Mode.DESTROY if inputs.selection.destroy else Mode.WHOLE,
        lineage=found,
        line=line.order,
        waiting=line.waiting,
        target=tuple(sorted(inputs.selection.target)),
        exclude=tuple(sorted(inputs.selection.exclude)),
        left_out=tuple(without),
    )


def _line(inputs: PlanInputs, order: Sequence[Address], decided: Mapping[Address, Change]) -> Line:
    taken = {id for address, seen in inputs.snapshot.items() for id in KINDS[address.kind].holding_places(seen)}
    most = inputs.scope.most_running
    return line_up(decided, order, before=inputs.waiting, taken=len(taken), most=most)


def _referring(inputs: PlanInputs, late: Collection[Address], without: Collection[Address]) -> list[Address]:
    """What refers to one that has to wait after all, and was decided as if it did not; nothing that is left out."""
    if inputs.selection.destroy:
        return []
    asked = [a for a in inputs.graph.order if a not in without]
    return [a for a in asked if any(ref.address in late for ref in inputs.graph.resources[a].refs)]


def alone(inputs: PlanInputs, address: Address) -> Situation:
    """What is known of one address, before anything is decided about another."""
    return _situation(inputs, address, {}, {}, _Around())


def _found_lineage(inputs: PlanInputs) -> str | None:
    """Whose launches are there already: a lock that was lost takes its own lineage up again."""
    found = (KINDS[a.kind].lineage(alone(inputs, a)) for a in sorted(inputs.snapshot))
    return next((lineage for lineage in found if lineage), None)


def _orphans(inputs: PlanInputs) -> list[Address]:
    """What the lock has, or the journal left open, and the specs lack; dependents first."""
    kinds = list(KINDS)
    gone = {*inputs.entries, *inputs.intents} - set(inputs.graph.resources)
    return sorted(gone, key=lambda a: (-kinds.index(a.kind), a))


def _demand(decided: Mapping[Address, Change]) -> dict[Address, list[Address]]:
    """Which changes need an address, by that address."""
    demand: dict[Address, list[Address]] = {}
    for address in sorted(decided):
        for needed in decided[address].needs:
            demand.setdefault(needed, []).append(address)
    return demand


def _situation(
    inputs: PlanInputs,
    address: Address,
    decided: Mapping[Address, Change],
    demand: Mapping[Address, Sequence[Address]],
    around: _Around,
) -> Situation:
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
        upstream={r.address: decided[r.address] for r in want.refs if r.address in decided} if want else decided,
        entries=inputs.entries,
        launching=tuple(demand.get(address, ())),
        orphans=around.orphans,
        newcomers=around.newcomers,
        cut_off_launches=around.cut_off_launches,
        starting_from=around.starting_from,
        staying=around.staying,
        resources=inputs.graph.resources,
        replace=address in inputs.selection.replace,
    )


def _decide(inputs: PlanInputs, situation: Situation) -> Change:
    """What holds for every kind comes before what only the kind knows."""
    declared = inputs.graph.resources.get(situation.address)
    if situation.entry is not None and situation.entry.holds:
        return _held(situation, situation.entry.holds)
    change = KINDS[situation.address.kind].decide(situation)
    if inputs.selection.destroy and declared is not None:
        # Without a lock there is nothing to forget, but a job may run: the kind has looked.
        if situation.entry is None and situation.intent is None and change.action is Action.FORGET:
            return situation.change(Action.NOOP, "keep", Reason.NOT_THERE, "nothing to destroy")
        if protected(declared):
            return situation.change(Action.HOLD, "hold", Reason.PREVENTED, "lifecycle.prevent_destroy is set")
    if inputs.selection.destroy and change.reason is Reason.REMOVED_FROM_SPEC:
        return replace(change, reason=Reason.DESTROYED)
    return change


def standings(inputs: PlanInputs) -> dict[Address, Standing]:
    """How every declared or locked address stands now, in the order of the plan, and what holds it."""
    order = [*inputs.graph.order, *_orphans(inputs)]
    changes = make_plan(inputs).changes
    held = {c.address: c for c in changes if c.action is Action.HOLD}
    late = {c.address: c for c in changes if c.reason is Reason.WAITS_FOR_PLACE}
    found = {}
    for address in order:
        situation = replace(alone(inputs, address), held=held.get(address))
        found[address] = KINDS[address.kind].standing(situation).with_hold(situation.held).with_wait(late.get(address))
    return found


def _held(situation: Situation, holds: Sequence[Hold]) -> Change:
    """Every hold at once: `release` lifts them all, so a person has to have seen each."""
    said = "; ".join(f"{hold.code}: {hold.reason}" for hold in holds)
    if going := KINDS[situation.address.kind].goes_on(situation):
        return situation.change(Action.HOLD, "hold", Reason.GOES_ON_HELD, f"{going}; {said}")
    return situation.change(Action.HOLD, "hold", Reason.HELD, said)


def _ordered(inputs: PlanInputs, order: list[Address], decided: Mapping[Address, Change]) -> tuple[Change, ...]:
    """In the order of the graph, each change with what must be finished first."""
    users = _users(inputs, decided)
    moves = tuple(move.address for move in inputs.moves if move.action.acts)
    changes = []
    for address in order:
        change = decided[address]
        before = () if _gone(inputs, address) else (*moves, *change.needs)
        after = (*before, *users.get(address, ()))
        changes.append(replace(_bound(inputs, change), after=tuple(dict.fromkeys(after))))
    return tuple(changes)


def _bound(inputs: PlanInputs, change: Change) -> Change:
    """The change with what a reviewer agrees to: what is wanted, and what it takes the place of."""
    want = None if _gone(inputs, change.address) else inputs.graph.resources[change.address]
    entry = inputs.entries.get(change.address)
    sent = want is not None and (change.action.acts or change.then)
    return replace(
        change,
        fingerprint=want.fingerprint if want else None,
        declared=fingerprint(written(want.spec)) if want is not None and sent else None,
        id=entry.id if entry else None,
    )


def _users(inputs: PlanInputs, decided: Mapping[Address, Change]) -> dict[Address, tuple[Address, ...]]:
    """What goes away goes after what used it: by its references where the specs still say them, otherwise after
    everything of the kinds that could have used it. What is made on demand may have been used by what stays, too."""
    kinds = list(KINDS)
    acting = [address for address in sorted(decided) if decided[address].action.acts]
    going = [address for address in acting if _goes(inputs, decided[address])]
    referring: dict[Address, list[Address]] = {}
    for address in going:
        for ref in inputs.graph.resources[address].refs if address in inputs.graph.resources else ():
            referring.setdefault(ref.address, []).append(address)
    unknown = [address for address in going if address not in inputs.graph.resources]
    later = {kind: [a for a in unknown if kinds.index(a.kind) > rank] for rank, kind in enumerate(kinds)}
    seen = [a for a in acting if a in inputs.intents or KINDS[a.kind].starts_from(inputs.snapshot.get(a))]
    users = {}
    for address in going:
        freed = KINDS[address.kind].on_demand
        staying = [a for a in seen if address not in decided[a].needs and not KINDS[a.kind].on_demand] if freed else ()
        users[address] = (*referring.get(address, ()), *later[address.kind], *staying)
    return users


def _goes(inputs: PlanInputs, change: Change) -> bool:
    """Whether the change takes something away, be it still in the specs or not."""
    return _gone(inputs, change.address) or change.action in (Action.DELETE, Action.FORGET)


def _gone(inputs: PlanInputs, address: Address) -> bool:
    return inputs.selection.destroy or address not in inputs.graph.resources
