"""What a person asks of a plan beyond the specs, and what such a plan leaves out. Pure; decides about no change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from rftplan.address import Address
from rftplan.changes import Action, Change, Reason
from rftplan.graph import Graph
from rftplan.kinds.base import Resource
from rftplan.kinds.spec import Lifecycle
from rftplan.kinds.steps import MoveStep
from rftplan.lockfile import Entry

Reach = Mapping[Address, Collection[Address]]


class Selection(Struct, frozen=True):
    """What the person asked for beyond the specs. `destroy`: as if the specs declared nothing.

    `target`: these alone, and what they depend on; `exclude`: all but these, and what depends on them. Where things
    are destroyed it is the other way round: what depends on a thing goes with it, and what it depends on stays with it.
    """

    destroy: bool = False
    replace: frozenset[Address] = frozenset()
    target: frozenset[Address] = frozenset()
    exclude: frozenset[Address] = frozenset()

    @property
    def partial(self) -> bool:
        return bool(self.target or self.exclude)


def meant(given: Address, known: Iterable[Address]) -> frozenset[Address]:
    """Those of the known addresses that one stands for: itself, and of a job with variants every one of them."""
    own = {a for a in known if a == given or (not given.variant and (a.kind, a.name) == (given.kind, given.name))}
    return frozenset(own)


def left_out(selection: Selection, graph: Graph, addresses: Collection[Address]) -> dict[Address, str]:
    """Each of `addresses` that the selection leaves out, and why."""
    if not selection.partial:
        return {}
    needs = {at: {ref.address for ref in one.refs} for at, one in graph.resources.items()}
    users = _turned(needs)
    along, with_it = (users, needs) if selection.destroy else (needs, users)
    found = {at: "--exclude names it" for given in selection.exclude for at in meant(given, addresses)}
    for named in sorted(found):
        for at in _reached([named], with_it):
            found.setdefault(at, _because(named, destroy=selection.destroy))
    if selection.target:
        kept = _reached([at for given in selection.target for at in meant(given, addresses)], along)
        for at in addresses:
            if at not in kept:
                found.setdefault(at, "--target names others")
    return {at: found[at] for at in addresses if at in found}


def staying(
    selection: Selection, graph: Graph, entries: Mapping[Address, Entry], without: Collection[Address]
) -> Mapping[Address, Resource]:
    """All that the specs declare; where that is destroyed, what is left out (`without`), protected or held."""
    if not selection.destroy:
        return graph.resources
    held = {address for address, entry in entries.items() if entry.holds}
    return {at: one for at, one in graph.resources.items() if at in without or at in held or protected(one)}


def protected(resource: Resource) -> bool:
    """Whether its lifecycle keeps it from being destroyed."""
    lifecycle = getattr(resource.spec, "lifecycle", None)
    return isinstance(lifecycle, Lifecycle) and lifecycle.prevent_destroy


def _because(named: Address, *, destroy: bool) -> str:
    return f"{named}, which --exclude names, depends on it" if destroy else f"--exclude names {named}"


def _turned(needs: Reach) -> dict[Address, set[Address]]:
    users: dict[Address, set[Address]] = {}
    for at, others in needs.items():
        for other in others:
            users.setdefault(other, set()).add(at)
    return users


def _reached(starts: Iterable[Address], onwards: Reach) -> set[Address]:
    """The starts, and all that can be come to from them."""
    found: set[Address] = set()
    left = list(starts)
    while left:
        at = left.pop()
        if at not in found:
            found.add(at)
            left.extend(onwards.get(at, ()))
    return found


def leave_out(change: Change, why: str) -> Change:
    """What is as it should be stays so, and nothing is recorded of it. Of all else it is said what would be done."""
    if change.action is Action.NOOP:
        return Change(change.address, change.action, change.verb, change.reason, change.detail)
    return Change(change.address, Action.DEFER, "leave-out", Reason.LEFT_OUT, f"{why}; otherwise: {change.verb}")


def leave_move_out(move: Change, without: Mapping[Address, str]) -> Change:
    """What the lock knows stays under its old address where the new one is left out."""
    why = without.get(move.step.to) if isinstance(move.step, MoveStep) else None
    return move if why is None else leave_out(move, why)
