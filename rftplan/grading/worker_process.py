"""The host's end of the sandbox's worker: its process, and which sources it has read. Decides nothing about graders."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from rftplan.grading.result import Flag
from rftplan.grading.runners import PythonFailure
from rftplan.grading.sandbox.frames import BrokenFrameError, Frames
from rftplan.grading.sandbox.setting import SCRATCH, Setting
from rftplan.grading.surroundings import interpreter, module_path

_BOOT: Final = Path(__file__).parent / "sandbox" / "boot.py"
_LARGEST_REPLY: Final = 1 << 20
_MOST_SOURCES: Final = 100
_GRACE: Final = 10.0
"""Seconds that the worker has beyond a row's own: it keeps time itself, this is for a worker that is lost."""

_ENVIRONMENT: Final = {
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    # Numeric libraries would start a thread for each core, and processes of rows are copies of one with one thread.
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
}


class _Source(Struct, frozen=True):
    """A source that the worker has read: its name there, whether rows may share a process, why it cannot be run."""

    name: str
    plain: bool
    failure: PythonFailure | None


class WorkerProcess:
    """Starts with its first breath. `missing` says what keeps it from working here; then it is only to be stopped."""

    missing: str | None

    def __init__(self, setting: Setting, *, confined: bool) -> None:
        self._read: dict[str, _Source] = {}
        self._scratch = None if confined else tempfile.TemporaryDirectory(prefix="grader-")
        home = SCRATCH if self._scratch is None else self._scratch.name
        self._process = subprocess.Popen(
            [interpreter(), "-s", "-P", "-S", str(_BOOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT | {"HOME": home, "TMPDIR": home, "PYTHONPATH": ":".join(module_path())},
            cwd="/",
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._frames = Frames(self._process.stdout.fileno(), self._process.stdin.fileno(), _LARGEST_REPLY)
        try:
            self.missing = self._introduce(setting)
        except ConnectionError:
            self.missing = "a worker that starts (its process ended)"

    def _introduce(self, setting: Setting) -> str | None:
        told = asdict(setting) | {
            "path": module_path(with_library=True),
            "executable": interpreter(),
            "scratch": self._scratch and self._scratch.name,
        }
        missing = self._ask(json.dumps(told).encode(), seconds=0.0)["missing"]
        return None if missing is None else str(missing)

    def is_worn_out(self) -> bool:
        """It is gone, or has read so many sources that a new one is better than a full one."""
        return len(self._read) >= _MOST_SOURCES or self._process.poll() is not None

    def scores(self, source: str, rows: Sequence[bytes], seconds: float) -> list[float | PythonFailure]:
        """Of the first of these rows, at least of one; all of them must go into one pipe. `seconds` is a row's time.

        Raises ConnectionError if the worker is lost.
        """
        read = self._read.get(source) or self._take(source, seconds)
        if read.failure is not None:
            return [read.failure] * len(rows)
        sent = rows if read.plain else rows[:1]
        order = {"do": "grade", "source": read.name, "seconds": seconds, "rows": [len(row) for row in sent]}
        answers = self._order(order, *sent, seconds=seconds * len(sent))
        return [_failure(answer) or float(answer["score"]) for answer in answers]

    def _take(self, source: str, seconds: float) -> _Source:
        name = str(len(self._read))
        order = {"do": "read", "source": name, "seconds": seconds}
        answer = self._order(order, source.encode("utf-8", "surrogatepass"), seconds=seconds)
        read = self._read[source] = _Source(name, answer.get("plain") is True, _failure(answer))
        return read

    def _order(self, order: Mapping[str, Any], *rest: bytes, seconds: float) -> Any:
        return self._ask(json.dumps(order).encode() + b"\n", *rest, seconds=seconds)

    def _ask(self, *parts: bytes, seconds: float) -> Any:
        try:
            self._frames.send(*parts)
            answer = self._frames.receive_by(time.monotonic() + seconds + _GRACE)
        except (BrokenPipeError, BrokenFrameError, TimeoutError) as error:
            raise ConnectionError from error
        if answer is None:
            raise ConnectionError
        return json.loads(answer)

    def stop(self) -> None:
        """Kill it: all that it started goes with it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        if self._scratch is not None:
            self._scratch.cleanup()


def _failure(answer: Mapping[str, Any]) -> PythonFailure | None:
    fault = answer.get("fault")
    if fault is None:
        return None
    if fault == "runtime":
        return PythonFailure(Flag.PYTHON_RUNTIME, str(answer["details"]))
    return PythonFailure(Flag.PYTHON_SERVER, f"{fault}: {answer['details']}")
