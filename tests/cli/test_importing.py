"""`import` and `accept` on the command line: what they take, what they print, how they end."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from rftplan.cli.boundary import main
from tests.importing.strangers import launched, trained
from tests.world import Small

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def past(small: Small) -> Small:
    """The command line has this machine's clock: what was trained lies behind it."""
    small.clock.time = time.time() - 10_000
    return small


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "say which: rftplan import ADDRESS ID"),
        (["job.review"], "say which: rftplan import ADDRESS ID"),
        (["job.review", "ftjob-1", "--all"], "--all and --out need --generate"),
        (["--generate"], "--generate takes IDs, or --all"),
        (["--generate", "ftjob-1", "--all"], "--generate takes IDs, or --all"),
        (["--generate", "--all", "--data", "a=b"], "--data is for an import"),
        (["job.review", "ftjob-1", "--data", "train"], "--data takes NAME=PATH"),
    ],
)
def test_wrong_usage_says_what_is_right(small: Small, words: list[str], said: str, capsys: Capture) -> None:
    assert main(["-C", str(small.root), "import", *words]) == 64
    assert said in capsys.readouterr().err


def test_an_import_says_what_it_knows_and_how(past: Small, capsys: Capture) -> None:
    small = past
    job = trained(small, launched(small))
    assert main(["-C", str(small.root), "import", "job.review", job.id]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"job.review ({job.id}, SIMULATED): imported, succeeded at the service\n")
    assert f"  training ({job.training_file} is file.train): verified, downloaded and compared\n" in out
    assert f"rftplan -C {small.root} import file.train {job.training_file}" in " ".join(out.split())


def test_a_refusal_names_each_difference_and_is_an_exit_code(small: Small, capsys: Capture) -> None:
    job = launched(small)
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 5")
    assert main(["-C", str(small.root), "import", "job.review", job.id]) == 1
    out = capsys.readouterr().out
    assert f"job.review ({job.id}, SIMULATED): not imported: the spec says something else\n" in out
    assert "  method.reinforcement.hyperparameters.n_epochs: 5 → 2\n" in out
    assert main(["-C", str(small.root), "import", "job.review", job.id, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["outcome"] == "refused"


def test_what_is_not_declared_gets_its_yaml_to_write(small: Small, capsys: Capture) -> None:
    job = launched(small)
    assert main(["-C", str(small.root), "import", "job.their-own", job.id]) == 1
    printed = capsys.readouterr()
    assert "jobs:\n  their-own:\n    model: o4-mini-2025-04-16\n" in printed.out
    assert "error: job.their-own is not declared\n" in printed.err
    assert main(["-C", str(small.root), "import", "job.their-own", job.id, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "undeclared"


def test_specs_go_to_a_new_file_with_the_commands_that_import_them(
    small: Small, tmp_path: Path, capsys: Capture
) -> None:
    job = launched(small)
    out = small.root / "specs" / "theirs.yaml"
    assert main(["-C", str(small.root), "import", "--generate", job.id, "--out", str(out)]) == 0
    assert capsys.readouterr().out == ""
    text = out.read_text()
    assert f"#   rftplan -C {small.root} import job.job-{job.id[-8:].lower()} {job.id}\n" in text
    assert "{path: data/train.jsonl}" in text
    assert main(["-C", str(small.root), "check"]) == 0
    assert main(["-C", str(small.root), "import", "--generate", job.id, "--out", str(out)]) == 1
    assert "exists already, and is left as it is" in capsys.readouterr().err
    assert out.read_text() == text


def test_what_is_left_out_is_said_beside_the_specs(small: Small, capsys: Capture) -> None:
    small.train()
    assert main(["-C", str(small.root), "import", "--generate", "--all"]) == 0
    printed = capsys.readouterr()
    assert all(line.startswith("#") for line in printed.out.splitlines())
    assert printed.err.count(" in the lock already") == len(small.jobs()) + len(small.files())


def test_an_acceptance_needs_a_reason_and_says_what_stands(past: Small, capsys: Capture) -> None:
    small = past
    small.train()
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    assert main(["-C", str(small.root), "accept", "job.review"]) == 64
    assert main(["-C", str(small.root), "accept", "job.review", "--reason", "  "]) == 64
    capsys.readouterr()
    assert main(["-C", str(small.root), "accept", "job.review", "--reason", "as\x1b[31m good"]) == 0
    out = capsys.readouterr().out
    assert "accepted: as\\x1b[31m good\n" in out and "n_epochs: 2 → 3\n" in out
    assert main(["-C", str(small.root), "plan"]) == 0
    assert "accepted: as\\x1b[31m good" in capsys.readouterr().out
    assert main(["-C", str(small.root), "accept", "job.review", "--reason", "as\x1b[31m good"]) == 0
    assert "is accepted already" in capsys.readouterr().out
    assert main(["-C", str(small.root), "accept", "job.review", "--reason", "better"]) == 0
    assert "the reason before was" in capsys.readouterr().out


def test_what_cannot_be_imported_at_all_is_not_shown_how_to_be(small: Small, capsys: Capture) -> None:
    main(["-C", str(small.root), "apply", "--yes"])
    (job,) = small.jobs()
    capsys.readouterr()
    assert main(["-C", str(small.root), "import", "job.nope", job.id]) == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"error: {job.id} cannot be imported: job.review in the lock already\n")
