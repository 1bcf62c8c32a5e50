"""Shows events on stderr: a live view for a person, lines for a log. Never stops what it shows.

A listener swallows the errors of its stream: that nobody reads any more must not end an apply.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Iterator
from typing import Protocol, assert_never

from rftplan.address import Address
from rftplan.cli.board import Board, Training
from rftplan.cli.screen import Clock, Screen
from rftplan.cli.terminal import Terminal
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
from rftplan.render.look import Look, Tone
from rftplan.render.progress_text import (
    asked_to_wait_line,
    awaited_line,
    reading_line,
    remark_line,
    remarks,
    result_line,
    silent_line,
    trained_line,
    training_line,
    training_lines,
    unanswered_line,
    upload_line,
)

_MOST_ENDS = 5
"""Of what ended, so many are shown while the rest is under way."""


class Listener(Protocol):
    """Called with each event, in the thread of the event loop."""

    def __call__(self, event: Event) -> None: ...

    def say(self, line: str) -> None:
        """A line that stays, between the others."""

    def close(self) -> None:
        """Leave nothing half drawn, and of training its last state. The next event may start anew."""

    def erasure(self) -> str:
        """Control codes that take away what is drawn, for when nothing else may run any more."""


def listener_for(terminal: Terminal, look: Look, *, now: Clock = time.monotonic) -> Listener:
    """A live view on a terminal, plain lines otherwise (pipes, CI, TERM=dumb)."""
    return LiveView(terminal, look, now) if terminal.live else Lines(terminal, look, now)


def event_line(event: Event, look: Look) -> str:
    """One event as one line that makes sense without those before it."""
    match event:
        case StepStarted(address, verb):
            return f"{look.paint(Tone.FAINT, '>')} {address}  {verb} …"
        case StepEnded(result):
            return result_line(result, look)
        case Trained():
            return training_line(event, look)
        case Hashed() | Graded():
            return reading_line(event)
        case Uploaded():
            return upload_line(event)
        case LookFailed():
            return unanswered_line(event, look)
        case Unanswered():
            return silent_line(event, look)
        case AskedToWait():
            return asked_to_wait_line(event, look)
        case WaitStarted(addresses):
            return f"Waiting for {', '.join(map(str, addresses))}"
        case LockAwaited(holder):
            return awaited_line(holder)
        case _:
            assert_never(event)


def _end_line(event: Event, look: Look) -> str:
    """The end of a training, in place of another word about its launch."""
    assert isinstance(event, StepEnded)
    return trained_line(event.result, look)


class Lines:
    """News only, one line each: starts, ends, and training when something was validated."""

    def __init__(self, terminal: Terminal, look: Look, now: Clock) -> None:
        self._terminal, self._look, self._now = terminal, look, now
        self._board = Board()
        self._told: set[tuple[Address, Tone]] = set()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Trained):
            self._remark(event)
        trained = isinstance(event, StepEnded) and event.result.address in self._board.training
        if self._board.fold(event, self._now()):
            self.say(_end_line(event, self._look) if trained else event_line(event, self._look))

    def _remark(self, event: Trained) -> None:
        """What the service says of the grader, and that it is being hacked: once each, for they change little."""
        for tone, text in remarks(event):
            if (event.address, tone) not in self._told:
                self._told.add((event.address, tone))
                self.say(remark_line(event, tone, text, self._look))

    def say(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._terminal.err(line + "\n")

    def close(self) -> None:
        pass

    def erasure(self) -> str:
        return ""


class LiveView:
    """What is under way, under the latest ends. All of it goes when it closes, for the summary tells every end; the
    last state of each training stays, which nothing else tells."""

    def __init__(self, terminal: Terminal, look: Look, now: Clock) -> None:
        self._screen, self._look, self._now = Screen(terminal, now), look, now
        self._board = Board()
        self._ends: deque[str] = deque(maxlen=_MOST_ENDS)

    def __call__(self, event: Event) -> None:
        now = self._now()
        trained = self._board.training.get(event.result.address) if isinstance(event, StepEnded) else None
        news = self._board.fold(event, now)
        if isinstance(event, StepEnded):
            self._ends.append(_end_line(event, self._look) if trained else event_line(event, self._look))
        if isinstance(event, AskedToWait | LockAwaited | Unanswered):
            self.say(event_line(event, self._look))
        elif trained is not None:
            self._keep(trained)
        elif news or self._screen.stale:
            self._screen.draw(self._lines())

    def say(self, line: str) -> None:
        self._screen.say(line, self._lines())

    def close(self) -> None:
        self._screen.clear()
        left = list(self._board.training.values())
        self._board = Board()
        self._ends.clear()
        for training in left:
            self._keep(training)

    def erasure(self) -> str:
        return self._screen.erasure()

    def _keep(self, training: Training) -> None:
        self.say("\n".join(training_lines(training.last, training.curve, training.rights, self._look)))

    def _lines(self) -> list[str]:
        return [*self._ends, *board_lines(self._board, self._look, self._now())]


def board_lines(board: Board, look: Look, now: float) -> Iterator[str]:
    """What is under way, most lasting last."""
    for hashing in board.hashing.values():
        if hashing.slow(now):
            yield reading_line(hashing.last)
    for address, verb in board.steps.items():
        if address in board.uploads:
            yield upload_line(board.uploads[address])
        elif address not in board.training:
            yield f"{address}  {verb} …"
    for training in board.training.values():
        yield from training_lines(training.last, training.curve, training.rights, look)
    for failed in board.unanswered.values():
        yield unanswered_line(failed, look)
