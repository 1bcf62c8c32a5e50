"""Runs the code of `python` graders in one separate worker that is kept warm. Knows no grader's definition.

The worker is `rftplan.grading.sandbox`, started by a bare interpreter; nothing is started before the first score (or
the question whether there could be one).
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rftplan.grading.result import Flag
from rftplan.grading.runners import PythonFailure, Row

if TYPE_CHECKING:
    from rftplan.grading.worker_process import WorkerProcess

_LARGEST_ROW: Final = 1 << 26
_LARGEST_BATCH: Final = 1 << 15
_MOST_ROWS: Final = 64
_QUICK: Final = 0.05
"""Seconds for rows sent at once. After slower ones it is one row at a time, so that nobody waits long for a word."""


class Isolation(StrEnum):
    """What a runner does where this system cannot keep a grader in."""

    REQUIRED = "required"
    """It refuses."""
    TRUSTED = "trusted"
    """It does not ask: graders run with the rights of this user, everywhere, in a process of their own."""


class Limits(Struct, frozen=True):
    """What one row may use: the service's own limits. Sizes in bytes, and the time as a clock shows it."""

    seconds: float = 120.0
    memory: int = 2 << 30
    disk: int = 1 << 30
    processes: int = 64


@dataclass(slots=True, eq=False)
class PythonWorker:
    """A `PythonRunner`. To be closed; one that was closed may be used again."""

    isolation: Isolation = Isolation.REQUIRED
    limits: Limits = field(default_factory=Limits)
    _process: WorkerProcess | None = field(default=None, init=False, repr=False)
    _refusal: str | None = field(default=None, init=False, repr=False)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def refusal(self) -> str | None:
        """Found out once, by starting the worker."""
        with self._one_at_a_time:
            return self._started()

    def score(self, source: str, sample: Mapping[str, Any], item: Mapping[str, Any]) -> float | PythonFailure:
        """One row. Threads that come together wait for each other."""
        return next(self.scores(source, [(sample, item)]))

    def scores(self, source: str, rows: Iterable[Row]) -> Iterator[float | PythonFailure]:
        """Of each row, in order, as far as somebody asks. Quick ones are sent several at once: the way is the longest
        part of them. Rows are taken as they can be sent, and one more."""
        written = map(_written, rows)
        waiting: deque[bytes | PythonFailure] = deque()
        most = 1
        while _take_up(waiting, written, most):
            if isinstance(failure := waiting[0], PythonFailure):
                waiting.popleft()
                yield failure
                continue
            began = time.monotonic()
            sent = _together(waiting, most)
            scored = self._ask(source, sent)
            smooth = len(scored) == len(sent) and time.monotonic() - began < _QUICK
            most = min(2 * most, _MOST_ROWS) if smooth else 1
            for one in scored:
                waiting.popleft()
                yield one

    def _ask(self, source: str, rows: Sequence[bytes]) -> Sequence[float | PythonFailure]:
        with self._one_at_a_time:
            if (refusal := self._started()) is not None:
                raise RuntimeError(refusal)
            assert self._process is not None
            try:
                return self._process.scores(source, rows, self.limits.seconds)
            except ConnectionError:
                self._stop()
                return [PythonFailure(Flag.PYTHON_SERVER, "worker_lost: the worker ended or no longer answers")]

    def close(self) -> None:
        """End the worker and all that it started."""
        with self._one_at_a_time:
            self._stop()

    def __enter__(self) -> PythonWorker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> str | None:
        """Have a worker, unless it is known that there can be none; why there is none."""
        if self._process is not None and self._process.is_worn_out():
            self._stop()
        if not hasattr(os, "fork"):
            return _refusal("processes that are copies of one (fork)")
        if self._process is None and self._refusal is None:
            process = _start(self.isolation, self.limits)
            if process.missing is None:
                self._process = process
            else:
                process.stop()
                self._refusal = _refusal(process.missing)
        return self._refusal

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.stop()


def _written(row: Row) -> bytes | PythonFailure:
    sample, item = row
    try:
        written = json.dumps({"sample": sample, "item": item}).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return PythonFailure(Flag.PYTHON_SERVER, f"row: it cannot be written as JSON ({error})")
    if len(written) > _LARGEST_ROW:
        return PythonFailure(Flag.PYTHON_SERVER, f"row: larger than {_LARGEST_ROW >> 20} MiB")
    return written


def _take_up(waiting: deque[bytes | PythonFailure], written: Iterator[bytes | PythonFailure], most: int) -> bool:
    """Have what is sent next, and nothing that is not: rows may be large. False if none are left."""
    size = sum(len(row) for row in waiting if isinstance(row, bytes))
    while len(waiting) < most and size <= _LARGEST_BATCH and (row := next(written, None)) is not None:
        waiting.append(row)
        size += len(row) if isinstance(row, bytes) else 0
    return bool(waiting)


def _together(waiting: Iterable[bytes | PythonFailure], most: int) -> list[bytes]:
    """The first rows that are sent at once: one, or as many as a pipe surely takes."""
    rows: list[bytes] = []
    size = 0
    for row in islice(waiting, most):
        size += len(row) if isinstance(row, bytes) else 0
        if not isinstance(row, bytes) or (rows and size > _LARGEST_BATCH):
            break
        rows.append(row)
    return rows


def missing_isolation() -> tuple[str, ...]:
    """What this system lacks to keep a python grader in; empty if it has all. Starts a worker and ends it."""
    process = _start(Isolation.REQUIRED, Limits())
    process.stop()
    return () if process.missing is None else (process.missing,)


def _start(isolation: Isolation, limits: Limits) -> WorkerProcess:
    from rftplan.grading.sandbox.setting import Setting
    from rftplan.grading.surroundings import readable
    from rftplan.grading.worker_process import WorkerProcess

    setting = Setting(readable(), limits.memory, limits.disk, limits.processes)
    return WorkerProcess(setting, confined=isolation is Isolation.REQUIRED)


def _refusal(missing: str) -> str:
    return f"Python graders are not run here: this system does not give {missing}, so nothing would keep them in."
