"""Ctrl-C, SIGTERM or a terminal that is gone, while acting: once to stop in good order, twice to stop at once. Stops
nothing itself."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from rftplan.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from rftplan.cli.live import Listener

T = TypeVar("T")

_STOPPING = "Stopping when the calls in flight have ended; Ctrl-C again to stop at once."
_STOPPED = """\
Stopped at once. What was in flight is in the journal, and jobs that were launched go on at the service.
Go on with: {program} apply
"""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
_HUNG_UP = getattr(signal, "SIGHUP", None)
"""What a process hears when its terminal goes, more than once as it happens; None on Windows."""


class Interrupts:
    """What the signals do: the first stops what is being acted, or the command where nothing is; the second ends the
    process at once, whatever it is doing, with a word about how to go on."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._asked = False
        self._acting: tuple[asyncio.AbstractEventLoop, asyncio.Event, Listener] | None = None

    @contextmanager
    def stopping(self, listener: Listener) -> Iterator[asyncio.Event]:
        """An event that the first signal sets. Must be entered inside the running loop."""
        stop = asyncio.Event()
        self._acting = asyncio.get_running_loop(), stop, listener
        try:
            yield stop
        finally:
            self._acting = None

    def signalled(self, number: int, _frame: Any) -> None:
        if self._asked and number == _HUNG_UP:
            return  # nobody asks twice that way
        if self._asked:
            self._end()
        if self._acting is None:
            raise KeyboardInterrupt
        self._asked = True
        loop, stop, listener = self._acting
        stop.set()
        loop.call_soon_threadsafe(listener.say, _STOPPING)

    def _end(self) -> None:
        """Past the streams, which may be in the middle of a write."""
        drawn = self._acting[2].erasure() if self._acting else ""
        with suppress(OSError):
            os.write(2, (drawn + _STOPPED.format(program=self._program)).encode())
        os._exit(ExitCode.INTERRUPTED)


@contextmanager
def interruptible(program: str) -> Iterator[Interrupts]:
    """Signals handled until the end of the block: a second one may come while the first is still being obeyed, or
    while the summary is printed. Must be entered in the main thread, outside of any loop."""
    interrupts = Interrupts(program)
    heard = [*SIGNALS]
    if _HUNG_UP is not None and signal.getsignal(_HUNG_UP) is not signal.SIG_IGN:  # as under nohup
        heard.append(_HUNG_UP)
    previous = [(number, signal.signal(number, interrupts.signalled)) for number in heard]
    try:
        yield interrupts
    finally:
        for number, handler in previous:
            signal.signal(number, handler)


def run_cancellable(work: Coroutine[Any, Any, T]) -> T:
    """The result of work that only asks. Ctrl-C and SIGTERM cancel it: what it opened is closed, and its folders are
    gone, before KeyboardInterrupt goes on. Must be called in the main thread, outside of any loop.

    Ctrl-C counts where it was ignored before, too, as a shell ignores it for what it runs in the background: asyncio
    leaves such a signal alone, and every other command hears it.
    """

    async def cancellable() -> T:
        task = asyncio.current_task()
        assert task is not None
        with suppress(NotImplementedError):  # on Windows, which has no SIGTERM to hear
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return asyncio.run(cancellable())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, previous)
