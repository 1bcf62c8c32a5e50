"""`pause`, `resume` and `cancel` on the command line: what they take, what they ask, how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rftplan.cli.boundary import main
from tests.world import Small

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def launched(small: Small) -> Path:
    assert main(["-C", str(small.root), "apply", "--yes"]) == 0
    return small.root


@pytest.mark.parametrize("words", [[], ["job.review", "--all"], ["--id", "ftjob-1", "--all"]])
@pytest.mark.parametrize("command", ["pause", "resume", "cancel"])
def test_exactly_one_of_address_id_and_all_says_which_job(words: list[str], command: str, capsys: Capture) -> None:
    assert main([command, *words]) == 64
    assert "say which job: its ADDRESS, --id ID, or --all of this project" in capsys.readouterr().err


def test_only_jobs_are_meant(launched: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["-C", str(launched), "pause", "file.train"]) == 64
    assert capsys.readouterr().err.startswith("error: file.train is not a job\n")


def test_without_a_terminal_a_cancel_needs_a_yes(launched: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["-C", str(launched), "cancel", "--all"]) == 64
    assert "a cancelled job cannot be resumed" in capsys.readouterr().err
    assert main(["-C", str(launched), "cancel", "--all", "--yes", "--reason", "wrong data", "--json"]) == 0
    (job,) = json.loads(capsys.readouterr().out)["jobs"]
    assert (job["address"], job["after"], job["held"]) == ("job.review", "cancelled", True)
    assert main(["-C", str(launched), "plan"]) == 0
    assert "cancelled: wrong data" in capsys.readouterr().out


def test_what_the_service_refuses_is_an_exit_code(launched: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["-C", str(launched), "pause", "job.review"]) == 1
    out = capsys.readouterr().out
    assert (
        out.startswith("job.review (ftjob-") and "): pause failed: " in out and "\n  hint: a job can be paused" in out
    )
