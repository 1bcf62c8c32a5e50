"""Shows jobs that are watched: blocks at a terminal, lines for a log, documents for a program. Asks nobody."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from rftplan.cli.live import event_line
from rftplan.cli.screen import Clock, Screen
from rftplan.events import AskedToWait, Event, Unanswered
from rftplan.render.escape import visible
from rftplan.render.look import Tone, joined
from rftplan.render.monitor_documents import line, training_document, watch_document
from rftplan.render.monitor_text import block_lines, brief_lines, name, news_lines

if TYPE_CHECKING:
    from rftplan.cli.invocation import Invocation
    from rftplan.watching import Watched


class WatchView(Protocol):
    """Whoever shows jobs. Called with each event, too: that the service asks to wait, or is silent."""

    def __call__(self, event: Event) -> None: ...

    def show(self, jobs: Sequence[Watched]) -> None:
        """The jobs as they are now, all of them."""

    def close(self) -> None:
        """What is drawn goes."""


class BlocksView:
    """Everything about each job, drawn anew; two lines for each where the screen is too small."""

    def __init__(self, run: Invocation, now: Clock = time.monotonic) -> None:
        self._screen, self._look = Screen(run.terminal, now), run.look_err
        self._lines: list[str] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, AskedToWait | Unanswered):
            self._screen.say(event_line(event, self._look), self._lines)

    def show(self, jobs: Sequence[Watched]) -> None:
        self._lines = self._blocks(jobs)
        self._screen.draw(self._lines)

    def _blocks(self, jobs: Sequence[Watched]) -> list[str]:
        room = shutil.get_terminal_size().lines
        told = [(training_document(one.facts), one.unanswered) for one in jobs]
        whole = [block_lines(training, self._look, unanswered=error) for training, error in told]
        if sum(map(len, whole)) + len(whole) - 1 >= room:
            whole = [brief_lines(training, self._look, unanswered=error) for training, error in told]
            return [line for block in whole for line in block]
        return [line for n, block in enumerate(whole) for line in ([""] if n else []) + block]

    def close(self) -> None:
        self._screen.clear()


class LinesView:
    """News alone, one line each."""

    def __init__(self, run: Invocation) -> None:
        self._run = run
        self._unanswered: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, AskedToWait | Unanswered):
            self._run.terminal.err(event_line(event, self._run.look_err) + "\n")

    def show(self, jobs: Sequence[Watched]) -> None:
        look = self._run.look
        for one in jobs:
            training = training_document(one.facts)
            lines = news_lines(training, [news.value for news in one.news], look)
            said = self._unanswered.pop(training["id"], None)
            if one.unanswered is not None:
                self._unanswered[training["id"]] = one.unanswered
                if said != one.unanswered:
                    word = look.paint(Tone.CAUTION, "no answer, asked again")
                    lines.append(f"{name(training)}  {word}: {visible(one.unanswered)}")
            elif said is not None:
                lines.append(f"{name(training)}  answers again")
            if lines:
                self._run.result(joined(lines))

    def close(self) -> None:
        pass


class DocumentsView:
    """A document on a line of its own for each job about which there is news: its points are those that no line before
    had."""

    def __init__(self, run: Invocation) -> None:
        self._run = run
        self._steps: dict[str, int] = {}
        self._last: dict[str, tuple[str | None, bool]] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, AskedToWait | Unanswered):
            self._run.terminal.err(event_line(event, self._run.look_err) + "\n")

    def show(self, jobs: Sequence[Watched]) -> None:
        for one in jobs:
            id, state = one.facts.job.id, (one.unanswered, one.ending is not None)
            if one.news or self._last.get(id) != state:
                document = watch_document(one, after=self._steps.get(id, 0))
                self._run.result(line(document))
            self._steps[id], self._last[id] = one.facts.step or 0, state

    def close(self) -> None:
        pass
