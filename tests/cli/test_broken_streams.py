"""Streams that are full, closed, unread or ASCII: no traceback, and an exit code that says what was done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rftplan.cli.boundary import main

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a shell that closes streams")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    assert main(["-C", str(root), "init"]) == 0
    return root


def shell(root: Path, line: str, **environ: str) -> tuple[int, str, str]:
    """A shell line with `rftplan` in it: exit code, stdout, stderr."""
    line = line.replace("rftplan", f"{sys.executable} -m rftplan")
    told = {**os.environ, "RFTPLAN_LOCAL_SPEED": "100000", "PYTHONPATH": str(Path(__file__).parents[2]), **environ}
    done = subprocess.run(["bash", "-c", line], cwd=root, env=told, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", ["version", "--help", "check", "plan --json", "status"])
def test_a_full_disk_is_said_and_exits_1(project: Path, words: str) -> None:
    code, _, err = shell(project, f"rftplan {words} > /dev/full")
    assert (code, err) == (1, "error: the output cannot be written: No space left on device\n")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("rftplan plan --detailed-exitcode >&-", 2),
        ("rftplan plan --detailed-exitcode 2>&-", 2),
        ("rftplan check <&- >&- 2>&-", 0),
        ("rftplan apply <&-", 64),
        ("rftplan plann 2>&-", 64),
        ("rftplan plann 2>/dev/full", 64),
    ],
)
def test_a_closed_stream_changes_nothing_but_that_nobody_is_told(project: Path, line: str, code: int) -> None:
    done, _, err = shell(project, line)
    assert done == code
    assert "Traceback" not in err


def test_an_apply_whose_plan_nobody_reads_does_nothing(project: Path) -> None:
    code, out, err = shell(project, "rftplan apply --yes | true; exit ${PIPESTATUS[0]}")
    assert (code, out) == (1, "")
    assert "Traceback" not in err
    assert not (project / "rftplan.lock").exists()


def test_a_reader_that_leaves_is_no_bug(project: Path) -> None:
    code, out, err = shell(project, "rftplan plan | head -1; exit ${PIPESTATUS[0]}")
    assert code in (0, 1) and out.count("\n") == 1 and err == ""


@pytest.mark.parametrize(
    "environ", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}]
)
def test_in_ascii_the_signs_become_something_like_them(project: Path, environ: dict[str, str]) -> None:
    code, out, _ = shell(project, "rftplan plan", **environ)
    assert code == 0 and out.isascii()
    assert "  . deployment.triage" in out


def test_without_colours_no_sequence_is_written(project: Path) -> None:
    assert "\x1b" not in shell(project, "rftplan plan", NO_COLOR="1")[1]
