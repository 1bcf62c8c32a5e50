"""Pause, resume or cancel jobs at once because a person says so: with broken specs, without a lock, past every plan.

Plans and launches nothing. What was paused or cancelled is held in the lock, so that no apply undoes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from msgspec import Struct

from rftplan.api.port import Port
from rftplan.changes import Hazard
from rftplan.errors import BusyError, LockError
from rftplan.events import ignore
from rftplan.file_lock import acting_alone
from rftplan.intervening.hand import Command, Hand, Touched
from rftplan.intervening.meant import ENV, Every, JobId, Meant, Target, jobs_meant
from rftplan.intervening.where import settled, spoken
from rftplan.kinds.base import Act
from rftplan.kinds.scope import Scope
from rftplan.ledger import Ledger, open_ledger
from rftplan.loading import Options
from rftplan.subject import Subject, read_subject
from rftplan.wiring import World, connected, real_world

__all__ = ["Command", "Every", "Intervention", "JobId", "Meant", "Target", "Touched", "intervene"]

Consent = Callable[[Sequence[Meant]], bool]


class Intervention(Struct, frozen=True):
    """What became of each job, newest first. `service` is who was asked; `elsewhere` says why that is the lock's
    service and not the specs', `unheld` why the lock could not be written, where that is so."""

    command: Command
    jobs: tuple[Touched, ...]
    requests: int
    service: str
    unheld: str | None = None
    elsewhere: str | None = None


async def intervene(
    options: Options,
    command: Command,
    target: Target,
    *,
    reason: str = "",
    allowed: frozenset[Hazard] = frozenset(),
    consent: Consent = lambda _: True,
    world: World | None = None,
) -> Intervention | None:
    """Do it now to each job that is meant; None if consent was not given.

    UserError where no job is meant or nobody names a service, LockError for a lock of another provider than the
    options name. What the service refuses of one job is told of that job, and the others go on.
    """
    world = world or real_world()
    subject, elsewhere = settled(read_subject(options, world.today()), options.provider)
    async with connected(subject, world) as port:
        meant = await jobs_meant(subject, port, target)
        if not consent(meant):
            return None
        with _writing(subject, world, command) as (ledger, unheld):
            hand = Hand(command, port, _act(subject, port, ledger, world), reason, allowed)
            touched = await asyncio.gather(*map(hand.touch, meant))
            if ledger is not None:
                ledger.fold()
        return Intervention(command, tuple(touched), port.requests, spoken(subject.identity), unheld, elsewhere)


@contextmanager
def _writing(subject: Subject, world: World, command: Command) -> Iterator[tuple[Ledger | None, str | None]]:
    """The ledger, or None and why it cannot be written: a job is stopped all the same."""
    if subject.state is None or subject.state.new:
        yield None, subject.damage.message if subject.damage else "there is no lock"
        return
    with ExitStack() as until_done:
        try:
            until_done.enter_context(acting_alone(subject.paths, command))
            ledger = open_ledger(
                subject.paths, subject.identity, project=subject.project, now=world.now, new_lineage=world.new_id
            )
        except (BusyError, LockError) as error:
            yield None, error.message
            return
        until_done.callback(ledger.close)
        yield ledger, None


def _act(subject: Subject, port: Port, ledger: Ledger | None, world: World) -> Act | None:
    if ledger is None:
        return None
    scope = Scope(subject.project or "", ENV, ledger.lineage, False, subject.profile)
    return Act(port, scope, ledger, {}, world.new_id, lambda address: None, ignore)
