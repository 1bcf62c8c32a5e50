"""Shows events on stderr: a live view for a person, lines for a log. Never stops what it shows.

A listener swallows the errors of its stream: that nobody reads any more must not end an apply.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, assert_never

from rftplan.cli.board import Board
from rftplan.cli.terminal import Terminal
from rftplan.events import Event, Hashed, LookFailed, StepEnded, StepStarted, Trained, Uploaded, WaitStarted
from rftplan.render.look import Look, Tone
from rftplan.render.progress_text import (
    reading_line,
    result_line,
    training_line,
    training_lines,
    unanswered_line,
    upload_line,
)

if TYPE_CHECKING:
    from rich.live import Live

Clock = Callable[[], float]
FRAME = 0.1
"""Seconds between two drawings, so that a flood of events costs nothing."""


class Listener(Protocol):
    """Called with each event, in the thread of the event loop."""

    def __call__(self, event: Event) -> None: ...

    def say(self, line: str) -> None:
        """A line that stays, between the others."""

    def close(self) -> None:
        """Leave nothing half drawn. The next event may start anew."""


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
        case Hashed():
            return reading_line(event)
        case Uploaded():
            return upload_line(event)
        case LookFailed():
            return unanswered_line(event, look)
        case WaitStarted(addresses):
            return f"Waiting for {', '.join(map(str, addresses))}"
        case _:
            assert_never(event)


class Lines:
    """News only, one line each: starts, ends, and training when something was validated."""

    def __init__(self, terminal: Terminal, look: Look, now: Clock) -> None:
        self._terminal, self._look, self._now = terminal, look, now
        self._board = Board()

    def __call__(self, event: Event) -> None:
        if self._board.fold(event, self._now()):
            self.say(event_line(event, self._look))

    def say(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._terminal.err(line + "\n")

    def close(self) -> None:
        pass


class LiveView:
    """What is under way is drawn at the bottom; what ended stays above it."""

    def __init__(self, terminal: Terminal, look: Look, now: Clock) -> None:
        self._terminal, self._look, self._now = terminal, look, now
        self._board = Board()
        self._live: Live | None = None
        self._drawn = float("-inf")

    def __call__(self, event: Event) -> None:
        now = self._now()
        news = self._board.fold(event, now)
        if isinstance(event, StepEnded):
            self.say(event_line(event, self._look))
        elif news or now - self._drawn >= FRAME:
            self._draw(now)

    def say(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._clear()
            self._terminal.err("\n".join(self._look.prose(line, indent=0, hang=4)) + "\n")
            self._draw(self._now())

    def close(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._clear()

    def _clear(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self, now: float) -> None:
        from rich.text import Text

        self._drawn = now
        lines = [Text.from_ansi(line) for line in board_lines(self._board, self._look, now)]
        with contextlib.suppress(OSError, ValueError):
            if not lines:
                self._clear()
                return
            if self._live is None:
                self._live = _started_live(self._terminal)
            drawn = Text("\n", no_wrap=True, overflow="ellipsis").join(lines)
            self._live.update(drawn, refresh=True)


def _started_live(terminal: Terminal) -> Live:
    from rich.console import Console
    from rich.live import Live

    console = Console(file=terminal.stderr, width=terminal.width, highlight=False)
    live = Live(
        console=console,
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
        vertical_overflow="ellipsis",
    )
    live.start()
    return live


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
        yield from training_lines(training.last, training.curve, look)
    for failed in board.unanswered.values():
        yield unanswered_line(failed, look)
