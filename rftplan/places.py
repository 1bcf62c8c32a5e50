"""Who takes a place at the provider now and who waits for one: whoever has waited longest goes first. Pure.

Decides about no kind's things: what takes a place, and how many are taken, the kinds say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Action, Change, Reason
from rftplan.kinds import KINDS
from rftplan.kinds.steps import PlaceStep


class Line(Struct, frozen=True):
    """`order` are all that take a place, now or later, or keep their turn although something holds them; `late` those
    that have to wait, as they are planned then; `waiting` is what the lock shall keep of the order."""

    order: tuple[Address, ...] = ()
    late: Mapping[Address, Change] = field(default_factory=dict)
    waiting: tuple[Address, ...] = ()


def line_up(
    decided: Mapping[Address, Change],
    order: Sequence[Address],
    *,
    before: Sequence[Address],
    taken: int,
    most: int | None,
) -> Line:
    """Give the free places to whoever waited `before`, in that order, then in the `order` of the plan. With no `most`
    everybody has one, as far as anybody knows here: a service that has a limit of its own says so."""
    turns = {address: turn for turn, address in enumerate(dict.fromkeys((*before, *order)))}
    wanting = [a for a in decided if KINDS[a.kind].wants_place(decided[a])]
    line = sorted(wanting, key=turns.__getitem__)
    free = len(line) if most is None else max(0, most - taken)
    late = {
        address: until_place(decided[address], _said(turn - free, taken, most, launched=min(free, len(line))))
        for turn, address in enumerate(line, 1)
        if turn > free
    }
    stuck = [a for a in before if a in decided and decided[a].action in (Action.DEFER, Action.HOLD)]
    kept = {*late, *stuck, *(a for a in line if a in before)}
    whole = sorted({*line, *stuck}, key=turns.__getitem__)
    return Line(tuple(whole), late, tuple(a for a in whole if a in kept))


def until_place(change: Change, detail: str) -> Change:
    """The change as one that waits for a place. What it risks it announces, for `apply --wait` does not ask again."""
    return replace(
        change,
        action=Action.DEFER,
        verb="wait",
        reason=Reason.WAITS_FOR_PLACE,
        detail=detail,
        then=(change.verb,),
        step=PlaceStep(change),
        attempt=None,
    )


def launches(change: Change) -> bool:
    """Whether it launches, now or once a place is free."""
    begun = change.step.change if isinstance(change.step, PlaceStep) else change
    return begun.attempt is not None


def _said(turn: int, taken: int, most: int | None, *, launched: int) -> str:
    """What is about to start counts as running."""
    return f"{taken + launched} of {most} places taken; {ordinal(turn)} in the queue"


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `11th`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
