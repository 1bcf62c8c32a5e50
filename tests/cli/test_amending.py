"""`hold`, `release`, `recover`, `unlock`, `state mv|rm` on the command line: what they take, ask and print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rftplan.cli.boundary import main
from rftplan.file_lock import acting_alone
from rftplan.promoted import state_paths
from tests.world import Small

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def launched(small: Small) -> Path:
    assert main(["-C", str(small.root), "apply", "--yes"]) == 0
    return small.root


def test_a_hold_needs_a_reason(launched: Path, capsys: Capture) -> None:
    assert main(["-C", str(launched), "hold", "job.review", "--reason", " "]) == 64
    assert "a hold needs a reason" in capsys.readouterr().err
    assert main(["-C", str(launched), "hold", "job.review"]) == 64
    assert "Missing option '--reason'" in capsys.readouterr().err
    main(["hold", "--help"])
    assert "[required]" in capsys.readouterr().out


def test_a_hold_is_no_failure_of_an_apply_and_release_says_what_it_lifted(launched: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["-C", str(launched), "hold", "file.train", "--reason", "legal has to look"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("file.train is held: no plan and no apply does anything about it.\n  operator: legal has")
    assert main(["-C", str(launched), "apply", "--yes"]) == 0
    capsys.readouterr()
    assert main(["-C", str(launched), "release", "file.train", "--json"]) == 0
    (lifted,) = json.loads(capsys.readouterr().out)["lifted"]
    assert lifted == {"code": "operator", "reason": "legal has to look", "operator": True}


def test_state_mv_says_what_to_write(launched: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["-C", str(launched), "state", "mv", "job.review", "job.other"]) == 0
    out = capsys.readouterr().out
    assert "In the specs, rename review to other under jobs:, and wherever it is named." in out
    assert "moved: [{from: job.review, to: job.other}]" in out
    assert main(["-C", str(launched), "state", "mv", "job.other", "file.other"]) == 1


def test_state_rm_asks_and_an_active_job_takes_more_than_a_yes(launched: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["-C", str(launched), "state", "rm", "job.review"]) == 64
    assert main(["-C", str(launched), "state", "rm", "job.review", "--yes", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["code"] == "refused-plan" and "--leave-running" in err
    assert main(["-C", str(launched), "state", "rm", "job.review", "--yes", "--leave-running"]) == 0
    assert "trains on; nobody here pauses, ends or promotes it any more." in capsys.readouterr().out


def test_recover_with_nothing_open_says_so(launched: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["-C", str(launched), "recover"]) == 0
    assert capsys.readouterr().out == "Nothing was left open.\n"


def test_unlock_says_who_acts_and_breaks_nothing(launched: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["-C", str(launched), "unlock"]) == 0
    assert "Nobody holds the lock" in capsys.readouterr().out
    with acting_alone(state_paths(launched), "apply"):
        assert main(["-C", str(launched), "unlock", "--json"]) == 1
        document = json.loads(capsys.readouterr().out)
        assert (document["held"], document["here"], document["holder"]["command"]) == (True, True, "apply")
        named = f"{document['holder']['host']}/{document['holder']['process']}"
        assert main(["-C", str(launched), "unlock", "--dead", named]) == 1
        assert "is alive" in capsys.readouterr().err
        assert main(["-C", str(launched), "hold", "job.review", "--reason", "x"]) == 1
        assert "another rftplan is acting in" in capsys.readouterr().err


@pytest.mark.parametrize("written", ["soon", "-5", "5d", "1e9", ""])
def test_a_time_that_is_none_is_wrong_usage(launched: Path, written: str, capsys: Capture) -> None:
    assert main(["-C", str(launched), "apply", "--yes", f"--lock-timeout={written}"]) == 64
    assert "write 90s, 5m or 1h" in capsys.readouterr().err
