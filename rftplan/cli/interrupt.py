"""Ctrl-C while acting: once to stop in good order, twice to stop at once. Stops nothing itself."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rftplan.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from rftplan.cli.live import Listener


_STOPPING = "Stopping when the calls in flight have ended; Ctrl-C again to stop at once."


@contextmanager
def stop_on_interrupt(listener: Listener) -> Iterator[asyncio.Event]:
    """An event that the first Ctrl-C sets. The second ends the process, which the journal is made for.

    Must be entered inside the running loop, in the main thread.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def interrupted(_signal: int, _frame: Any) -> None:
        if stop.is_set():
            listener.close()
            os._exit(ExitCode.INTERRUPTED)
        stop.set()
        loop.call_soon_threadsafe(listener.say, _STOPPING)

    previous = signal.signal(signal.SIGINT, interrupted)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, previous)
