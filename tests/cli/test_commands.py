"""The commands on a project fresh from `init`, with the real service in-process, run fast."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rftplan.cli.boundary import main
from tests.world import Small

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module", autouse=True)
def fast() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RFTPLAN_LOCAL_SPEED", "100000")
        patch.delenv("OPENAI_API_KEY", raising=False)
        yield


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was applied to the end."""
    root = tmp_path_factory.mktemp("applied")
    assert main(["-C", str(root), "init"]) == 0
    assert main(["-C", str(root), "apply", "--yes", "--wait"]) == 0
    return root


@pytest.fixture
def fresh(tmp_path: Path, capsys: Capture) -> Path:
    """A project that was never applied."""
    assert main(["-C", str(tmp_path), "init"]) == 0
    capsys.readouterr()
    return tmp_path


def document(capsys: Capture, *words: str, code: int = 0) -> Any:
    assert main(list(words)) == code
    return json.loads(capsys.readouterr().out)


def test_a_new_project_is_valid_and_its_plan_writes_nothing(fresh: Path, capsys: Capture) -> None:
    assert main(["-C", str(fresh), "check"]) == 0
    assert capsys.readouterr() == (f"Specs are valid.\nNext: rftplan -C {fresh} plan\n", "")
    assert main(["-C", str(fresh), "plan", "--detailed-exitcode"]) == 2
    out, err = capsys.readouterr()
    assert "Plan: 1 launch, 2 upload, 1 validate. 1 waits, 0 held.\n" in out
    assert err == ""
    assert not (fresh / "rftplan.lock").exists()
    assert not (fresh / ".rftplan" / "local").exists()


