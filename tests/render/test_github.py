"""Annotations of a GitHub workflow: what is said is shown, and nothing said can be a command."""

from __future__ import annotations

import re

from hypothesis import given

from rftplan.codes import DATA_ABSENT, DATA_HAS_BOM, UNKNOWN_KEY, finding
from rftplan.errors import Diagnostic, Place
from rftplan.render.documents import finding_document
from rftplan.render.escape import visible
from rftplan.render.github import github_annotations, located
from tests.render.findings import FINDINGS

COMMAND = re.compile(r"::(?P<name>[a-z]+) (?P<properties>[^:]*)::(?P<message>.*)", re.DOTALL)
UNESCAPED = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}


def annotated(*found: Diagnostic, base: str = "") -> list[str]:
    return github_annotations(map(finding_document, found), base=base).split("\n")[:-1]


def read(text: str) -> str:
    """As the runner reads what it is given."""
    return re.sub("%(?:0D|0A|3A|2C|25)", lambda code: UNESCAPED[code[0]], text)


def test_a_finding_is_one_command_with_its_place_and_title() -> None:
    found = finding(
        UNKNOWN_KEY, '"a, b: 50%" is unknown', place=Place("specs/a.yaml", 3, 5), address="job.x", hint="do"
    )
    assert annotated(found) == [
        '::error file=specs/a.yaml,line=3,col=5,title=S202 Unknown key::job.x: "a, b: 50%25" is unknown%0Ahint: do'
    ]


def test_severities_are_the_runners_words_and_what_is_not_known_is_left_out() -> None:
    assert annotated(finding(DATA_HAS_BOM, "why", place=Place("a.jsonl")), finding(DATA_ABSENT, "why")) == [
        "::warning file=a.jsonl,title=D104 Data file starts with a byte order mark::why",
        "::notice title=S213 Data file is absent, but known::why".replace(",", "%2C"),
    ]


def test_paths_start_where_the_workflow_runs() -> None:
    assert located("specs/a.yaml", "my/project") == "my/project/specs/a.yaml"
    assert located("../data/a.jsonl", "project") == "data/a.jsonl"
    assert located("specs/a.yaml", "..") == "../specs/a.yaml"
    (line,) = annotated(finding(DATA_HAS_BOM, "why", place=Place("a,b.jsonl", 1, 1)), base="c:d")
    assert line.startswith("::warning file=c%3Ad/a%2Cb.jsonl,line=1,col=1,title=")


@given(FINDINGS)
def test_nothing_said_can_leave_its_place(found: Diagnostic) -> None:
    (line,) = annotated(found)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|##\[|##vso\[", line)
    command = COMMAND.fullmatch(line)
    assert command is not None and command["name"] in ("error", "warning", "notice")
    given = dict(pair.split("=", 1) for pair in command["properties"].split(","))
    assert read(given["title"]) == f"{found.code} {visible(found.summary)}"
    assert set(given) <= {"file", "line", "col", "title"}
    if found.place is not None:
        assert read(given["file"]) == visible(found.place.path)
    assert visible(found.detail) in read(command["message"])
