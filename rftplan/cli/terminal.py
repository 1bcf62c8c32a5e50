"""The streams of this process and what they can show. Knows no documents and no commands."""

from __future__ import annotations

import codecs
import io
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO, cast

from msgspec import Struct

from rftplan.errors import UserError
from rftplan.render.look import Look, ansi, plain

_NARROWEST = 40
_YES = frozenset({"y", "yes"})
_PLAIN = "rftplan.plain"
_ASCII = {
    "✓": "*", "✗": "x", "…": "...", "→": "->", "≥": ">=", "≤": "<=", "·": ".", "±": "+-", "×": "x",
    **dict(zip("▁▂▃▄▅▆▇█", "_.-:=+*#", strict=True)),
}  # fmt: skip
_ASCII_MARKS = {"…": ".", "±": "%"}
"""As the mark of a line, where columns follow, one sign is one character."""


class Terminal(Struct, frozen=True):
    """Results go to `stdout`; progress, findings and questions to `stderr`."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    environ: Mapping[str, str]

    @classmethod
    def of_process(cls) -> Terminal:
        """This process's own streams, set so that no character can fail to be written; a closed one is nobody."""
        codecs.register_error(_PLAIN, _in_ascii)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors=_PLAIN)
        # In the order of their numbers: what is opened first takes the place of what was closed first.
        stdin = sys.stdin or _nowhere("r")
        return cls(stdin, sys.stdout or _nowhere("w"), sys.stderr or _nowhere("w"), os.environ)

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
    def shows_lines_with_results(self) -> bool:
        """Whether both streams are one, so that who reads results has read every line of progress (`2>&1`)."""
        try:
            out, err = (os.fstat(stream.fileno()) for stream in (self.stdout, self.stderr))
        except (OSError, ValueError):
            return False
        return not self.live and os.path.samestat(out, err)

    @property
    def can_ask(self) -> bool:
        return self.stdin.isatty() and self.stderr.isatty()

    def out(self, text: str) -> None:
        """A result. BrokenPipeError if nobody reads any more, UserError if it cannot be written."""
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except BrokenPipeError:
            raise
        except (OSError, ValueError) as error:
            silence(self.stdout)
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise UserError(f"the output cannot be written: {why}") from None

    def err(self, text: str) -> None:
        """Progress, a finding, or an error. Where it cannot be written, nobody is told: what is done goes on."""
        try:
            self.stderr.write(text)
            self.stderr.flush()
        except (OSError, ValueError):
            silence(self.stderr)

    def ask(self, question: str) -> bool:
        """Whether a person says yes; the end of the input is a no. KeyboardInterrupt on Ctrl-C."""
        with _interruptible():
            self.err(f"{question} [y/N] ")
            answer = self.stdin.readline()
        if not answer.endswith("\n"):
            self.err("\n")
        return answer.strip().lower() in _YES


def silence(stream: TextIO) -> None:
    """Give a stream that failed another end: the interpreter would try to flush it again when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _nowhere(mode: str) -> TextIO:
    return cast(TextIO, Path(os.devnull).open(mode, encoding="utf-8"))


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Something like it for the signs that rftplan itself writes, an escape for every other character."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    refused = error.object[error.start : error.end]
    plain = "".join(_ASCII.get(c) or c.encode("ascii", "backslashreplace").decode() for c in refused)
    if refused in _ASCII_MARKS and _begins_line(error.object[: error.start]):
        plain = _ASCII_MARKS[refused]
    return plain, error.end


def _begins_line(before: str) -> bool:
    """Whether only spaces, and the start of a colour, stand before it in its line."""
    start = before[before.rfind("\n") + 1 :].lstrip(" ")
    return not start or (start.startswith("\x1b[") and start.endswith("m") and len(start) <= len("\x1b[36m"))


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
