"""Starting costs little: nothing heavy is imported before it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


@pytest.mark.parametrize(
    "words", [["version"], ["--help"], ["plan", "--help"], ["explain", "--help"], ["init", "/dev/null/x"]]
)
def test_nothing_heavy_is_imported(words: list[str]) -> None:
    done = run(*words)
    heavy = done.stderr.splitlines()[-1]
    # `init` has an argument, for which the parser itself imports pydantic.
    assert heavy == ("heavy: pydantic" if words[0] == "init" else "heavy:")


def test_check_imports_nothing_that_asks_or_acts(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "a.yaml").write_text("files: {}\n")
    script = SCRIPT.replace(repr(HEAVY), repr(("asyncio", "rftplan.project", "rftplan.execution", "openai", "httpx2")))
    line = [sys.executable, "-c", script, "-C", str(tmp_path), "check"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Specs are") and done.stderr.splitlines()[-1] == "heavy:"


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
