"""What has happened to a job by a time, in order: a pure function of its life. Words and sends nothing.

An entry never changes its place once it was seen, so that its index can be its identity and a cursor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from rftplan.server.lifecycle import Life, Span, Status, step_times, timeline


class Happening(Enum):
    CREATED = auto()
    NOTICE = auto()
    VALIDATING = auto()
    QUEUED = auto()
    STARTED = auto()
    NOTE = auto()
    STEP = auto()
    CHECKPOINT = auto()
    PAUSING = auto()
    PAUSED = auto()
    RESUMED = auto()
    CONTINUED = auto()
    MODEL_CREATED = auto()
    SUCCEEDED = auto()
    FAILED = auto()
    CANCELLED = auto()


@dataclass(frozen=True, slots=True)
class Entry:
    """`at` is in microseconds; `number` counts from 1: of a step, a checkpoint's step, a note."""

    happening: Happening
    at: int
    number: int = 0


_BEGINNINGS = {
    Status.VALIDATING_FILES: (Happening.CREATED, Happening.NOTICE, Happening.VALIDATING),
    Status.QUEUED: (Happening.QUEUED,),
    Status.RUNNING: (Happening.STARTED,),
    Status.PAUSING: (Happening.PAUSING,),
    Status.PAUSED: (Happening.PAUSED,),
    Status.SUCCEEDED: (Happening.MODEL_CREATED, Happening.SUCCEEDED),
    Status.FAILED: (Happening.FAILED,),
    Status.CANCELLED: (Happening.CANCELLED,),
}
_AFTER_PAUSE = {Status.QUEUED: (Happening.RESUMED,), Status.RUNNING: (Happening.CONTINUED,)}


def history(life: Life, now: int, *, checkpointed: frozenset[int], notes: int) -> list[Entry]:
    """Oldest first. `checkpointed`: the steps that are or will be validated; `notes`: how many there are."""
    seen_until = max(now, life.created_at)
    return [entry for entry in _entries(life, checkpointed, notes) if entry.at <= seen_until]


def _entries(life: Life, checkpointed: frozenset[int], notes: int) -> Iterator[Entry]:
    steps = deque(enumerate(step_times(life), start=1))
    paused = False
    for span in timeline(life):
        paused = paused or span.status is Status.PAUSED
        meanings = {**_BEGINNINGS, **_AFTER_PAUSE} if paused else _BEGINNINGS
        for happening in meanings[span.status]:
            yield Entry(happening, span.start)
            if happening is Happening.STARTED:
                yield from (Entry(Happening.NOTE, span.start, number) for number in range(1, notes + 1))
        while steps and _belongs(steps[0][1], span):
            number, at = steps.popleft()
            yield Entry(Happening.STEP, at, number)
            if number in checkpointed:
                yield Entry(Happening.CHECKPOINT, at, number)


def _belongs(at: int, span: Span) -> bool:
    return span.status is Status.RUNNING and span.end is not None and at <= span.end
