"""The life of one process for rows: born in a cell, asked by pipe, watched, ended with all that came of it.

Trusts nothing that it is told, and knows nothing of graders.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from rftplan.grading.sandbox.cell import Cell
from rftplan.grading.sandbox.frames import BrokenFrameError, Frames

_LARGEST_ROW: Final = 1 << 28
_LARGEST_ANSWER: Final = 1 << 24
_BETWEEN_LOOKS: Final = 0.02
"""Seconds. The memory of several processes has no limit but our looking; this long they may grow unseen."""


class SpentError(Exception):
    """The process gave no answer. `kind` is one of `timeout`, `memory_limit`, `crash`."""

    def __init__(self, kind: str, details: str) -> None:
        super().__init__(details)
        self.kind = kind
        self.details = details


@dataclass(slots=True, eq=False)
class Session:
    """One process. After SpentError, or when it has had enough, it is to be ended."""

    cell: Cell
    child: int
    frames: Frames

    @classmethod
    def begin(cls, cell: Cell, run: Callable[[Frames], None]) -> Session:
        """Start a process that runs this with its end of the pipes, and then is no more."""
        its_incoming, our_outgoing = os.pipe()
        our_incoming, its_outgoing = os.pipe()
        child = cell.fork()
        if child == 0:
            try:
                _keep_only(its_incoming, its_outgoing)
                cell.enter()
                run(Frames(its_incoming, its_outgoing, _LARGEST_ROW))
            finally:
                os._exit(0)  # nothing of what Python does at its end: some of it may be the grader's
        os.close(its_incoming)
        os.close(its_outgoing)
        return cls(cell, child, Frames(our_incoming, our_outgoing, _LARGEST_ANSWER))

    def tell(self, *rows: bytes) -> None:
        """Give it rows, each of which it answers. Several must fit into a pipe together: it may not be reading."""
        with suppress(BrokenPipeError):  # it may be gone, after an answer to the first of them or without one
            for row in rows:
                self.frames.send(row)

    def answer(self, *, seconds: float, memory: int, watched: int | None) -> bytes:
        """To the next row. Raises SpentError, or EOFError when nobody is left at `watched` to tell it to."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                # What is over quickly is not looked at.
                with suppress(TimeoutError):
                    return self._answer(min(deadline, time.monotonic() + _BETWEEN_LOOKS), watched)
                if time.monotonic() >= deadline:
                    raise SpentError("timeout", f"no score within {seconds:g} s")
                if self.cell.memory() > memory:
                    raise SpentError("memory_limit", f"more than {memory >> 20} MiB taken by all its processes")
        except BrokenFrameError as error:
            raise SpentError("crash", "its process gave no proper answer") from error

    def end(self) -> str:
        """The end of it and of all that it left; how it had ended, for a person."""
        status = self.cell.end(self.child)
        self.frames.close()
        code = os.waitstatus_to_exitcode(status)
        return f"its process was ended by signal {-code}" if code < 0 else f"its process ended with exit code {code}"

    def _answer(self, until: float, watched: int | None) -> bytes:
        answer = self.frames.receive_by(until, watched=watched)
        if answer is None:
            raise SpentError("crash", "")
        return answer


def _keep_only(*kept: int) -> None:
    """Close every other descriptor but the first three."""
    start = 3
    for descriptor in sorted(kept):
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, 1 << 16)
