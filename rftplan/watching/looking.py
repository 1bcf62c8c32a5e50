"""One job looked at once: its events, its figures, its checkpoints, its samples. Changes and writes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from msgspec import Struct

from rftplan.api.port import JobEvent, Port, SampledRow
from rftplan.api.profiles import Capability
from rftplan.errors import NotFoundError, UserError
from rftplan.intervening.meant import Meant, Target, jobs_meant
from rftplan.intervening.where import settled
from rftplan.loading import Options
from rftplan.monitor import Facts, Heard, facts_of
from rftplan.monitor.points import points_of
from rftplan.subject import Subject, read_subject
from rftplan.wiring import World, connected, real_world

Tell = Callable[[str], None]


def told_nobody(_why: str) -> None:
    """Where nobody listens."""


def subject_of(options: Options, world: World, tell: Tell) -> Subject:
    """The project at the service where the lock's jobs run; `tell` hears why, where the specs name another."""
    subject, elsewhere = settled(read_subject(options, world.today()), options.provider)
    if elsewhere is not None:
        tell(elsewhere)
    return subject


class Events(Struct, frozen=True):
    """The newest events of a job, newest first; `more` whether there are older ones."""

    meant: Meant
    events: tuple[JobEvent, ...]
    more: bool


class Samples(Struct, frozen=True):
    """What was sampled to validate a step, by row; the same rows at the step that it is compared with."""

    meant: Meant
    step: int
    rows: tuple[SampledRow, ...]
    against_step: int | None = None
    against: tuple[SampledRow, ...] = ()


async def events(
    options: Options, target: Target, *, limit: int | None, tell: Tell = told_nobody, world: World | None = None
) -> Events:
    """The newest `limit` events of the newest job that is meant, or all. UserError where there is none."""
    async with _opened(options, target, world, tell) as (_, port, meant, _):
        found = await port.list_events(meant.job.id, limit=None if limit is None else limit + 1)
        return Events(meant, tuple(found[:limit]), limit is not None and len(found) > limit)


async def figures(options: Options, target: Target, *, tell: Tell = told_nobody, world: World | None = None) -> Facts:
    """All that is known of the newest job that is meant. UserError where there is none."""
    async with _opened(options, target, world, tell) as (subject, port, meant, now):
        told, kept = await port.list_events(meant.job.id), await port.list_checkpoints(meant.job.id)
        return facts_of(Heard(meant.job, meant.address, told, kept), now=now, profile=subject.profile)


async def samples(
    options: Options,
    target: Target,
    *,
    step: int,
    against: int | None = None,
    tell: Tell = told_nobody,
    world: World | None = None,
) -> Samples:
    """What was sampled at these steps. UserError where the provider shows no samples, where no job is meant, and for a
    step that was not validated."""
    async with _opened(options, target, world, tell) as (subject, port, meant, _):
        if not subject.profile.can(Capability.SAMPLES):
            shown = "the local service does (rftplan serve)"
            raise UserError(f"provider {subject.profile.type} shows no samples of a validation", hint=shown)
        rows = await _sampled(port, meant, step)
        others = await _sampled(port, meant, against) if against is not None else ()
        return Samples(meant, step, tuple(rows), against, tuple(others))


async def _sampled(port: Port, meant: Meant, step: int) -> Sequence[SampledRow]:
    try:
        return await port.list_samples(meant.job.id, step)
    except NotFoundError:
        told = points_of(await port.list_events(meant.job.id))
        steps = [str(point.step) for point in told if point.valid_reward is not None]
        hint = f"validated so far: {', '.join(steps)}" if steps else "no step is validated yet"
        raise UserError(
            f"step {step} of {meant.job.id} has no samples: it was not validated there", hint=hint
        ) from None


@asynccontextmanager
async def _opened(
    options: Options, target: Target, world: World | None, tell: Tell
) -> AsyncIterator[tuple[Subject, Port, Meant, float]]:
    """The newest job that is meant, whatever the specs are like, and what time it is."""
    world = world or real_world()
    subject = subject_of(options, world, tell)
    async with connected(subject, world) as port:
        meant = await jobs_meant(subject, port, target)
        yield subject, port, meant[0], world.now()
