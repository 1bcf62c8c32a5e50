"""How a command waits for a service that asks for it: told as an event, ended by a stop. Waits for nothing itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rftplan.events import AskedToWait, OnEvent

if TYPE_CHECKING:
    from rftplan.api.pacing import Patience
    from rftplan.wiring import World


def patience_of(world: World, on_event: OnEvent, stop: asyncio.Event | None = None) -> Patience:
    """Waits by the world's clock, and tells whoever listens why nothing happens."""
    from rftplan.api.pacing import Patience

    return Patience(world.sleep, lambda seconds: on_event(AskedToWait(seconds)), stop)
