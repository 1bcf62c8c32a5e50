"""How long a run goes on, and whether it stands still: from when its steps were told. Pure; the time is handed in."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Final

from msgspec import Struct

from rftplan.api.port import JobStatus, RemoteJob
from rftplan.kinds.job.progress import whole
from rftplan.monitor.points import Point

NEWEST_STEPS: Final = 20
"""The pace is that of so many: a run that has become slower is slow from now on."""
_A_PAUSE: Final = 10
"""A step that took so many times as long as the middle one was interrupted: nothing is learnt from it."""
_SLOWER: Final = 3
_SHORTEST: Final = 600.0
_SETTING_UP: Final = 3600.0
"""Seconds. `running` also covers setting up before the first step (FACTS §3.3); how long that takes is not known."""
_AT_THE_ENDS: Final = 7200.0
"""Seconds. Validating large files, and the safety checks after the last step, take long and say nothing (FACTS §6)."""


class Basis(StrEnum):
    """What the time that is left was worked out from."""

    SERVICE = "service"
    PACE = "pace"


class Remaining(Struct, frozen=True):
    """How many seconds it goes on, probably; `steps` is over how many the pace was taken."""

    seconds: float
    basis: Basis
    steps: int | None = None


class Stall(Struct, frozen=True):
    """Nothing was told for `quiet` seconds, and more than `allowed` is unusual. `slowest` is how long the slowest step
    took, if the bound is by that."""

    quiet: float
    allowed: float
    slowest: float | None = None


def remaining(job: RemoteJob, points: Sequence[Point], now: float) -> Remaining | None:
    """None where nobody can tell: no service's word and no pace, or a job that does not run."""
    if job.status is not JobStatus.RUNNING:
        return None
    said = whole(job.body.get("estimated_finish"))
    if said is not None and said > now:
        return Remaining(said - now, Basis.SERVICE)
    total = points[-1].total_steps if points else None
    intervals = _uninterrupted(points[-NEWEST_STEPS - 1 :])
    if total is None or not intervals or points[-1].step >= total:
        return None
    seconds = (total - points[-1].step) * statistics.fmean(intervals) - max(0.0, now - points[-1].at)
    return Remaining(max(0.0, seconds), Basis.PACE, len(intervals))


def stall(job: RemoteJob, points: Sequence[Point], *, last: int, now: float) -> Stall | None:
    """None for a job that has no reason to say anything. `last` is when it said something."""
    quiet = now - last
    allowed, slowest = _allowed(job.status, points)
    return Stall(quiet, allowed, slowest) if allowed is not None and quiet > allowed else None


def _allowed(status: JobStatus, points: Sequence[Point]) -> tuple[float | None, float | None]:
    if status is JobStatus.VALIDATING_FILES:
        return _AT_THE_ENDS, None
    if status is not JobStatus.RUNNING:
        return None, None
    if points and points[-1].step == points[-1].total_steps:
        return _AT_THE_ENDS, None
    intervals = _uninterrupted(points)
    if not intervals:
        return _SETTING_UP, None
    slowest = max(intervals)
    return max(_SHORTEST, _SLOWER * slowest), slowest


def _uninterrupted(points: Sequence[Point]) -> list[float]:
    """How long each step took from the one before, by when they were told; without those that a pause fell into."""
    taken = [
        max(0.0, float(after.at - before.at)) for before, after in pairwise(points) if after.step == before.step + 1
    ]
    middle = statistics.median(taken) if taken else 0.0
    return [seconds for seconds in taken if not middle or seconds <= _A_PAUSE * middle]
