"""`rftplan explain`, outside of any project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rftplan.checks import CODES
from rftplan.checks.explain import rules_document
from rftplan.cli.boundary import main


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["explain", *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_one_code_is_explained_without_a_project(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "g103")
    assert (code, err) == (0, "")
    assert out.startswith("error[G103]: Grader reads a field that rows do not have\n\nA template of the grader ")


def test_without_a_code_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[:-1] if line] == sorted(CODES)


def test_as_json_a_code_has_its_page_and_all_are_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    one = json.loads(said(capsys, "G103", "--json")[1])
    assert (one["code"], one["severity"]) == ("G103", "error") and "**What to do.**" in one["page"]
    listed = json.loads(said(capsys, "--json")[1])
    assert {code["code"] for code in listed["codes"]} == set(CODES)


def test_a_code_that_is_none_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "G9\x1b[31m")
    assert (code, out) == (1, "")
    assert err.startswith('error: there is no finding "G9\\x1b[31m"')


def test_the_whole_page_is_markdown_and_nothing_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--markdown") == (0, rules_document(), "")
    for beside in (["--json"], ["G103"]):
        assert said(capsys, "--markdown", *beside)[0] == 64
