"""The worked example, as a user runs it, killed by SIGKILL when a given line appears, and run again."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.docs.blocks import clone, environment, run
from tests.world import Small

LINES = ["upload done", "launch …", "launch done", "step "]


def kill_at(folder: Path, marker: str) -> None:
    """Start the main job and kill it as soon as it says `marker`."""
    apply = subprocess.Popen(
        ["bash", "-c", "exec rftplan apply --yes --wait"],
        cwd=folder,
        env={**environment(folder), "RFTPLAN_LOCAL_SPEED": "4"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert apply.stderr is not None
    for line in apply.stderr:
        if marker in line:
            apply.kill()
            break
    apply.stderr.close()
    assert apply.wait() == -signal.SIGKILL, f"it never said {marker}"


@pytest.mark.parametrize("marker", LINES)
def test_the_demo_killed_and_run_again_ends_in_the_same_state(tmp_path: Path, marker: str) -> None:
    clone(tmp_path)
    kill_at(tmp_path, marker)
    again = run("rftplan apply --yes --wait", tmp_path)
    assert again.returncode == 0, again.stderr
    assert run("rftplan plan --detailed-exitcode", tmp_path).returncode == 0
    small = Small(tmp_path)
    small.clock.time = time.time()
    assert [job.status for job in small.jobs()] == ["succeeded"]
    assert len(small.files()) == 2
    promoted = json.loads(run("rftplan output --json", tmp_path).stdout)
    assert promoted["security-reviewer"]["revision"] == 1
