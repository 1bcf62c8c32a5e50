"""Whole processes, timed from start to end, with the memory that each needed. Knows nothing of what they do.

Stays small itself: Linux counts the parent's memory at the moment of the start into the child's peak.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

PROJECT: Final = Path(__file__).resolve().parent.parent
CHILDREN: Final = Path(__file__).resolve().parent
_COMMAND: Final = "import sys; from rftplan.cli import main; sys.exit(main())"
_PEAK_UNIT: Final = 1 if sys.platform == "darwin" else 1024  # bytes, or KiB as on Linux
_TAKEN: Final = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "VIRTUAL_ENV")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ran:
    """A process that ended well. Seconds of wall clock; `peak` is its largest resident size in bytes."""

    seconds: float
    peak: int
    output: str


@dataclass(frozen=True, slots=True)
class Bench:
    """Where processes run, and how often each is measured.

    They see a bare environment: no keys, no settings of this user, and compiled modules in a place of their own,
    so that a first run compiles everything and the measured ones nothing.
    """

    scratch: Path
    runs: int

    def python(self, code: str) -> Ran:
        return self._run([sys.executable, "-c", code], self.scratch)

    def rftplan(self, directory: Path, *words: str) -> Ran:
        """What the installed command does, in that directory."""
        return self._run([sys.executable, "-c", _COMMAND, *words], directory)

    def script(self, name: str, *words: str) -> Ran:
        """A script beside this one."""
        return self._run([sys.executable, str(CHILDREN / name), *words], self.scratch)

    def program(self, directory: Path, *words: str) -> Ran:
        """A program of somebody else's, in that directory."""
        return self._run(words, directory)

    def child(self, name: str, *words: str) -> Any:
        """A script beside this one; what its last line says in JSON."""
        return json.loads(self.script(name, *words).output.splitlines()[-1])

    def alternating(self, arms: Mapping[str, Callable[[], T]], *, warm: bool = True) -> dict[str, list[T]]:
        """Every arm in turn, again and again, so that what else the machine does hits all; `warm`: once before."""
        if warm:
            for arm in arms.values():
                arm()
        taken: dict[str, list[T]] = {name: [] for name in arms}
        for _ in range(self.runs):
            for name, arm in arms.items():
                taken[name].append(arm())
        return taken

    def fresh(self, name: str) -> Path:
        """A new directory."""
        number = sum(1 for path in self.scratch.iterdir() if path.name.startswith(f"{name}-"))
        directory = self.scratch / f"{name}-{number}"
        directory.mkdir()
        return directory

    def _run(self, words: Sequence[str], directory: Path) -> Ran:
        out, err = self.scratch / "stdout", self.scratch / "stderr"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            began = time.perf_counter()
            process = subprocess.Popen(
                words, cwd=directory, env=self._environment(), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said = err.read_text(errors="replace") or out.read_text(errors="replace")
            raise SystemExit(f"{' '.join(words[1:])} ended with {process.returncode}:\n{said}")
        return Ran(seconds, usage.ru_maxrss * _PEAK_UNIT, out.read_text(errors="replace"))

    def _environment(self) -> dict[str, str]:
        home = str(self.scratch / "home")
        return {
            **{name: os.environ[name] for name in _TAKEN if name in os.environ},
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "NO_COLOR": "1",
            "CHECKPOINT_DISABLE": "1",  # Terraform would ask the network for a newer one
            "PYTHONPATH": str(PROJECT),
            "PYTHONPYCACHEPREFIX": str(self.scratch / "compiled"),
        }
