"""All that is known of one job at one moment. Pure: what its service told, the time and the profile are handed in."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import Final

from msgspec import Struct, field

from rftplan.address import Address
from rftplan.api.port import Checkpoint, JobEvent, JobStatus, RemoteJob
from rftplan.api.profiles import Profile
from rftplan.events import Quality
from rftplan.kinds.job.quality import quality_of
from rftplan.kinds.job.trouble import GraderFault, newest_faults
from rftplan.kinds.selectors import Pick, choose
from rftplan.monitor.money import Money, money
from rftplan.monitor.pace import Remaining, Stall, remaining, stall
from rftplan.monitor.points import JudgeTokens, Point, points_of

AVERAGED: Final = 3
"""A mean of so many steps tells a trend from noise."""


class Heard(Struct, frozen=True):
    """What a service told of one job. `events` newest first, `checkpoints` highest step first."""

    job: RemoteJob
    address: Address | None = None
    events: Sequence[JobEvent] = ()
    checkpoints: Sequence[Checkpoint] = ()


class Tokens(Struct, frozen=True):
    """Means over the answers of the newest step. `growth` is how many times as long as at first answers have become, by
    means of AVERAGED steps; None with too few of them. `judges` are those of the whole run, by the model that graded;
    `trained` is the service's own count."""

    answer: float | None = None
    reasoning: float | None = None
    growth: float | None = None
    judges: Mapping[str, JudgeTokens] = field(default_factory=dict)
    trained: int | None = None


class Facts(Struct, frozen=True):
    """One job. Times in seconds: `elapsed` since it was created, until it ended; `quiet` since `last`, the newest event
    (its creation, where there is none). `best` is the step of the checkpoint that `checkpoint: best` would choose.
    `guarded_by` is who enforces the guards of this job; None: nobody."""

    job: RemoteJob
    address: Address | None
    points: tuple[Point, ...]
    checkpoints: tuple[Checkpoint, ...]
    best: int | None
    faults: tuple[GraderFault, ...]
    tokens: Tokens
    quality: Quality | None
    elapsed: float
    money: Money
    remaining: Remaining | None
    last: JobEvent | None
    quiet: float
    stall: Stall | None
    guarded_by: str | None = None

    @property
    def step(self) -> int | None:
        return self.points[-1].step if self.points else None

    @property
    def total_steps(self) -> int | None:
        return next((point.total_steps for point in reversed(self.points) if point.total_steps is not None), None)


def facts_of(heard: Heard, *, now: float, profile: Profile) -> Facts:
    """What can be said at `now`, in seconds since the epoch."""
    job, points = heard.job, points_of(heard.events)
    last = heard.events[0] if heard.events else None
    at = last.created_at if last else job.created_at
    tokens = _tokens(job, points)
    ended = job.finished_at if job.finished_at is not None else at if job.status.ended else now
    return Facts(
        job=job,
        address=heard.address,
        points=points,
        checkpoints=tuple(heard.checkpoints),
        best=best.step if (best := choose(Pick.BEST, heard.checkpoints)) is not None else None,
        faults=newest_faults(heard.events),
        tokens=tokens,
        quality=quality_of(heard.events),
        elapsed=max(0.0, ended - job.created_at),
        money=money(job, profile, seconds=_billable(job, points, last=at, until=ended), judges=tokens.judges),
        remaining=remaining(job, points, now),
        last=last,
        quiet=max(0.0, now - at),
        stall=stall(job, points, last=at, now=now),
    )


def _billable(job: RemoteJob, points: Sequence[Point], *, last: int, until: float) -> float:
    """At most so many seconds are billed: nothing before training begins, and nothing after a pause has begun."""
    if job.status.unbilled and not points:
        return 0.0
    return max(0.0, (last if job.status is JobStatus.PAUSED else until) - job.created_at)


def _tokens(job: RemoteJob, points: Sequence[Point]) -> Tokens:
    lengths = [point.answer_tokens for point in points if point.answer_tokens is not None]
    reasoning = [point.reasoning_tokens for point in points if point.reasoning_tokens is not None]
    judges: dict[str, JudgeTokens] = {}
    for model in sorted({model for point in points for model in point.judges}):
        judges[model] = reduce(add, (point.judges[model] for point in points if model in point.judges))
    trained = job.body.get("trained_tokens")
    return Tokens(
        answer=lengths[-1] if lengths else None,
        reasoning=reasoning[-1] if reasoning else None,
        growth=growth(lengths),
        judges=judges,
        trained=trained if isinstance(trained, int) and not isinstance(trained, bool) else None,
    )


def growth(lengths: Sequence[float]) -> float | None:
    """The mean of the last AVERAGED over that of the first. None while they would be the same ones."""
    if len(lengths) < 2 * AVERAGED or not (first := statistics.fmean(lengths[:AVERAGED])):
        return None
    return statistics.fmean(lengths[-AVERAGED:]) / first
