"""How fast a service may be asked: one pause for all that goes to it, and how often a call is tried again.

Sends nothing and knows no SDK. What waits is brought along, so that no clock is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from rftplan.api.faults import Call, Kind
from rftplan.api.limits import span
from rftplan.errors import ApiError, Limit, LimitedError, RejectedError, StoppedError, Way

TRIES: Final = 5
"""How often a call is sent at most that the service answers with "too many"."""
LONGEST: Final = 300.0
"""Seconds. A service that asks for more is not waited for: whoever comes again later is told when."""
QUIET: Final = 5.0
"""Seconds. Who looks at a terminal for longer, and sees nothing, thinks that it hangs."""
_FIRST_BACKOFF: Final = 0.5
_OVERLOADED: Final = 503
_AGAIN: Final = frozenset({None, 408, 409})


class Patience(Struct, frozen=True):
    """What waits, who hears how many seconds the service asked for, and what ends every wait at once.

    `retries` is how often a call that changes nothing is sent again after it got no answer, or a broken one. `late`
    hears what a service was asked that has said nothing for `quiet` seconds, and for how many more it is waited for.
    `paused` hears of every pause, told or not: what waits for its turn goes out when it is over.
    """

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    told: Callable[[float], None] = lambda _: None
    stop: asyncio.Event | None = None
    retries: int = 2
    quiet: float = QUIET
    late: Callable[[str, float, float], None] = lambda what, quiet, left: None
    paused: Callable[[float], None] = lambda _: None

    async def unless_stopped(self, waiting: Awaitable[object]) -> bool:
        """Wait for it; False if somebody stopped us first."""
        if self.stop is None:
            await waiting
            return True
        stopping = asyncio.ensure_future(self.stop.wait())
        waited = asyncio.ensure_future(waiting)
        try:
            await asyncio.wait({stopping, waited}, return_when=asyncio.FIRST_COMPLETED)
            return waited.done()
        finally:
            stopping.cancel()
            waited.cancel()


PATIENCE: Final = Patience()
"""In real time, said to nobody, ended by nobody."""


class Pace:
    """The request budget of one service under one key: whoever is told to wait makes all others wait."""

    def __init__(self, patience: Patience, *, hopeless: frozenset[Way] = frozenset()) -> None:
        """`hopeless` is what another try does not mend where it broke the way to this service once."""
        self._patience = patience
        self._hopeless = hopeless
        self._pauses: set[asyncio.Future[None]] = set()
        self._longest = 0.0
        self._silent = False

    @contextmanager
    def asked(self, call: Call, seconds: float) -> Iterator[None]:
        """While a call is out that is waited for `seconds`: a silence is told once for all that is out."""
        quiet = self._patience.quiet + call.intake
        if quiet >= seconds:
            yield
            return
        late = asyncio.get_running_loop().call_later(quiet, self._late, call.what, quiet, seconds - quiet)
        try:
            yield
        finally:
            late.cancel()

    def answered(self) -> None:
        """A call has come to an end: the next silence is news."""
        self._silent = False

    def _late(self, what: str, quiet: float, left: float) -> None:
        if not self._silent:
            self._silent = True
            self._patience.late(what, quiet, left)

    async def turn(self, call: Call) -> None:
        """Wait until the service may be asked; StoppedError if somebody stops us first."""
        while self._pauses:
            over = asyncio.wait(frozenset(self._pauses))
            if not await self._patience.unless_stopped(over):
                raise StoppedError(f"could not {call.what}: stopped while the service asked to wait; nothing was sent")

    async def again(self, call: Call, fault: ApiError, tried: int) -> bool:
        """Whether the call is worth another try, now that `fault` was its answer for the `tried`-th time.

        Never for an effect of which it is not certain that nothing came of it.
        """
        asked = fault.retry_after
        if isinstance(fault, LimitedError):
            return self._too_many(fault, tried)
        repeatable = call.kind in (Kind.READ, Kind.STAGING) and tried <= self._patience.retries
        if fault.status == _OVERLOADED and asked is not None:
            return self._paused(fault, asked) and repeatable
        passing = fault.status in _AGAIN or (fault.status or 0) >= 500
        hopeless = call.kind is Kind.READ and fault.way in self._hopeless
        if isinstance(fault, RejectedError) or not passing or not repeatable or hopeless:
            return False
        return await self._patience.unless_stopped(self._patience.sleep(_FIRST_BACKOFF * 2 ** (tried - 1)))

    def _too_many(self, fault: LimitedError, tried: int) -> bool:
        if fault.limit is not Limit.RATE:
            return False
        seconds = fault.retry_after if fault.retry_after is not None else 2.0 ** (tried - 1)
        if not self._paused(fault, seconds):
            return False
        if tried >= TRIES:
            fault.hint = f"asked {tried} times; come again in {span(seconds)}"
            return False
        return True

    def _paused(self, fault: ApiError, seconds: float) -> bool:
        """Begin a pause for everybody; False for one that nobody waits for. It is said once, unless another answer
        asks for more."""
        if seconds > LONGEST:
            fault.hint = f"the service asks to wait {span(seconds)}: come again then"
            return False
        if not self._pauses:
            self._longest = 0.0
        if seconds > self._longest:
            self._longest = seconds
            self._patience.told(seconds)
        self._patience.paused(seconds)
        pause = asyncio.ensure_future(self._sleep(seconds))
        self._pauses.add(pause)
        pause.add_done_callback(self._pauses.discard)
        return True

    async def _sleep(self, seconds: float) -> None:
        await self._patience.sleep(seconds)

    async def aclose(self) -> None:
        """Leave no wait behind."""
        pauses = tuple(self._pauses)
        for pause in pauses:
            pause.cancel()
        await asyncio.gather(*pauses, return_exceptions=True)
