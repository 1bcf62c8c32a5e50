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
