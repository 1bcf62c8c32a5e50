"""`test`: text, JSON, JUnit and the exit code; code from specs runs because this command was asked for."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from rftplan.cli.boundary import main
from tests.world import SPEC, Small

TESTS = """\
tests:
  right: {grader: match, item: {answer: "3"}, sample: "3", expect: 1}
  wrong: {grader: match, item: {answer: "3"}, sample: "4", expect: 1}
"""


@pytest.fixture
def tested(small: Small) -> Small:
    small.write("specs/main.yaml", SPEC + TESTS)
    return small


def test_one_failure_is_exit_code_1_and_one_pass_is_0(tested: Small, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(tested.root), "test"]) == 1
    assert capsys.readouterr().out.endswith("2 tests: 1 passed, 1 failed.\n")
    assert main(["-C", str(tested.root), "test", "right"]) == 0


def test_no_tests_is_no_failure(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(small.root), "test"]) == 0
    assert "The specs have no tests." in capsys.readouterr().out


def test_the_text_is_what_the_document_says(tested: Small, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(tested.root), "test", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["format"], document["ok"]) == ("rftplan.test/1", False)
    assert document["summary"] == {"passed": 1, "failed": 1, "skipped": 0}
    assert [(one["name"], one["verdict"], one["score"]) for one in document["tests"]] == [
        ("right", "passed", 1.0),
        ("wrong", "failed", 0.0),
    ]


def test_junit_is_written_also_where_the_folder_is_not_there_yet(
    tested: Small, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tested.root / "out" / "junit.xml"
    assert main(["-C", str(tested.root), "test", "--junit", str(path)]) == 1
    assert ElementTree.parse(path).getroot().get("failures") == "1"
    assert main(["-C", str(tested.root), "test", "--junit", str(tested.root)]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_name_that_no_test_has_is_said(tested: Small, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(tested.root), "test", "rihgt"]) == 1
    assert "did you mean right?" in capsys.readouterr().err


FOREIGN = {
    "pom.xml": "<?xml version='1.0'?>\n<!-- <testsuite> -->\n<project>precious</project>",
    "specs/empty.yaml": "",
}


@pytest.mark.parametrize(
    "name", ["specs/main.yaml", "specs/data/train.jsonl", "rftplan.lock", "notes.txt", "pom.xml", "specs/empty.yaml"]
)
def test_a_report_is_written_over_no_file_but_a_report(
    tested: Small, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tested.root / name
    if not path.exists():
        path.write_text(FOREIGN.get(name, "{}"))
    before = path.read_bytes()
    assert main(["-C", str(tested.root), "test", "--junit", str(path)]) == 64
    told = capsys.readouterr()
    assert told.out == "" and "is there and no JUnit report, so it is not written over" in told.err
    assert path.read_bytes() == before


@pytest.mark.parametrize("before", ["", "<?xml version='1.0'?>\n<!-- by CI -->\n<testsuite/>", "\n<testsuites/>"])
def test_a_report_of_before_is_written_over(tested: Small, before: str) -> None:
    path = tested.root / "report.xml"
    path.write_text(before)
    assert main(["-C", str(tested.root), "test", "right", "--junit", str(path)]) == 0
    assert ElementTree.parse(path).getroot().get("tests") == "1"
