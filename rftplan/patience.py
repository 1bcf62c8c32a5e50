"""How a command waits for a service: told as an event, ended by a stop. Waits for nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from rftplan.events import AskedToWait, OnEvent, Unanswered

if TYPE_CHECKING:
    from rftplan.api.pacing import Patience


def patience_of(
    sleep: Callable[[float], Awaitable[None]],
    on_event: OnEvent,
    stop: asyncio.Event | None = None,
    *,
    service: str,
    quiet: float,
    paused: Callable[[float], None],
) -> Patience:
    """Waits by this clock, and tells whoever listens why nothing happens: that the service asked for it, or says
    nothing for `quiet` seconds. `paused` hears of every wait that the service asked for, in seconds."""
    from rftplan.api.pacing import Patience

    def late(what: str, silent: float, left: float) -> None:
        on_event(Unanswered(service, what, silent, left))

    return Patience(sleep, lambda seconds: on_event(AskedToWait(seconds)), stop, quiet=quiet, late=late, paused=paused)
