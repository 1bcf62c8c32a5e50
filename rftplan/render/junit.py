"""What became of tests as JUnit XML, as GitHub, GitLab and Jenkins read it. From the document alone; writes nothing."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree

from rftplan.render.escape import visible
from rftplan.render.github import located
from rftplan.render.testing_shapes import TestDocument, TestResultDocument
from rftplan.render.testing_text import failure

_SUITE: Final = "rftplan"


def junit_xml(document: TestDocument, *, base: str = "") -> bytes:
    """One suite, a case for each test in the class of its grader. UTF-8, and one newline at the end.

    A score that is not the expected one is a `failure`; a test that could not be scored, or whose score an error made,
    is an `error`. Files are named from where the command ran, of which `base` leads to the project. Nothing in it is
    a character that XML cannot carry, or one that a page would not show for what it is.
    """
    tests = document["tests"]
    errors = sum(_is_error(one) for one in tests)
    counts = {
        "tests": str(len(tests)),
        "failures": str(document["summary"]["failed"] - errors),
        "errors": str(errors),
        "skipped": str(document["summary"]["skipped"]),
        "time": _seconds(sum(one["seconds"] for one in tests)),
    }
    root = ElementTree.Element("testsuites", {"name": _SUITE, **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": _SUITE, **counts})
    for one in tests:
        _case(suite, one, base)
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _case(suite: ElementTree.Element, one: TestResultDocument, base: str) -> None:
    where = {"file": visible(located(one["path"], base)), "line": str(one["line"])}
    named = {"name": visible(one["name"]), "classname": visible(one["grader"])}
    case = ElementTree.SubElement(suite, "testcase", {**named, **where, "time": _seconds(one["seconds"])})
    if one["verdict"] == "skipped":
        ElementTree.SubElement(case, "skipped", {"message": failure(one)})
    elif one["verdict"] == "failed":
        kind = "error" if _is_error(one) else "failure"
        found = ElementTree.SubElement(case, kind, {"message": failure(one), "type": _type(one)})
        found.text = "\n".join(_details(one))


def _is_error(one: TestResultDocument) -> bool:
    return one["verdict"] == "failed" and (one["score"] is None or bool(one["errors"]))


def _type(one: TestResultDocument) -> str:
    if one["score"] is None:
        return "not-graded"
    return one["errors"][0]["flag"] if one["errors"] else "unexpected-score"


def _details(one: TestResultDocument) -> list[str]:
    """On one line each, but for what an error says: a grader's traceback is read as it was printed."""
    lines = [f"{visible(one['path'])}:{one['line']}:{one['column']}", failure(one)]
    lines += [f"{visible(name)}: {value:.12g}" for name, value in one["members"].items()]
    said = [f"{raised['flag']}: {raised['detail']}" for raised in one["errors"]]
    lines += [visible(line) for text in said for line in text.split("\n")]
    return [*lines, f"hint: {visible(one['hint'])}"] if one["hint"] else lines


def _seconds(value: float) -> str:
    return f"{value:.3f}"
