"""How one plan is carried out: what a step may use, and how what became of it is told.

Adds no decision, knows no order of steps, prints nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

from msgspec import Struct, field
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Change, Plan
from rftplan.errors import BehindError, Limit, LimitedError, RftplanError, StoppedError
from rftplan.events import OnEvent, Outcome, Result, StepEnded
from rftplan.journal import LostEffect
from rftplan.kinds.base import Act, result

Sleep = Callable[[float], Awaitable[None]]


class Stop(Struct, frozen=True):
    """Set once by whoever wants to stop: calls in flight end, nothing new begins."""

    event: asyncio.Event

    @property
    def asked(self) -> bool:
        return self.event.is_set()


class Execution(Struct, frozen=True):
    """How one plan is carried out. `acting` opens the ledger under the file lock and makes the `Act` for it.

    `refused` are those for which the service had no place, each as the change that waits for one from then on.
    """

    plan: Plan
    acting: Callable[[], AbstractContextManager[Act]]
    on_event: OnEvent
    stop: Stop
    parallelism: int
    poll_seconds: float
    sleep: Sleep
    refused: dict[Address, Change] = field(default_factory=dict)


def note(execution: Execution, results: dict[Address, Result], ended: Result) -> None:
    results[ended.address] = ended
    execution.on_event(StepEnded(ended))


async def told(change: Change, work: Awaitable[Result]) -> Result:
    """What became of it: an unknown fate is not yet a failure, and never told as one. BehindError passes through: who
    waits looks again. So does the LimitedError of a service that has no place for another job."""
    try:
        return await work
    except BehindError:
        raise
    except LostEffect as lost:
        return result(
            change,
            Outcome.DEFERRED,
            detail=f"fate unknown: {lost}; the next apply looks it up before it repeats anything",
        )
    except StoppedError:
        return result(change, Outcome.SKIPPED, detail="apply was stopped while the service asked to wait")
    except LimitedError as limited:
        if limited.limit is Limit.JOBS:
            raise
        return result(change, Outcome.DEFERRED, detail=f"{limited}; {limited.hint}")
    except RftplanError as error:
        return replace(result(change, Outcome.FAILED, error=str(error)), hint=error.hint)
