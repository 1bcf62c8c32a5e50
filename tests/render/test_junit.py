"""JUnit XML that GitHub, GitLab and Jenkins read, whatever users and models write into it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from rftplan.render.junit import junit_xml

TEXTS = st.text(st.characters(exclude_categories=[])) | st.sampled_from(
    ["\x00", "]]>", "<a b='c'>&", "\ud800", "\ufffe"]
)


def case(name: str = "one", verdict: str = "passed", **changes: Any) -> Any:
    return {
        "name": name,
        "grader": "grader.answer",
        "verdict": verdict,
        "path": "specs/a.yaml",
        "line": 3,
        "column": 5,
        "expected": {"min": 1.0, "max": 1.0},
        "score": 1.0,
        "members": {},
        "errors": [],
        "reason": None,
        "hint": None,
        "seconds": 0.25,
    } | changes


def document(*tests: Any) -> Any:
    count = {word: sum(one["verdict"] == word for one in tests) for word in ("passed", "failed", "skipped")}
    return {
        "format": "rftplan.test/1",
        "ok": not count["failed"],
        "judge": None,
        "tests": list(tests),
        "summary": count,
    }


ALL = document(
    case("good"),
    case("bad", "failed", score=0.25, members={"a": 0.5}),
    case("broken", "failed", score=0.0, errors=[{"flag": "other_error", "detail": "no"}], reason="an error"),
    case("refused", "failed", score=None, reason="nothing keeps it in", hint="trust it"),
    case("left", "skipped", score=None, reason="no judge"),
)
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testcase": {"name", "classname", "file", "line", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
}
INSIDE = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "error", "skipped"},
}


def fits(element: Any) -> bool:
    """What every reader's schema agrees on: names, nesting, needed attributes, figures that are figures."""
    figures = [
        element.get(name) for name in ("tests", "failures", "errors", "skipped", "time") if name in element.attrib
    ]
    return (
        set(element.attrib) == ATTRIBUTES[element.tag]
        and all(float(figure) >= 0 for figure in figures)
        and {child.tag for child in element} <= INSIDE.get(element.tag, set())
        and all(map(fits, element))
    )


def test_counts_and_kinds_are_told_apart() -> None:
    root = ElementTree.fromstring(junit_xml(ALL))
    assert fits(root)
    (suite,) = root
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "5",
        "failures": "1",
        "errors": "2",
        "skipped": "1",
        "time": "1.250",
    }
    kinds = {one.get("name"): [(child.tag, child.get("type"), child.get("message")) for child in one] for one in suite}
    assert kinds == {
        "good": [],
        "bad": [("failure", "unexpected-score", "expected 1, got 0.25")],
        "broken": [("error", "other_error", "expected 1, got 0: an error")],
        "refused": [("error", "not-graded", "nothing keeps it in")],
        "left": [("skipped", None, "no judge")],
    }
    assert suite[1][0].text == "specs/a.yaml:3:5\nexpected 1, got 0.25\na: 0.5"


def test_files_are_named_from_where_the_command_ran() -> None:
    (suite,) = ElementTree.fromstring(junit_xml(ALL, base="models/security"))
    assert {one.get("file") for one in suite} == {"models/security/specs/a.yaml"}


def test_a_run_without_tests_is_an_empty_suite() -> None:
    root = ElementTree.fromstring(junit_xml(document()))
    assert fits(root) and root.get("tests") == "0" and list(root[0]) == []


@given(TEXTS, TEXTS, TEXTS)
def test_whatever_is_written_it_stays_xml_and_keeps_its_place(name: str, reason: str, detail: str) -> None:
    found = document(
        case(name, "failed", path=detail, reason=reason, errors=[{"flag": "other_error", "detail": detail}]),
        case(name, "skipped", score=None, reason=reason),
    )
    written = junit_xml(found)
    assert written.startswith(b"<?xml version='1.0' encoding='utf-8'?>\n") and written.endswith(b"</testsuites>\n")
    root = ElementTree.fromstring(written)
    assert fits(root)
    assert [child.tag for one in root[0] for child in one] == ["error", "skipped"]


def test_what_a_page_would_not_show_for_what_it_is_is_an_escape_too() -> None:
    hidden = "a\x85\u202eb\u200b"
    raised = [{"flag": "other_error", "detail": f"Traceback:\n  {hidden}"}]
    (suite,) = ElementTree.fromstring(junit_xml(document(case(hidden, "failed", errors=raised, hint=hidden))))
    assert suite[0].get("name") == r"a\x85\u202eb\u200b"
    text = suite[0][0].text or ""
    assert text.splitlines()[-3:] == ["other_error: Traceback:", r"  a\x85\u202eb\u200b", r"hint: a\x85\u202eb\u200b"]


def test_what_xml_cannot_carry_is_an_escape() -> None:
    (suite,) = ElementTree.fromstring(junit_xml(document(case("a\x00\x1b\ud800\ufffe<b>"))))
    assert suite[0].get("name") == r"a\x00\x1b\ud800\ufffe<b>"
