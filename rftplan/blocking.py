"""What cannot go on, or may not go away, because of what was decided about others. Pure; knows no kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from rftplan.address import Address
from rftplan.changes import Action, Change, Reason


def blocked_by(decided: Mapping[Address, Change]) -> dict[Address, Change]:
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


def kept_for_holds(
    decided: dict[Address, Change], held: Sequence[Change], orphans: Set[Address]
) -> dict[Address, Change]:
    """What left the specs stays in the lock as long as a held change, left out or not, refers to it: a person may say
    that it moved."""
    for change in held:
        for address in orphans & set(change.needs):
            detail = f"kept until {change.address} is decided"
            decided[address] = Change(address, Action.HOLD, "hold", Reason.UPSTREAM_BLOCKED, detail)
    return decided
