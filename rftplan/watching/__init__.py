"""Look at jobs until they end, whatever specs and lock are like. Changes nothing at the service, and writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct

from rftplan.api.port import JobStatus, Port
from rftplan.api.profiles import Profile
from rftplan.errors import ApiError, LockError, RejectedError
from rftplan.events import OnEvent, ignore
from rftplan.intervening.meant import Every, JobId, Meant, Target, active_jobs, jobs_meant
from rftplan.journal import read_state
from rftplan.kinds.job.kept import CANCELLED_BY
from rftplan.kinds.job.launch import LAUNCH_KEY
from rftplan.loading import Options
from rftplan.monitor import Facts, Heard, News, facts_of, news_of
from rftplan.monitor.ending import End, Ending, ending
from rftplan.subject import Subject
from rftplan.watching.listening import Ear
from rftplan.watching.looking import Tell, subject_of, told_nobody
from rftplan.wiring import World, connected, real_world

__all__ = ["Every", "JobId", "Target", "Watched", "watch"]


class Watched(Struct, frozen=True):
    """One job at one moment, `at` in seconds since the epoch. `news` is what nobody was shown before. `unanswered` is
    what the service failed with, where it did not answer: `facts` are then as they were, and it is asked again."""

    facts: Facts
    at: float
    news: tuple[News, ...] = ()
    unanswered: str | None = None
    ending: Ending | None = None


Show = Callable[[Sequence[Watched]], None]


async def watch(
    options: Options,
    targets: Sequence[Target],
    *,
    show: Show,
    on_event: OnEvent = ignore,
    tell: Tell = told_nobody,
    world: World | None = None,
    tick: float | None = None,
) -> tuple[Watched, ...]:
    """Each job that is meant, when none of them goes on; `show` gets all of them after each look, and every `tick`
    seconds between two. Without targets, the jobs that are active now; none where there are none.

    `tell` hears why another service is asked than the specs name. UserError where a target means no job or nobody names
    a service, LockError for a lock of another provider than the options name, ApiError if the service cannot be asked
    which jobs there are. Later it is asked again whenever it does not answer.
    """
    world = world or real_world()
    subject = subject_of(options, world, tell)
    async with connected(subject, world, on_event=on_event) as port:
        watches = [_Watch(meant, Ear(port, meant.job), subject) for meant in await _all_meant(subject, port, targets)]
        while True:
            await asyncio.gather(*(one.look(world.now) for one in watches))
            shown = tuple(one.shown(world.now()) for one in watches)
            show(shown)
            if all(one.ending is not None for one in shown):
                return shown
            await _rest(watches, subject.profile, world, show, tick)


async def _all_meant(subject: Subject, port: Port, targets: Sequence[Target]) -> list[Meant]:
    """Each job once, in the order in which they were named."""
    if not targets or any(isinstance(target, Every) for target in targets):
        return await active_jobs(subject, port)
    found = [one for target in targets for one in await jobs_meant(subject, port, target)]
    return list({one.job.id: one for one in found}.values())


async def _rest(watches: Sequence[_Watch], profile: Profile, world: World, show: Show, tick: float | None) -> None:
    """Until it is time to look again; what is shown grows older meanwhile."""
    left = profile.poll_seconds
    while tick is not None and left > tick:
        await world.sleep(tick)
        left -= tick
        show(tuple(one.shown(world.now()) for one in watches))
    await world.sleep(left)


class _Watch(Struct, eq=False):
    """One job: what was heard of it, and what was shown."""

    meant: Meant
    ear: Ear
    subject: Subject
    before: Facts | None = None
    unanswered: str | None = None
    lost: str | None = None
    ended: Ending | None = None

    async def look(self, now: Callable[[], float]) -> None:
        """Ask once. What the service refuses to show it will not show later; anything else may be over next time."""
        if self.ended is not None:
            return
        try:
            await self.ear.listen()
        except RejectedError as error:
            self.lost = str(error)
        except ApiError as error:
            self.unanswered = str(error)
        else:
            self.unanswered = None
        facts = self._facts(now())
        over = facts.job.status.ended or facts.job.status is JobStatus.PAUSED
        self.ended = (
            Ending(End.LOST, detail=self.lost)
            if self.lost is not None
            else ending(facts, ours=over and _is_ours(self.subject, self.meant))
        )

    def shown(self, now: float) -> Watched:
        """As it is at this moment; from now on that is no news."""
        facts = self._facts(now)
        news, self.before = news_of(self.before, facts), facts
        return Watched(facts, now, news, self.unanswered, self.ended)

    def _facts(self, now: float) -> Facts:
        ear = self.ear
        heard = Heard(ear.job, self.meant.address, ear.events, ear.checkpoints)
        return facts_of(heard, now=now, profile=self.subject.profile)


def _is_ours(subject: Subject, meant: Meant) -> bool:
    """Whether it was paused or cancelled from here, by a plan or by hand: as the lock has it now."""
    try:
        state, _ = read_state(subject.paths, new_lineage=str)
    except LockError:
        return False
    address = meant.address
    if address is None:
        return False
    entry = state.entries.get(address)
    if entry is not None and entry.id == meant.job.id:
        held = any(hold.operator and hold.code in ("paused", "cancelled") for hold in entry.holds)
        if held or "us" in (entry.resolved.get("paused_by"), entry.resolved.get(CANCELLED_BY)):
            return True
    return meant.job.metadata.get(LAUNCH_KEY) in state.tombstones.get(address, ())
