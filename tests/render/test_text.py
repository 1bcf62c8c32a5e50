"""Findings, errors, status, state and outputs as text."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.errors import Diagnostic, Place, Severity
from rftplan.render.documents import check_document, finding_document
from rftplan.render.look import Look, ansi
from rftplan.render.shapes import OutputDocument
from rftplan.render.status_text import status_text
from rftplan.render.table import aligned, fitted
from rftplan.render.text import (
    check_text,
    entry_text,
    error_text,
    findings_text,
    outputs_text,
    state_text,
    warning_text,
)

FINDING = Diagnostic(
    code="G103",
    summary="Grader reads a field that rows do not have",
    detail="{{item.complaint}} is missing in 3 of 3 rows of file.train",
    place=Place("specs/security.yaml", 21, 20),
    address="grader.answer/compliant",
    hint='did you mean "item.compliant"?',
)


def test_a_finding_reads_as_the_design_says() -> None:
    assert findings_text([finding_document(FINDING)], Look()) == (
        "error[G103]: Grader reads a field that rows do not have\n"
        "  specs/security.yaml:21:20  grader.answer/compliant: "
        "{{item.complaint}} is missing in 3 of 3 rows of file.train\n"
        '  hint: did you mean "item.compliant"?\n'
    )


def test_a_finding_without_place_address_and_hint_has_two_lines() -> None:
    bare = Diagnostic("S101", "No specs to read", "specs has no *.yaml", Severity.WARNING)
    assert findings_text([finding_document(bare)], Look()) == (
        "warning[S101]: No specs to read\n  specs has no *.yaml\n"
    )


def test_what_many_places_have_is_told_of_five_and_counted_and_every_error_is_told() -> None:
    few, many = (
        [replace(FINDING, code=code, severity=Severity.WARNING)] * n for code, n in (("D224", 6), ("C101", 40))
    )
    errors = [replace(FINDING, code="G103", severity=Severity.ERROR)] * 20
    text = findings_text(map(finding_document, [*few, *many, *errors]), Look())
    assert [text.count(code) for code in ("[D224]", "[C101]", "[G103]")] == [6, 5 + 1, 20]
    assert f"warning[C101]: {FINDING.summary}\n  35 more places; --json has every one\n" in text


def test_a_file_name_cannot_forge_a_finding() -> None:
    forged = Diagnostic("S1", "x", "y", place=Place("a\nerror[S2]: \x1b[2J", 1, 1))
    text = findings_text([finding_document(forged)], Look())
    assert len(text.splitlines()) == 2
    assert "\x1b" not in text


def test_a_check_ends_in_a_verdict() -> None:
    assert check_text(check_document([]), Look()) == "Specs are valid.\nNext: rftplan plan\n"
    assert check_text(check_document([FINDING, FINDING]), Look()) == "Specs are not valid: 2 errors.\n"


def test_an_error_keeps_its_lines_and_its_hint() -> None:
    assert error_text("two things:\n  one\n  two", "do this", Look()) == (
        "error: two things:\n  one\n  two\n  hint: do this\n"
    )


def test_status_is_a_table() -> None:
    document = {
        "format": "rftplan.status/1",
        "resources": [
            {"address": "file.train", "kind": "file", "state": "present", "id": "file-1", "detail": ""},
            {"address": "job.x", "kind": "job", "state": "running", "id": None, "detail": "step 3"},
        ],
    }
    assert status_text(document, Look()) == (  # type: ignore[arg-type]
        "file.train  present  file-1\njob.x       running  -       step 3\n"
    )


def test_state_lists_ids_and_holds_and_shows_entries_as_a_tree() -> None:
    entry = {"id": "ftjob-1", "holds": [{"code": "guard"}], "inputs": {"model": "o4", "list": [1]}, "none": {}}
    listed = {"format": "", "lineage": "l", "serial": 1, "provider": None, "resources": {"job.x": entry}}
    told = {**listed, "simulations": [], "waiting": []}
    assert state_text(told, Look()) == "job.x  ftjob-1  held: guard\n"  # type: ignore[arg-type]
    told = {**listed, "simulations": ["job.x"], "waiting": []}
    assert state_text(told, Look()) == "job.x  ftjob-1  held: guard, SIMULATED\n"  # type: ignore[arg-type]
    document = {"format": "", "address": "job.x", "simulated": False, "entry": entry}
    assert entry_text(document, Look()) == (  # type: ignore[arg-type]
        'job.x\n  id: "ftjob-1"\n  holds:\n    -\n      code: "guard"\n'
        '  inputs:\n    model: "o4"\n    list:\n      - 1\n  none: {}\n'
    )


def test_outputs_name_the_model_and_where_it_is_from() -> None:
    assert outputs_text({}, Look()) == "The lock knows no promoted model. Next: rftplan apply --wait\n"
    trained: OutputDocument = {"model": "ft:m", "job": "job.x", "step": 3, "revision": 2, "simulated": False}
    assert outputs_text({"r": trained}, Look()) == "r  ft:m\n  job.x, step 3, revision 2\n"
    assert outputs_text({"r": {**trained, "simulated": True}}, Look()).endswith("revision 2, SIMULATED\n")


ROWS = [
    ["job.security-review", "succeeded", "ftjob-" + "a" * 24, "step 18 of 18, SIMULATED"],
    ["file.a", "gone", "-", ""],
]


def test_a_table_that_fits_stays_one_and_one_that_does_not_is_stacked() -> None:
    assert fitted(ROWS, Look(width=120), head=2) == aligned(ROWS)
    assert fitted(ROWS, Look(), head=2) == aligned(ROWS)
    assert fitted(ROWS, Look(width=70), head=2) == [
        "job.security-review  succeeded",
        "  ftjob-" + "a" * 24 + "  step 18 of 18, SIMULATED",
        "file.a               gone",
    ]
    assert fitted(ROWS, Look(width=50), head=2)[1:3] == ["  ftjob-" + "a" * 24, "  step 18 of 18, SIMULATED"]


words = st.text(alphabet="ab-", min_size=1, max_size=12)
cells = st.lists(words, max_size=6).map(" ".join)


@given(st.lists(st.tuples(words, words, words, cells), min_size=1, max_size=4), st.integers(40, 120))
def test_no_line_of_a_table_breaks_in_a_word(rows: list[tuple[str, str, str, str]], width: int) -> None:
    assert all(len(line) <= width for line in fitted(rows, Look(width=width), head=2))


def test_at_a_terminal_findings_and_errors_are_filled_to_its_width() -> None:
    found = Diagnostic("S1", "One", "word " * 30, place=Place("specs/a.yaml", 1, 2), hint="hint " * 30)
    for text in (
        findings_text([finding_document(found)], Look(width=60)),
        error_text("word " * 30 + "\n" + "more " * 30, "hint " * 30, Look(width=60, paint=ansi)),
        warning_text("word " * 30, Look(width=60)),
    ):
        assert all(len(re.sub(r"\x1b\[\d+m", "", line)) <= 60 for line in text.splitlines())
        assert len(text.splitlines()) > 2
