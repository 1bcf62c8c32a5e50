"""The streams of this process and what they can show. Knows no documents and no commands."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from rftplan.render.look import Look, ansi, plain

_NARROWEST = 40
_YES = frozenset({"y", "yes"})


@dataclass(frozen=True, slots=True)
class Terminal:
    """Results go to `stdout`; progress, findings and questions to `stderr`."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    environ: Mapping[str, str]

    @classmethod
    def of_process(cls) -> Terminal:
        """This process's own streams, set so that no character can fail to be written."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return cls(sys.stdin, sys.stdout, sys.stderr, os.environ)

    def look(self, stream: TextIO, program: str = "rftplan") -> Look:
        """How text for `stream` should look: colours and wrapping only for a person at a terminal."""
        if not stream.isatty():
            return Look(program=program)
        return Look(paint=ansi if self._coloured else plain, width=self.width, program=program)

    @property
    def width(self) -> int:
        return max(_NARROWEST, shutil.get_terminal_size().columns)

    @property
    def _coloured(self) -> bool:
        return self._animated and not self.environ.get("NO_COLOR")

    @property
    def _animated(self) -> bool:
        return not self.environ.get("CI") and self.environ.get("TERM") != "dumb"

    @property
    def live(self) -> bool:
        """Whether lines on stderr may be drawn again and again."""
        return self.stderr.isatty() and self._animated

    @property
    def can_ask(self) -> bool:
        return self.stdin.isatty() and self.stderr.isatty()

    def out(self, text: str) -> None:
        """A result. BrokenPipeError if nobody reads any more."""
        self.stdout.write(text)
        self.stdout.flush()

    def err(self, text: str) -> None:
        """Progress, a finding, or an error."""
        self.stderr.write(text)
        self.stderr.flush()

    def ask(self, question: str) -> bool:
        """Whether a person says yes; the end of the input is a no. KeyboardInterrupt on Ctrl-C."""
        with _interruptible():
            self.err(f"{question} [y/N] ")
            answer = self.stdin.readline()
        if not answer.endswith("\n"):
            self.err("\n")
        return answer.strip().lower() in _YES


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM end a blocking read, although a running event loop has its own plans for them."""
    signals = (signal.SIGINT, signal.SIGTERM)
    previous = [(number, signal.signal(number, signal.default_int_handler)) for number in signals]
    try:
        yield
    finally:
        for number, handler in previous:
            signal.signal(number, handler)
