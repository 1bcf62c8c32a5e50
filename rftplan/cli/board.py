"""What is under way, folded from events. Draws nothing; the time is handed in, in seconds of any clock."""

from __future__ import annotations

from typing import assert_never

from msgspec import Struct, field

from rftplan.address import Address
from rftplan.events import (
    AskedToWait,
    Event,
    Graded,
    Hashed,
    LockAwaited,
    LookFailed,
    StepEnded,
    StepStarted,
    Trained,
    Unanswered,
    Uploaded,
    WaitStarted,
)

HASHING_SHOWN_AFTER = 1.0
"""Seconds. A shorter pass over a data file is nobody's concern."""


class Training(Struct):
    """One job: what was heard last, its validation rewards in order of their steps, and the shares of right answers
    beside them, as far as they are known. Of a job with losses, the validation losses, or the training's where it has
    no others."""

    last: Trained
    curve: list[float] = field(default_factory=list)
    rights: list[float] = field(default_factory=list)

    def hear(self, event: Trained) -> bool:
        """Take it in; True for a new status, a new validation reward, or another tenth of a job with losses."""
        news = event.status != self.last.status or _tenths(event) > _tenths(self.last)
        self.last = event
        loss = event.train_loss if event.valid_loss is None else event.valid_loss
        if loss is not None and (news or not self.curve):  # the whole course, where each step has a figure
            self.curve.append(loss)
        if event.valid_reward is not None and self.curve[-1:] != [event.valid_reward]:
            self.curve.append(event.valid_reward)
            if event.quality is not None and event.quality.valid_right is not None:
                self.rights.append(event.quality.valid_right)
            news = True
        return news


def _tenths(event: Trained) -> int:
    """How many are done of a job with losses, which may tell one at each of thousands of steps."""
    if event.train_loss is None or event.step is None or not event.total_steps:
        return 0
    return 10 * event.step // event.total_steps


class Hashing(Struct):
    """One data file being read or one grader at work, since when, and whether a reader of plain lines was told."""

    last: Hashed | Graded
    since: float
    told: bool = False

    def slow(self, now: float) -> bool:
        return now - self.since >= HASHING_SHOWN_AFTER


class Board(Struct):
    """Everything under way. Each event is folded in once, in order."""

    steps: dict[Address, str] = field(default_factory=dict)
    uploads: dict[Address, Uploaded] = field(default_factory=dict)
    hashing: dict[str, Hashing] = field(default_factory=dict)
    training: dict[Address, Training] = field(default_factory=dict)
    unanswered: dict[Address, LookFailed] = field(default_factory=dict)

    def fold(self, event: Event, now: float) -> bool:
        """Take the event in; True if it is worth a line to a reader who gets lines only."""
        match event:
            case StepStarted():
                self.steps[event.address] = event.verb
                return True
            case StepEnded():
                self._forget(event.result.address)
                return True
            case Uploaded():
                self.uploads[event.address] = event
                return False
            case Hashed(path):
                return self._fold_counted(path, event, now)
            case Graded(grader):
                return self._fold_counted(grader, event, now)
            case Trained():
                return self._fold_trained(event)
            case WaitStarted() | AskedToWait() | LockAwaited() | Unanswered():
                return True
            case LookFailed():
                known = self.unanswered.get(event.address)
                self.unanswered[event.address] = event
                return known != event
            case _:
                assert_never(event)

    def _forget(self, address: Address) -> None:
        self.steps.pop(address, None)
        self.uploads.pop(address, None)
        self.training.pop(address, None)
        self.unanswered.pop(address, None)

    def _fold_counted(self, name: str, event: Hashed | Graded, now: float) -> bool:
        if event.done >= event.total:
            self.hashing.pop(name, None)
            return False
        known = self.hashing.setdefault(name, Hashing(event, now))
        known.last = event
        news = known.slow(now) and not known.told
        known.told = known.told or news
        return news

    def _fold_trained(self, event: Trained) -> bool:
        self.unanswered.pop(event.address, None)
        if (known := self.training.get(event.address)) is not None:
            return known.hear(event)
        self.training[event.address] = known = Training(event)
        known.hear(event)
        return True
