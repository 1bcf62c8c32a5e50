"""A person changes what the lock says: the lock and the journal opened for that, with whatever specs there are.

Asks no service and launches nothing. What is changed, and how, the modules of this package say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from rftplan.address import Address
from rftplan.errors import UserError
from rftplan.file_lock import acting_alone
from rftplan.journal import State, read_state
from rftplan.kinds import KINDS
from rftplan.ledger import Ledger, open_ledger
from rftplan.lockfile import Entry
from rftplan.ownership import require_own
from rftplan.spelling import close_names
from rftplan.subject import Subject
from rftplan.wiring import World

NO_LOCK = UserError("there is no lock yet", hint="run rftplan apply first: it finds what was launched")


def known_state(subject: Subject) -> State:
    """What lock and journal know. LockError where they must not be used, UserError where there are none."""
    if subject.damage is not None:
        raise subject.damage
    require_own(subject.lock, subject.paths.lock.name, subject.identity, subject.project or "")
    if subject.state is None or subject.state.new:
        raise NO_LOCK
    return subject.state


@contextmanager
def amended(subject: Subject, world: World, doing: str) -> Iterator[Ledger]:
    """The ledger as it is now, under the file lock; folded into the lock when the block ends well. BusyError."""
    with acting_alone(subject.paths, doing):
        state, lock = read_state(subject.paths, new_lineage=world.new_id)
        require_own(lock, subject.paths.lock.name, subject.identity, subject.project or "")
        if state.new:
            raise NO_LOCK
        ledger = open_ledger(
            subject.paths, subject.identity, project=subject.project, now=world.now, new_lineage=world.new_id
        )
        try:
            yield ledger
            ledger.fold()
        finally:
            ledger.close()


def locked_at(subject: Subject, address: Address) -> Address:
    """Where the lock knows what the specs call `address`: elsewhere, if it was moved and no apply came since."""
    entries = known_state(subject).entries
    origins = [move.origin for move in subject.config.moved if move.to == address and move.origin in entries]
    return origins[0] if origins and address not in entries else address


def entry_at(entries: Mapping[Address, Entry], address: Address) -> Entry:
    """UserError, with the names that are close, for an address that the lock does not know."""
    if address not in entries:
        raise unknown(f"the lock does not know {address}", address, entries)
    return entries[address]


def unknown(message: str, address: Address, known: Iterable[Address]) -> UserError:
    """The error for an address that is none of `known`, with those that are close to it."""
    close = close_names(str(address), [str(one) for one in known if one.kind == address.kind])
    kinds = f"kinds are {', '.join(KINDS)}" if address.kind not in KINDS else "rftplan state list shows the addresses"
    return UserError(message, hint=f"did you mean {close[0]}?" if close else kinds)
