"""`rftplan check --format`: the same findings for people, programs, code scanners and workflows."""

from __future__ import annotations

import json

import pytest

from rftplan.cli.boundary import main
from tests.findings import edited
from tests.world import Small

BROKEN = edited(("grader: match", "grader: mtach"))


def said(small: Small, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["-C", str(small.root), "check", *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_text_is_what_there_is_without_a_format(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    small.write("specs/main.yaml", BROKEN)
    assert said(small, capsys) == said(small, capsys, "--format", "text")


@pytest.mark.parametrize("words", [["--format", "json"], ["--format=json"], ["--json", "--format", "json"]])
def test_json_is_json_also_where_nothing_can_be_said(
    small: Small, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert said(small, capsys, *words) == said(small, capsys, "--json")
    small.write("rftplan.lock", "{")
    code, out, _ = said(small, capsys, *words)
    assert (code, json.loads(out)["format"]) == (1, "rftplan.error/1")


def test_sarif_has_the_finding_with_its_page_from_where_the_command_runs(
    small: Small, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small.write("specs/main.yaml", BROKEN)
    monkeypatch.chdir(small.root.parent)
    code, out, err = said(small, capsys, "--format", "sarif")
    (run,) = json.loads(out)["runs"]
    (result,) = run["results"]
    assert (code, err, result["ruleId"]) == (1, "", "S207")
    where = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert where == f"{small.root.name}/specs/main.yaml"
    assert "**What to do.**" in run["tool"]["driver"]["rules"][0]["help"]["markdown"]


def test_annotations_are_alone_on_stdout_and_the_verdict_is_beside_them(
    small: Small, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small.write("specs/main.yaml", BROKEN)
    monkeypatch.chdir(small.root)
    code, out, err = said(small, capsys, "--format", "github")
    assert (code, err) == (1, "Specs are not valid: 1 error.\n")
    assert out.startswith("::error file=specs/main.yaml,line=19,col=17,title=S207 Unknown reference::job.review: ")
    assert out.count("\n") == 1


def test_a_format_that_is_none_and_two_at_once_are_wrong_usage(
    small: Small, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["--format", "xml"], ["--json", "--format", "sarif"]):
        assert said(small, capsys, *words)[0] == 64


REQUEST = {
    "model": "o4-mini-2025-04-16",
    "training_file": "file-abc123",
    "validation_file": "file-def456",
    "method": {
        "type": "reinforcement",
        "reinforcement": {
            "grader": {
                "type": "string_check",
                "name": "match",
                "input": "{{sample.output_text}}",
                "operation": "eq",
                "reference": "{{item.answr}}",
            }
        },
    },
}


@pytest.fixture
def request_here(small: Small, monkeypatch: pytest.MonkeyPatch) -> Small:
    """A request beside its rows, in a directory without a project."""
    monkeypatch.chdir(small.root)
    small.write("job.json", json.dumps(REQUEST))
    (small.root / "specs" / "data" / "train.jsonl").rename("train.jsonl")
    return small


def checked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["check", *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.usefixtures("request_here")
def test_a_request_is_checked_without_a_project(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("job.json", "--train", "train.jsonl", "--provider", "local")
    code, out, err = checked(capsys, *words)
    assert (code, out) == (
        1,
        "The request is not valid by the limits of provider local: 1 error.\n"
        "Not checked: the rows of the validation file (--valid FILE)\n",
    )
    assert err.startswith("error[G103]: Grader reads a field that rows do not have\n  job.json:1:")
    assert 'hint: did you mean "item.answer"?' in err
    _, out, _ = checked(capsys, *words, "--json")
    document = json.loads(out)
    assert {key: document[key] for key in ("format", "ok", "subject", "provider", "unchecked")} == {
        "format": "rftplan.check/1",
        "ok": False,
        "subject": "request",
        "provider": "local",
        "unchecked": ["the rows of the validation file (--valid FILE)"],
    }


def test_paths_of_a_request_are_from_where_the_command_runs(
    request_here: Small, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = checked(capsys, "job.json", "--train", "train.jsonl", "--format", "github", "-C", "elsewhere")
    assert "::error file=job.json,line=1," in out
    absolute = str(request_here.root / "job.json")
    _, out, _ = checked(capsys, absolute, "--train", "train.jsonl", "--format", "sarif", "--provider", "local")
    (result,) = json.loads(out)["runs"][0]["results"]
    at = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert at == {"uri": f"file://{absolute}"}


@pytest.mark.usefixtures("request_here")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--train", "train.jsonl"], 64, "--train and --valid are the rows of a request, and none is given"),
        (["job.json", "--lock", "x"], 64, "--specs, --lock and --env are a project's"),
        (["gone.json"], 1, "gone.json does not exist"),
        (["job.json", "--provider", "azure"], 1, "provider azure (Azure AI Foundry) is not supported yet"),
        (["job.json", "--provider", "mine"], 1, 'there is no provider "mine"'),
        (["train.jsonl"], 1, "it has one JSON object a line, as data files have"),
    ],
)
def test_what_cannot_be_checked_is_told(
    capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    found, _, err = checked(capsys, *words)
    assert (found, said in err) == (code, True), err


def test_a_lock_that_a_merge_broke_hides_no_finding(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    small.edit("specs/main.yaml", "item.answer", "item.anwser")
    small.write("rftplan.lock", "<<<<<<< HEAD\n{}\n")
    code, _, err = checked(capsys, "-C", str(small.root))
    assert code == 1
    assert "error[G103]: Grader reads a field that rows do not have" in err
    assert "error: rftplan.lock:1 has merge-conflict markers" in err
