"""Starting costs little: nothing heavy is imported before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("openai", "deepdiff", "starlette", "pydantic", "yaml", "rich", "uvicorn", "httpx2")
SCRIPT = f"""
import sys
from rftplan.cli import main
code = main(sys.argv[1:])
print("heavy:", *(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)
sys.exit(code)
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [["version"], ["--help"], ["plan", "--help"], ["init", "/dev/null/x"]])
def test_nothing_heavy_is_imported(words: list[str]) -> None:
    done = run(*words)
    heavy = done.stderr.splitlines()[-1]
    # `init` has an argument, for which the parser itself imports pydantic.
    assert heavy == ("heavy: pydantic" if words[0] == "init" else "heavy:")


def test_the_version_is_said() -> None:
    from rftplan import __version__

    done = run("version")
    assert (done.returncode, done.stdout) == (0, f"rftplan {__version__}\n")


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "rftplan"], capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert done.stderr.startswith("Usage: rftplan")


def test_a_reader_that_leaves_early_causes_no_noise() -> None:
    line = f"{sys.executable} -m rftplan --help | true"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.stderr == ""
