"""Two clones of one project at one service, and who of them goes when. Tests nothing itself."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from tests.scenarios.applies import S
from tests.scenarios.promised import House
from tests.world import Small

_LONGEST: Final = 120.0
"""Seconds of real time after which somebody waits for a turn that never comes."""


class Twins:
    """Two clones of one project at one service, both of whose applies are due."""

    def __init__(self, root: Path, *, shared_lock: bool, bare: bool = False) -> None:
        self.house = House(root / "one", speed=0.01, bare=bare)
        self.first = self.house.small
        if shared_lock:
            self.first.apply()
            self.first.edit(S, "n_epochs: 2", "n_epochs: 3")
            self.house.clock.time += 3
        shutil.copytree(self.first.root, root / "two")
        self.second = Small(
            root / "two",
            clock=self.house.clock,
            environ=self.first.environ,
            wrap=self.first.wrap,
            ids=itertools.count(5_000),
        )

    def live(self) -> list[Any]:
        jobs = self.house.truth().jobs.values()
        return sorted((job for job in jobs if not job.status.ended), key=lambda job: (job.created_at, job.id))

    def together(self, turns: Turns) -> None:
        """Both apply at once, call by call as it is their turn."""
        failed: list[BaseException] = []

        def work(who: int, small: Small) -> None:
            inner = small.wrap
            small.wrap = lambda network: _InTurn(inner(network), turns, who)
            try:
                turns.wait(who)
                small.apply(parallelism=1)
            except BaseException as error:  # told by whoever waits for both
                failed.append(error)
            finally:
                small.wrap = inner
                turns.done(who)

        threads = [threading.Thread(target=work, args=one) for one in enumerate((self.first, self.second))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]


class Turns:
    """One of two goes at a time, up to its next call: each in turn for so many calls as `runs` says, and then the first
    to its end. `before` hears of every call."""

    def __init__(self, runs: Iterable[int], before: Callable[[], None] = lambda: None) -> None:
        self._order = itertools.chain.from_iterable([number % 2] * calls for number, calls in enumerate(runs))
        self._before = before
        self._changed = threading.Condition()
        self._going, self._waiting = {0, 1}, set[int]()
        self._turn: int | None = None

    def wait(self, who: int) -> None:
        with self._changed:
            self._waiting.add(who)
            self._next()
            assert self._changed.wait_for(lambda: self._turn == who, timeout=_LONGEST), "nobody gave it a turn"
            self._turn = None
            self._waiting.discard(who)
            self._before()

    def done(self, who: int) -> None:
        with self._changed:
            self._going.discard(who)
            self._next()

    def _next(self) -> None:
        """Once all that go wait."""
        if self._waiting == self._going and self._going:
            self._turn = next((who for who in self._order if who in self._going), min(self._going))
            self._changed.notify_all()


class _InTurn:
    """Stands before the service, and lets a request through when it is this clone's turn."""

    def __init__(self, inner: Any, turns: Turns, who: int) -> None:
        self._inner, self._turns, self._who = inner, turns, who

    async def handle_async_request(self, request: Any) -> Any:
        self._turns.wait(self._who)  # nothing else of this clone goes on meanwhile
        return await self._inner.handle_async_request(request)

    async def __aenter__(self) -> _InTurn:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def aclose(self) -> None:
        await self._inner.aclose()