def test_plans_as_json_are_the_same_bytes_twice(fresh: Path, capsys: Capture) -> None:
    texts = []
    for _ in range(2):
        assert main(["plan", "--json", "-C", str(fresh)]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert json.loads(texts[0])["format"] == "rftplan.plan/1"


def test_after_an_apply_there_is_nothing_to_do(applied: Path, capsys: Capture) -> None:
    assert main(["-C", str(applied), "plan", "--detailed-exitcode"]) == 0
    assert "No changes." in capsys.readouterr().out
    again = document(capsys, "-C", str(applied), "apply", "--yes", "--json")
    assert again["results"] == []
    assert again["outputs"]["triage"]["model"].startswith("ft:")


def test_the_promoted_model_is_told_in_every_form(applied: Path, capsys: Capture) -> None:
    outputs = document(capsys, "-C", str(applied), "output", "--json")
    assert outputs["triage"]["job"] == "job.triage"
    assert main(["output", "triage", "--raw", "-C", str(applied)]) == 0
    assert capsys.readouterr().out == outputs["triage"]["model"] + "\n"
    assert main(["output", "-C", str(applied)]) == 0
    assert outputs["triage"]["model"] in capsys.readouterr().out
    assert main(["output", "nope", "-C", str(applied)]) == 1
    assert "promoted: triage" in capsys.readouterr().err


def test_status_and_state_name_every_resource(applied: Path, capsys: Capture) -> None:
    addresses = {"file.train", "file.validation", "grader.right-team", "job.triage", "deployment.triage"}
    status = document(capsys, "-C", str(applied), "status", "--json")
    assert {resource["address"] for resource in status["resources"]} == addresses
    state = document(capsys, "-C", str(applied), "state", "list", "--json")
    assert state["resources"].keys() == addresses
    entry = document(capsys, "-C", str(applied), "state", "show", "job.triage", "--json")["entry"]
    assert entry["id"].startswith("ftjob-")
    for words in (["status"], ["state", "list"], ["state", "show", "job.triage"]):
        assert main(["-C", str(applied), *words]) == 0
        assert entry["id"] in capsys.readouterr().out
    assert main(["-C", str(applied), "state", "show", "job.other"]) == 1


def test_an_apply_without_waiting_reports_each_step_and_what_waits(
    fresh: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RFTPLAN_LOCAL_SPEED", "1")
    assert main(["-C", str(fresh), "apply", "--yes"]) == 0
    out, err = capsys.readouterr()
    assert "Apply: 4 done, 1 waits." in out
    assert "Still training: job.triage. It goes on without this command; to pause it, write run: paused" in out
    assert out.endswith(f"Follow it to the end with: rftplan -C {fresh} apply --wait\n")
    assert "✓ job.triage  launch done  ftjob-" in err


def test_a_gate_that_fails_is_exit_1_with_the_figures(fresh: Path, capsys: Capture) -> None:
    spec = fresh / "specs" / "main.yaml"
    spec.write_text(spec.read_text().replace("at_least: 0.7", "at_least: 1.5"))
    assert main(["-C", str(fresh), "apply", "--yes", "--wait"]) == 1
    out = capsys.readouterr().out
    assert "needs ≥ 1.5  failed  checkpoint step" in out
    assert "SIMULATED" in out


def test_hazards_are_refused_by_name_and_allowed_by_option(applied: Path, capsys: Capture, tmp_path: Path) -> None:
    import shutil

    root = tmp_path / "copy"
    shutil.copytree(applied, root)
    rows = root / "specs" / "data" / "train.jsonl"
    rows.write_text(rows.read_text().replace("charged twice", "charged three times"))
    (root / "specs" / "policy.yaml").write_text("policy: {allow_selection_only: true}\n")
    assert main(["-C", str(root), "apply", "--yes", "--wait"]) == 1
    out, err = capsys.readouterr()
    assert "Needs your leave\n  replace-live  deployment.triage  with --wait\n" in out
    assert "add --allow replace-live" in err
    done = document(capsys, "-C", str(root), "apply", "--yes", "--wait", "--allow", "replace-live", "--json")
    assert done["outputs"]["triage"]["revision"] == 2


def test_destroy_forgets_and_leaves_models_alone(fresh: Path, capsys: Capture) -> None:
    assert main(["-C", str(fresh), "apply", "--yes", "--wait"]) == 0
    capsys.readouterr()
    done = document(capsys, "-C", str(fresh), "destroy", "--yes", "--allow", "delete", "--json")
    assert {result["outcome"] for result in done["results"]} == {"done"}
    assert document(capsys, "-C", str(fresh), "state", "list", "--json")["resources"] == {}


def test_findings_come_all_at_once_with_places_and_exit_1(fresh: Path, capsys: Capture) -> None:
    spec = fresh / "specs" / "main.yaml"
    spec.write_text(spec.read_text().replace("checkpoint: best", "checkpont: best").replace("run:", "runn:"))
    spec.write_text(spec.read_text().replace("training_file: train", "training_file: trian"))
    checked = document(capsys, "-C", str(fresh), "check", "--json", code=1)
    assert not checked["ok"]
    assert all(f["path"] == "specs/main.yaml" and f["line"] and f["hint"] for f in checked["diagnostics"])
    for command in (["plan"], ["apply", "--yes"], ["status"]):
        assert main(["-C", str(fresh), *command]) == 1
        out, err = capsys.readouterr()
        assert out == "" and err.count("error[") == len(checked["diagnostics"]) == 2
    assert not (fresh / "rftplan.lock").exists()


def test_releasing_what_nothing_holds_is_an_error(applied: Path, capsys: Capture) -> None:
    assert main(["-C", str(applied), "release", "job.triage"]) == 1
    assert capsys.readouterr().err.startswith("error: nothing holds job.triage: as the specs say: ftjob-")
    assert document(capsys, "-C", str(applied), "release", "job.triage", "--json", code=1)["hint"]


def test_a_provider_without_a_key_is_one_clear_error(fresh: Path, capsys: Capture) -> None:
    spec = fresh / "specs" / "main.yaml"
    elsewhere = "provider: {type: openai, base_url: 'http://127.0.0.1:9/v1'}"
    spec.write_text(spec.read_text().replace("provider: local", elsewhere))
    assert main(["-C", str(fresh), "plan"]) == 1
    assert "OPENAI_API_KEY is not set" in capsys.readouterr().err


def test_a_name_where_an_address_is_wanted_gets_the_address(fresh: Path, capsys: Capture) -> None:
    assert main(["-C", str(fresh), "plan", "--replace", "triage"]) == 64
    assert "hint: did you mean job.triage?" in capsys.readouterr().err
    assert main(["-C", str(fresh), "plan", "--replace", "job.tirage"]) == 1
    assert "hint: did you mean job.triage?" in capsys.readouterr().err


def test_raw_without_a_name_lists_the_names(applied: Path, capsys: Capture) -> None:
    assert main(["-C", str(applied), "output", "--raw"]) == 64
    assert capsys.readouterr().err == ("error: --raw needs the name of one deployment\n  hint: promoted: triage\n")


@pytest.mark.parametrize("words", [("plan",), ("output",), ("state", "list")])
def test_a_directory_that_is_not_there_is_not_an_empty_project(words: tuple[str, ...], capsys: Capture) -> None:
    assert main(["-C", "/nonexist", *words]) == 1
    err = "error: /nonexist does not exist\n  hint: check its spelling; -C (in Python: directory=) names the root\n"
    assert capsys.readouterr() == ("", err)


def test_without_a_lock_neither_output_nor_state_speaks_of_an_empty_one(fresh: Path, capsys: Capture) -> None:
    assert main(["-C", str(fresh), "output"]) == 1
    assert f"there is no rftplan.lock in {fresh}" in capsys.readouterr().err
    assert main(["-C", str(fresh), "state", "list"]) == 0
    assert capsys.readouterr().out == f"There is no lock. Next: rftplan -C {fresh} plan\n"


def test_a_grader_is_tried_and_a_bad_one_is_an_exit_code(fresh: Path, capsys: Capture) -> None:
    assert main(["-C", str(fresh), "grade", "--limit", "5"]) == 0
    out, err = capsys.readouterr()
    assert "answers made from 5 of" in out and "Verdict: separates." in out
    assert err == ""
    samples = fresh / "samples.jsonl"
    samples.write_text('{"sample": "x", "item": {}}\n')
    failed = document(capsys, "-C", str(fresh), "grade", "--samples", str(samples), "--json", code=1)
    assert (failed["verdict"], failed["why"], failed["samples"][0]["line"]) == ("does-not-separate", "fails", 1)
    samples.write_text('{"sample": "x"}\n')
    refused = document(capsys, "-C", str(fresh), "grade", "--samples", str(samples), "--json", code=1)
    assert (refused["code"], refused["diagnostics"][0]["code"]) == ("samples", "D301")
    assert main(["-C", str(fresh), "grade", "--train", "--samples", str(samples)]) == 64


def test_check_runs_python_only_where_it_is_asked_to(small: Small, capsys: Capture) -> None:
    source = "def grade(sample, item):\n  return len(sample['choices'][0]['nothing']) + 0.5"
    text = (small.root / "specs/main.yaml").read_text()
    before, after = text[: text.index("    type: string_check")], text[text.index("jobs:") :]
    small.write("specs/main.yaml", f"{before}    type: python\n    source: {json.dumps(source)}\n{after}")
    at = ["-C", str(small.root)]
    assert main([*at, "check"]) == 0
    assert main([*at, "check", "--run-python"]) == 1
    assert "KeyError: 'nothing' (line 2)" in capsys.readouterr().err
    assert main([*at, "check", "--trust-python"]) == 64
    assert main([*at, "check", "job.json", "--run-python"]) == 64
