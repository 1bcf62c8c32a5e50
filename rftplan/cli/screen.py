"""Lines on stderr that are drawn again and again. Knows nothing of what they say, and fails at no stream."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rftplan.cli.terminal import Terminal

if TYPE_CHECKING:
    from rich.live import Live

Clock = Callable[[], float]
FRAME = 0.1
"""Seconds between two drawings, so that a flood of events costs nothing."""


class Screen:
    """What was drawn last goes when other lines are drawn."""

    def __init__(self, terminal: Terminal, now: Clock) -> None:
        self._terminal, self._now = terminal, now
        self._live: Live | None = None
        self._drawn = float("-inf")
        self._height = 0

    @property
    def stale(self) -> bool:
        """Whether the last drawing is so old that another one is worth it."""
        return self._now() - self._drawn >= FRAME

    def draw(self, lines: Sequence[str]) -> None:
        """These in place of what is there; with none, nothing is there."""
        from rich.text import Text

        self._drawn = self._now()
        self._height = min(len(lines), shutil.get_terminal_size().lines)
        with contextlib.suppress(OSError, ValueError):
            if not lines:
                self.clear()
                return
            if self._live is None:
                self._live = _started_live(self._terminal)
            drawn = Text("\n", no_wrap=True, overflow="ellipsis").join(map(Text.from_ansi, lines))
            self._live.update(drawn, refresh=True)

    def say(self, line: str, lines: Sequence[str]) -> None:
        """A line that stays, above the others."""
        with contextlib.suppress(OSError, ValueError):
            self.clear()
            self._terminal.err(line + "\n")
            self.draw(lines)

    def clear(self) -> None:
        live, self._live = self._live, None
        with contextlib.suppress(OSError, ValueError):
            if live is not None:
                live.stop()

    def erasure(self) -> str:
        """What takes the drawn lines away, for who ends the process past all streams."""
        return "" if self._live is None else "\r\x1b[2K" + "\x1b[1A\x1b[2K" * (self._height - 1) + "\x1b[?25h"


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
