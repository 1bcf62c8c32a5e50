"""SIMULATED: each command that tells of a simulated job, or of what came of it, says so, but for those named here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rftplan.cli.app import COMMANDS
from rftplan.cli.boundary import main
from tests.world import Small

JOB, DEPLOYMENT, SAVED = "job.review", "deployment.reviewer", "p.json"
TELL: dict[str, tuple[tuple[str, ...], ...]] = {
    "plan": (("plan",),),
    "show": (("show", SAVED),),
    "status": (("status",),),
    "output": (("output",), ("output", "reviewer")),
    "apply": (("apply", "--yes"),),
    "destroy": (("destroy", "--yes", "--allow", "delete,replace-live"),),
    "watch": (("watch", JOB),),
    "events": (("events", JOB),),
    "metrics": (("metrics", JOB),),
    "checkpoints": (("checkpoints", JOB),),
    "samples": (("samples", JOB, "--step", "STEP"),),
    "pause": (("pause", JOB),),
    "resume": (("resume", JOB),),
    "cancel": (("cancel", JOB, "--yes"),),
    "state": (("state", "list"), ("state", "show", JOB), ("state", "show", DEPLOYMENT)),
    "doctor": (("doctor",),),
    "import": (("import", JOB, "JOB-ID"), ("import", "deployment.reviewer", "MODEL-ID")),
    "accept": (("accept", JOB, "--reason", "as good"),),
}
TELL_OF_NO_JOB = {
    "init": "writes a project",
    "version": "of rftplan alone",
    "explain": "of codes alone",
    "check": "of specs and rows alone",
    "grade": "of a grader, on answers that it says where they are from",
    "test": "of a grader, on answers that the specs write",
    "hold": "of a hold alone",
    "release": "of a hold alone",
    "unlock": "of a process alone",
    "serve": "its greeting says it: tests/cli/test_service.py",
}
UNMARKED = {"recover"}
"""It tells of a job, and does not say it: what it records says it in `state` and `plan`."""
LINES = [words for lines in TELL.values() for words in lines]


@pytest.fixture(scope="module", autouse=True)
def fast() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RFTPLAN_LOCAL_SPEED", "100000")
        yield


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = Small.at(tmp_path_factory.mktemp("applied"))
    assert main(["-C", str(small.root), "apply", "--yes", "--wait"]) == 0
    assert main(["-C", str(small.root), "plan", "--out", str(small.root / SAVED)]) == 0
    return small.root


@pytest.fixture
def root(applied: Path, tmp_path: Path) -> Path:
    """A copy, for commands that act."""
    return Path(shutil.copytree(applied, tmp_path / "project"))


def marked(value: Any) -> bool:
    """Whether a document says it anywhere: in its field, or in the service's own of a job."""
    match value:
        case dict():
            said = value.get("simulated") is True or isinstance(value.get("simulation"), dict)
            return said or any(marked(item) for item in value.values())
        case list():
            return any(marked(item) for item in value)
        case _:
            return isinstance(value, str) and "SIMULATED" in value


def test_every_command_is_looked_at() -> None:
    assert {name for names in COMMANDS.values() for name in names} == TELL.keys() | TELL_OF_NO_JOB.keys() | UNMARKED


def said_in(root: Path, words: tuple[str, ...]) -> list[str]:
    """The words with the ids that the lock knows; what is accepted was edited before."""
    known = json.loads((root / "rftplan.lock").read_text())["resources"]
    ids = {"JOB-ID": known[JOB]["id"], "MODEL-ID": known["deployment.reviewer"]["id"]}
    ids["STEP"] = str(known[JOB]["resolved"]["step"])
    if words[0] == "accept":
        spec = root / "specs" / "main.yaml"
        spec.write_text(spec.read_text().replace("n_epochs: 2", "n_epochs: 3"))
    return ["-C", str(root), *(ids.get(word, word) for word in words)]


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_each_text_that_tells_of_a_simulated_job_says_so(
    words: tuple[str, ...], root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    main(said_in(root, words))
    out = capsys.readouterr().out
    assert "SIMULATED" in out, out


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_each_document_that_tells_of_a_simulated_job_says_so(
    words: tuple[str, ...], root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    main([*said_in(root, words), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert marked(found), found


@pytest.mark.parametrize("words", [("status",), ("state", "list")], ids=" ".join)
def test_each_line_of_a_job_and_of_a_live_model_says_so(
    words: tuple[str, ...], root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    main(["-C", str(root), *words])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith((JOB, DEPLOYMENT))]
    assert len(lines) == 2 and all("SIMULATED" in line for line in lines), lines


def test_the_bare_id_stays_bare_and_the_mark_is_on_the_other_stream(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-C", str(root), "output", "reviewer", "--raw"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("ft:") and out.count("\n") == 1 and "SIMULATED" not in out
    assert err == "SIMULATED: nothing was trained for this model\n"


def test_a_model_outlives_the_job_that_the_lock_knew_and_is_simulated_still(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = root / "rftplan.lock"
    document = json.loads(lock.read_text())
    del document["resources"][JOB]
    lock.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    shutil.rmtree(root / ".rftplan" / "default")
    assert main(["-C", str(root), "output", "--json"]) == 0
    assert marked(json.loads(capsys.readouterr().out))
