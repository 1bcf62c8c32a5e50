"""What the lock knows under two addresses: a death in the middle of a move leaves it so, and a merge by hand. Pure;
decides nothing."""

from __future__ import annotations

from rftplan.address import Address
from rftplan.kinds.base import Situation


def twin(situation: Situation) -> Address | None:
    """What stays in the specs and is the same object by the lock."""
    own, address = situation.entry, situation.address
    if own is None or own.id is None:
        return None
    same = (at for at, entry in situation.entries.items() if entry.id == own.id and at.kind == address.kind)
    return min((at for at in same if at != address and at in situation.staying), default=None)
