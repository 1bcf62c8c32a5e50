"""What one local service is made of: store, key, clock, trainer, judge, runner. Knows nothing of requests."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from rftplan.server.clock import ClockMode
from rftplan.server.faults import Fault
from rftplan.server.trainer import Trainer

if TYPE_CHECKING:
    from rftplan.grading import Grader, Judge, PythonRunner

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
IN_PROCESS_HOST = "local"
LARGEST_FILE = 512 * 2**20
LARGEST_PART = 64 * 2**20
LARGEST_UPLOAD = 8 * 2**30

_ALPHABET = string.ascii_letters + string.digits
_LENGTHS = {"file-": 22, "grader-": 12, "req_": 32}
_USUAL_LENGTH = 24


def random_id(prefix: str) -> str:
    """An id as the vendor forms it: the prefix and as many letters and digits as it uses there."""
    length = _LENGTHS.get(prefix, _USUAL_LENGTH)
    # One number for all places, as likely as any other: asking the system for each costs more than the request.
    number, places = secrets.randbelow(len(_ALPHABET) ** length), []
    for _ in range(length):
        number, place = divmod(number, len(_ALPHABET))
        places.append(_ALPHABET[place])
    return prefix + "".join(places)


@dataclass(frozen=True, slots=True)
class Settings:
    """`key` is the bearer key every route asks for; it is never stored nor logged.

    `now` is in seconds since the epoch; a clock by hand begins there. `sleep` is how faults take time, `faults` those
    it starts with. `speed` divides every duration of a job's life. `hosts` are the names the Host header may carry,
    without port. `largest_file` (in one request), `largest_part` and `largest_upload` (all parts together) are in
    bytes. Without a `judge` the stand-in judges; without a `runner` jobs with `python` graders fail. It is asked for
    by requests that need it: most only read.
    """

    store: Path
    key: str = field(repr=False)
    trainer: Trainer
    judge: Judge | None
    runner: Callable[[], PythonRunner] | None = None
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    clock: ClockMode = ClockMode.RUNNING
    faults: Sequence[Fault] = ()
    speed: float = 1.0
    new_id: Callable[[str], str] = random_id
    hosts: frozenset[str] = LOOPBACK_HOSTS | {IN_PROCESS_HOST}
    largest_file: int = LARGEST_FILE
    largest_part: int = LARGEST_PART
    largest_upload: int = LARGEST_UPLOAD

    def __post_init__(self) -> None:
        if not self.key:
            raise ValueError("the local service needs a key")
        if not 0 < self.speed < float("inf"):
            raise ValueError(f"speed must be above zero, not {self.speed}")

    def sitting_judge(self) -> Judge:
        """Who scores now. Graders are imported here, by requests that need them: most only read."""
        from rftplan.grading import StandInJudge

        return self.judge or StandInJudge()

    def read_grader(self, body: Mapping[str, Any], *, param: str = "grader") -> Grader:
        """With whoever runs python graders here; GraderError for the first thing that is wrong. Runs nothing."""
        from rftplan.grading import parse_grader

        return parse_grader(body, param=param, runner=self.runner() if self.runner else None)


def default_settings(
    store: Path,
    key: str,
    *,
    judge: Judge | None = None,
    runner: Callable[[], PythonRunner] | None = None,
    speed: float = 1.0,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    clock: ClockMode = ClockMode.RUNNING,
    faults: Sequence[Fault] = (),
    hosts: frozenset[str] = LOOPBACK_HOSTS | {IN_PROCESS_HOST},
) -> Settings:
    """The service as users get it: training is simulated; without a judge, the stand-in judges."""
    from rftplan.server.simulate import SimulatingTrainer

    return Settings(
        store=store,
        key=key,
        trainer=SimulatingTrainer(),
        judge=judge,
        runner=runner,
        speed=speed,
        now=now,
        sleep=sleep,
        clock=clock,
        faults=faults,
        hosts=hosts,
    )
