"""A job's life as a pure function of what is stored and of the time. Knows no storage, no HTTP and no clock.

All times are whole microseconds since the epoch, so that a span cut in two adds up to the span exactly.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

MICROSECONDS = 1_000_000

# Seconds at speed 1. The service's own policy: long enough to be watched, short enough for a demonstration.
VALIDATING = 0.4
QUEUED = 0.4
WARM_UP = 0.5
PAUSING = 0.3
PER_STEP = 0.3
SHORTEST_TRAINING = 3.0
LONGEST_TRAINING = 40.0

_FEW = 50  # commands; a longer timeline is not worth the place to remember it after each of them


class Status(StrEnum):
    VALIDATING_FILES = "validating_files"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})


class Verb(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    SERVICE_PAUSE = "service_pause"
    """A pause that no client asked for."""


class Command(Struct, frozen=True):
    """Something that happened to a job from outside, at a time: a client's doing, or the service's own."""

    at: int
    verb: Verb


class Life(Struct, frozen=True):
    """All that decides a job's states. `fails_in` is the state in which it is bound to fail, if any. `pauses_keep` is
    whether a pause leaves a checkpoint: those of jobs from before they did leave none.

    `speed` belongs to the job, not to the service: a service started again at another speed must not rewrite
    what was already seen.
    """

    created_at: int
    speed: float
    steps: int
    fails_in: Status | None = None
    commands: tuple[Command, ...] = ()
    pauses_keep: bool = True


class Span(NamedTuple):
    """One state from `start` until `end`; `end` is None while nothing known ends it."""

    status: Status
    start: int
    end: int | None


class Stretch(Struct, frozen=True):
    """The steps that are done while the job runs once; `zero` is when its work would have begun without a pause."""

    span: Span
    zero: int
    steps: range


class Moment(Struct, frozen=True):
    """A job as it is at one time."""

    life: Life
    now: int
    status: Status
    has_run: bool
    finished_at: int | None
    estimated_finish: int | None

    @property
    def steps_done(self) -> int:
        """Computed when it is asked for: who lists jobs does not."""
        if self.status is Status.SUCCEEDED:
            return self.life.steps
        return _steps_done(self.life, timeline(self.life), self.now)


def life_at(life: Life, now: int) -> Moment:
    """The job at `now`; before its creation it counts as just created."""
    spans = timeline(life)
    span = _span_at(spans, now)
    return Moment(
        life=life,
        now=now,
        status=span.status,
        has_run=any(past.status is Status.RUNNING and past.start <= now for past in spans),
        finished_at=span.start if span.status in ENDED else None,
        estimated_finish=span.end if span.status is Status.RUNNING else None,
    )


def succeeds_at(life: Life) -> int | None:
    """When the job succeeds if nobody commands anything more; None if it does not."""
    last = timeline(life)[-1]
    return last.start if last.status is Status.SUCCEEDED else None


class Snapshot(Struct, frozen=True):
    """What a pause left of the last step before it, and when."""

    step: int
    at: int


def snapshots(life: Life, now: int) -> list[Snapshot]:
    """One for each pause that was reached by `now`, in order."""
    if not life.pauses_keep:
        return []
    spans = timeline(life)
    paused = [span.start for span in spans if span.status is Status.PAUSED and span.start <= now]
    if not paused:  # as most jobs, and a list of models asks each
        return []
    runs = stretches(life, spans)
    starts = [run.span.start for run in runs]
    return [Snapshot(runs[bisect_left(starts, at) - 1].steps.stop - 1, at) for at in paused]


def refusal(life: Life, verb: Verb, now: int) -> str | None:
    """Why `verb` cannot be done at `now`, or None if it can."""
    moment = life_at(life, now)
    match verb:
        case Verb.CANCEL if moment.status in ENDED:
            return f"it has already {moment.status}" if moment.status is not Status.CANCELLED else "it is cancelled"
        case Verb.PAUSE | Verb.SERVICE_PAUSE if moment.status is not Status.RUNNING:
            return f"only a running job can be paused, and it is {moment.status}"
        case Verb.PAUSE | Verb.SERVICE_PAUSE if moment.steps_done < 1:
            return "it has not finished its first step"
        case Verb.RESUME if moment.status is not Status.PAUSED:
            return f"only a paused job can be resumed, and it is {moment.status}"
    return None


def time_of_command(life: Life, now: int) -> int:
    """`now`, or the last thing known if the clock went backwards: commands are ordered whatever clocks do."""
    return max(now, life.created_at, *(command.at for command in life.commands))


def timeline(life: Life) -> tuple[Span, ...]:
    """Every state the job has and will have if nobody commands anything more, without gaps."""
    return _remembered(life) if len(life.commands) <= _FEW else _timeline(life)


@lru_cache(maxsize=4_096)  # a list of jobs asks again and again, and most lives do not change any more
def _remembered(life: Life) -> tuple[Span, ...]:
    return _timeline(life)


def _timeline(life: Life) -> tuple[Span, ...]:
    """What is past at one command no later one changes, so that each span is looked at but once."""
    spans = list(_undisturbed(life))
    past = worked = 0
    for command in life.commands:
        while len(spans) > past and spans[-1].start > command.at:
            spans.pop()
        if spans:
            status, start, end = spans[-1]
            spans[-1] = Span(status, start, command.at if end is None else min(end, command.at))
        worked += sum((s.end or s.start) - s.start for s in spans[past:] if s.status is Status.RUNNING)
        past = len(spans)
        spans.extend(_after(life, command, worked=worked))
    return tuple(spans)


def stretches(life: Life, spans: Sequence[Span]) -> list[Stretch]:
    """One for each time that the job runs in its timeline."""
    found: list[Stretch] = []
    worked = done = 0
    for span in spans:
        if span.status is Status.RUNNING and span.end is not None:
            zero = span.start - worked
            worked += span.end - span.start
            before, done = done, _steps_within(life, worked)
            found.append(Stretch(span, zero, range(before + 1, done + 1)))
    return found


def step_time(life: Life, stretch: Stretch, number: int) -> int:
    """When a step of the stretch is done."""
    return stretch.zero + _work_of(life, number)


def step_times(life: Life, numbers: Sequence[int]) -> list[int]:
    """When these steps are done; all of them must be steps that the job gets to."""
    found = stretches(life, timeline(life))
    stops = [one.steps.stop for one in found]
    return [step_time(life, found[bisect_right(stops, number)], number) for number in numbers]


def _undisturbed(life: Life) -> Iterator[Span]:
    validated = life.created_at + _duration(life, VALIDATING)
    yield Span(Status.VALIDATING_FILES, life.created_at, validated)
    if life.fails_in is Status.VALIDATING_FILES:
        yield Span(Status.FAILED, validated, None)
    else:
        yield from _queue_and_run(life, at=validated, worked=0)


def _queue_and_run(life: Life, *, at: int, worked: int) -> Iterator[Span]:
    starts = at + _duration(life, QUEUED)
    ends = starts + _work_of(life, life.steps) - worked
    yield Span(Status.QUEUED, at, starts)
    yield Span(Status.RUNNING, starts, ends)
    yield Span(Status.FAILED if life.fails_in is Status.RUNNING else Status.SUCCEEDED, ends, None)


def _after(life: Life, command: Command, *, worked: int) -> Iterator[Span]:
    match command.verb:
        case Verb.CANCEL:
            yield Span(Status.CANCELLED, command.at, None)
        case Verb.PAUSE | Verb.SERVICE_PAUSE:
            paused = command.at + _duration(life, PAUSING)
            yield Span(Status.PAUSING, command.at, paused)
            yield Span(Status.PAUSED, paused, None)
        case Verb.RESUME:
            yield from _queue_and_run(life, at=command.at, worked=worked)


def _steps_done(life: Life, spans: Sequence[Span], now: int) -> int:
    runs = [(s.start, min(s.end or now, now)) for s in spans if s.status is Status.RUNNING and s.start <= now]
    if not runs:
        return 0
    return _steps_within(life, sum(end - start for start, end in runs))


def _steps_within(life: Life, worked: int) -> int:
    return bisect_right(range(1, life.steps + 1), worked, key=lambda step: _work_of(life, step))


def _span_at(spans: Sequence[Span], now: int) -> Span:
    return next((span for span in reversed(spans) if span.start <= now), spans[0])


def _work_of(life: Life, step: int) -> int:
    """Microseconds of running, from the first warm-up, until `step` is done."""
    warm_up = _duration(life, WARM_UP)
    if not life.steps:
        return warm_up
    training = min(LONGEST_TRAINING, max(SHORTEST_TRAINING, PER_STEP * life.steps))
    return warm_up + _duration(life, training) * step // life.steps


def _duration(life: Life, seconds: float) -> int:
    return round(seconds * MICROSECONDS / life.speed)
