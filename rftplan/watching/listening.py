"""What a service tells of one job, heard once: later only what is new is asked for. Judges nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from rftplan.api.port import Checkpoint, JobEvent, Port, RemoteJob

NEWEST: Final = 40
"""So many events are asked for at a look: all that is new, as a rule, in one request."""


class Ear(Struct, eq=False):
    """What was heard so far: `events` newest first, `checkpoints` highest step first."""

    port: Port
    job: RemoteJob
    events: Sequence[JobEvent] = ()
    checkpoints: Sequence[Checkpoint] = ()

    async def listen(self) -> None:
        """Two requests where nothing happened, three where something did. Raises what the port raises, and then what
        was heard before stays."""
        job = await self.port.get_job(self.job.id)
        events = await self._events()
        anew = job.raw_status != self.job.raw_status or [e.id for e in events[:1]] != [e.id for e in self.events[:1]]
        if anew or not self.events:
            self.checkpoints = await self.port.list_checkpoints(job.id)
        self.job, self.events = job, events

    async def _events(self) -> Sequence[JobEvent]:
        """All of them. The newest are asked for, and the others only where those do not reach back to what is known."""
        if not self.events:
            return await self.port.list_events(self.job.id)
        newest = await self.port.list_events(self.job.id, limit=NEWEST)
        known = {event.id for event in self.events}
        if not any(event.id in known for event in newest):
            return await self.port.list_events(self.job.id)
        return (*(event for event in newest if event.id not in known), *self.events)
