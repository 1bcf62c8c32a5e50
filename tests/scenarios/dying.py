"""Processes that die at a chosen point, for real: SIGKILL, no cleanup, no second thoughts.

Each runs in a child of a fork server, where counting and killing may be patched into the operating system's
calls without touching anybody else.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rftplan.canonical import JsonObject
from rftplan.ledger import Ledger
from tests.world import Clock, Small

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.scenarios.preload"])


@dataclass(frozen=True)
class Point:
    """The n-th call that changes the service ("call"), record of the journal ("record") or sync of a file
    ("disk"), before or after it."""

    kind: str
    number: int
    after: bool

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.kind} {self.number}"


class Counter:
    """Counts what happens and dies when its point comes."""

    def __init__(self, point: Point | None) -> None:
        self.point = point
        self.counts = {"call": 0, "record": 0, "disk": 0}

    def around(self, kind: str) -> Callable[[bool], None]:
        self.counts[kind] += 1
        number = self.counts[kind]

        def reached(after: bool) -> None:
            if self.point == Point(kind, number, after):
                os.kill(os.getpid(), signal.SIGKILL)

        return reached


class DyingTransport:
    """Stands before the service; only requests that change something count."""

    def __init__(self, inner: Any, counter: Counter) -> None:
        self.inner = inner
        self.counter = counter

    async def handle_async_request(self, request: Any) -> Any:
        if request.method == "GET":
            return await self.inner.handle_async_request(request)
        reached = self.counter.around("call")
        reached(False)
        response = await self.inner.handle_async_request(request)
        reached(True)
        return response

    async def __aenter__(self) -> DyingTransport:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def aclose(self) -> None:
        await self.inner.aclose()


class SharedClock(Clock):
    """A clock that outlives the process: time does not run backwards for whoever comes next."""

    def __init__(self, shared: Any) -> None:
        super().__init__(shared.value)
        self._shared = shared

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        self._shared.value = self.time


def _apply(root: Path, clock: Any, point: Point | None, parallelism: int, counts: Any) -> None:
    counter = Counter(point)
    fsync, append = os.fsync, Ledger._append

    def dying_fsync(descriptor: int) -> None:
        reached = counter.around("disk")
        reached(False)
        fsync(descriptor)
        reached(True)

    def dying_append(ledger: Ledger, record: JsonObject) -> None:
        reached = counter.around("record")
        reached(False)
        append(ledger, record)
        reached(True)

    os.fsync = dying_fsync
    Ledger._append = dying_append  # type: ignore[method-assign]  # watched, not replaced
    small = Small(root, clock=SharedClock(clock), wrap=lambda inner: DyingTransport(inner, counter))
    small.apply(wait=True, parallelism=parallelism)
    counts.put(counter.counts)


@dataclass(frozen=True)
class Death:
    """How a child ended, when, and what it counted if it lived."""

    code: int | None
    time: float
    counts: dict[str, int]


def apply_and_die(
    root: Path, point: Point | None, *, parallelism: int = 1, work: Callable[..., None] = _apply
) -> Death:
    """Apply to the end in a child that dies at `point`; `work` is what the child does. Steps that run side by side
    share their syncs as it happens, so that only one at a time gives the same points in every run."""
    counts: Any = FORKS.SimpleQueue()
    clock = FORKS.Value("d", Clock().time)
    child = FORKS.Process(target=work, args=(root, clock, point, parallelism, counts))
    child.start()
    child.join()
    found = {} if counts.empty() else counts.get()
    counts.close()
    return Death(child.exitcode, clock.value, found)
