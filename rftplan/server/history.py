"""What has happened to a job by a time, in order: a pure function of its life. Words and sends nothing.

An entry never changes its place once it was seen, so that its index can be its identity and a cursor. A job may
have any number of steps, so that what happened at a place is computed when it is asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from itertools import accumulate, islice

from msgspec import Struct

from rftplan.server.lifecycle import (
    Life,
    Snapshot,
    Status,
    Stretch,
    Verb,
    snapshots,
    step_time,
    stretches,
    timeline,
)


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
    PAUSING_BY_SERVICE = auto()
    PAUSED = auto()
    RESUMED = auto()
    CONTINUED = auto()
    MODEL_CREATED = auto()
    SUCCEEDED = auto()
    BLOCKED = auto()
    FAILED = auto()
    CANCELLED = auto()


class Entry(Struct, frozen=True):
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


class History:
    """Oldest first; as long as what has happened, read in part."""

    def __init__(self, parts: Sequence[_Steps | tuple[Entry, ...]]) -> None:
        self._parts = parts
        self._starts = [0, *accumulate(len(part) for part in parts)]

    def __len__(self) -> int:
        return self._starts[-1]

    def between(self, start: int, stop: int) -> list[Entry]:
        """Those from a place to before another, counted from 0, as far as there are any."""
        found: list[Entry] = []
        for part, begin in zip(self._parts, self._starts, strict=False):
            first, last = max(0, start - begin), min(len(part), stop - begin)
            if first < last:
                found += part.between(first, last) if isinstance(part, _Steps) else part[first:last]
        return found


def history(
    life: Life, now: int, *, checkpointed: Sequence[int], notes: int, before_failure: tuple[Happening, ...] = ()
) -> History:
    """`checkpointed`: the steps that are or will be validated, in order; `notes`: how many there are.

    `before_failure` happens in the moment in which the job fails.
    """
    meanings = {**_BEGINNINGS, Status.FAILED: (*before_failure, Happening.FAILED)}
    return History(list(_parts(life, max(now, life.created_at), checkpointed, notes, meanings)))


class _Steps(Struct, frozen=True):
    """The steps of a stretch that are done, each with its checkpoint after it if it has one."""

    life: Life
    stretch: Stretch
    steps: range
    checkpointed: Sequence[int]
    earlier: int  # how many of `checkpointed` come before these steps

    def __len__(self) -> int:
        return self._entries_until(self.steps.stop - 1)

    def between(self, start: int, stop: int) -> list[Entry]:
        """Of places that there are."""
        first = self.steps.start + bisect_right(self.steps, start, key=self._entries_until)
        skipped = start - self._entries_until(first - 1)
        return list(islice(self._from(first), skipped, skipped + stop - start))

    def _from(self, first: int) -> Iterator[Entry]:
        checkpoint = bisect_right(self.checkpointed, first - 1)
        for number in range(first, self.steps.stop):
            at = step_time(self.life, self.stretch, number)
            yield Entry(Happening.STEP, at, number)
            if checkpoint < len(self.checkpointed) and self.checkpointed[checkpoint] == number:
                checkpoint += 1
                yield Entry(Happening.CHECKPOINT, at, number)

    def _entries_until(self, number: int) -> int:
        """How many there are of all steps up to this one."""
        return number - self.steps.start + 1 + bisect_right(self.checkpointed, number) - self.earlier


def _parts(
    life: Life,
    now: int,
    checkpointed: Sequence[int],
    notes: int,
    meanings: Mapping[Status, tuple[Happening, ...]],
) -> Iterator[_Steps | tuple[Entry, ...]]:
    spans = timeline(life)
    runs = iter(stretches(life, spans))
    by_service = {command.at for command in life.commands if command.verb is Verb.SERVICE_PAUSE}
    kept = iter(snapshots(life, now))
    paused, before = False, 0
    for span in spans:
        if span.start > now:
            return
        if span.status is Status.PAUSED:
            paused, meanings = True, {**meanings, **_AFTER_PAUSE}
            if (left := next(kept, None)) is not None:
                yield from _snapshot(left, before, checkpointed)
                before = left.step
        if span.status is Status.PAUSING and span.start in by_service:
            yield (Entry(Happening.PAUSING_BY_SERVICE, span.start),)
        else:
            yield tuple(Entry(happening, span.start) for happening in meanings[span.status])
        if span.status is Status.RUNNING:
            if not paused:
                yield tuple(Entry(Happening.NOTE, span.start, number) for number in range(1, notes + 1))
            yield _done(life, next(runs), now, checkpointed)


def _snapshot(left: Snapshot, before: int, checkpointed: Sequence[int]) -> Iterator[tuple[Entry, ...]]:
    """Said of a step that left no checkpoint before: neither by its validation nor by the pause `before`."""
    place = bisect_right(checkpointed, left.step)
    if left.step != before and not (place and checkpointed[place - 1] == left.step):
        yield (Entry(Happening.CHECKPOINT, left.at, left.step),)


def _done(life: Life, stretch: Stretch, now: int, checkpointed: Sequence[int]) -> _Steps:
    count = bisect_right(stretch.steps, now, key=lambda number: step_time(life, stretch, number))
    earlier = bisect_right(checkpointed, stretch.steps.start - 1)
    return _Steps(life, stretch, stretch.steps[:count], checkpointed, earlier)
