"""Ctrl-C or SIGTERM while acting: once to stop in good order, twice to stop at once. Stops nothing itself."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from rftplan.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from rftplan.cli.live import Listener


_STOPPING = "Stopping when the calls in flight have ended; Ctrl-C again to stop at once."
_STOPPED = """\
Stopped at once. What was in flight is in the journal, and jobs that were launched go on at the service.
Go on with: {program} apply
"""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_interrupt(listener: Listener, program: str) -> Iterator[asyncio.Event]:
    """An event that the first signal sets. The second ends the process, which the journal is made for.

    Must be entered inside the running loop, in the main thread.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def interrupted(_signal: int, _frame: Any) -> None:
        if stop.is_set():
            with suppress(Exception):  # it may be in the middle of drawing
                listener.close()
            with suppress(OSError):
                os.write(2, _STOPPED.format(program=program).encode())  # past the stream, which may be in use
            os._exit(ExitCode.INTERRUPTED)
        stop.set()
        loop.call_soon_threadsafe(listener.say, _STOPPING)

    previous = [(number, signal.signal(number, interrupted)) for number in SIGNALS]
    try:
        yield stop
    finally:
        for number, handler in previous:
            signal.signal(number, handler)
