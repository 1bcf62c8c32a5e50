"""A real service on a port, and real `rftplan apply` processes against it, to be killed or stopped. Tests nothing.

The processes are children of a fork server that has imported everything: what passes from their first moment on is an
apply, not an interpreter that starts.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.scenarios.dying import FORKS
from tests.scenarios.promised import KEY
from tests.world import SPEC, Clock, Small


@contextmanager
def served(root: Path, *, speed: float, fault: str = "") -> Iterator[str]:
    """`rftplan serve` in a process of its own; its base URL. `fault` is what it plays, as a line of `--fault`."""
    words = [sys.executable, "-m", "rftplan", "-C", str(root), "serve", "--port", "0", "--key", KEY]
    command = [*words, "--speed", str(speed), *(["--fault", fault] if fault else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as serving:
        assert serving.stdout is not None
        try:
            yield next(serving.stdout).split()[-1]
        finally:
            serving.kill()  # what it plays may take its time
            serving.communicate()


def project_at(root: Path, url: str, name: str) -> Small:
    """A project of its own at the service: nothing of another is in its slots."""
    spec = SPEC.replace("name: demo", f"name: {name}").replace("local}", f"{{type: local, base_url: '{url}'}}}}")
    return Small.at(root, spec, clock=Clock(time.time()), environ={"RFTPLAN_LOCAL_KEY": KEY})


@dataclass(frozen=True)
class Ended:
    """How an apply ended: as `Process.exitcode` has it, after how many seconds, and what it wrote."""

    code: int | None
    seconds: float
    out: str
    err: str


class Applying:
    """`rftplan apply --yes --wait` in a process, begun when this is made."""

    def __init__(self, root: Path, words: Sequence[str] = ("apply", "--yes", "--wait")) -> None:
        self._streams = root.with_name(f"{root.name}.out"), root.with_name(f"{root.name}.err")
        begun: Any = FORKS.Event()
        self.process = FORKS.Process(target=_run, args=(["-C", str(root), *words], *self._streams, begun))
        self.process.start()
        assert begun.wait(60)
        self._since = time.monotonic()

    def signal(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def said(self) -> str:
        """What it has written to stderr until now."""
        return self._streams[1].read_text()

    def ended(self, timeout: float | None = None) -> Ended | None:
        """How it ended; None if it goes on after so many seconds."""
        self.process.join(timeout)
        if self.process.exitcode is None:
            return None
        out, err = (stream.read_text() for stream in self._streams)
        return Ended(self.process.exitcode, time.monotonic() - self._since, out, err)


def _run(words: list[str], out: Path, err: Path, begun: Any) -> None:
    os.environ["RFTPLAN_LOCAL_KEY"] = KEY
    for path, number in ((out, 1), (err, 2)):
        stream = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(stream, number)
        os.close(stream)
    from rftplan.cli.boundary import main

    begun.set()
    code = main(words)
    sys.stdout.flush()
    os._exit(code)
