"""A page at a terminal and in a pipe, and the list of all codes."""

from __future__ import annotations

import re

import pytest

from rftplan.checks import CODES
from rftplan.checks.explain import page
from rftplan.codes import error, warning
from rftplan.render.explain_documents import codes_document, explain_document
from rftplan.render.explain_text import codes_text, explain_text
from rftplan.render.look import Look, ansi

PAGE = """\
One sentence that goes on and on until
it is long.

**Why it matters.** Because of `this`.

- a first thing that is rather long for one line
- a second
"""
DOCUMENT = explain_document(error("G199", "Grader does odd things"), PAGE)


def test_in_a_pipe_lines_are_as_they_are_written() -> None:
    assert explain_text(DOCUMENT, Look()) == (
        "error[G199]: Grader does odd things\n\n"
        "One sentence that goes on and on until\nit is long.\n\n"
        "Why it matters. Because of `this`.\n\n"
        "- a first thing that is rather long for one line\n- a second\n"
    )


def test_at_a_terminal_paragraphs_are_filled_and_items_of_a_list_stay_apart() -> None:
    assert explain_text(DOCUMENT, Look(width=30)).splitlines()[2:] == [
        "One sentence that goes on and",
        "on until it is long.",
        "",
        "Why it matters. Because of",
        "`this`.",
        "",
        "- a first thing that is rather",
        "  long for one line",
        "- a second",
    ]


def test_what_is_strong_is_painted_on_one_line() -> None:
    text = explain_text(DOCUMENT, Look(paint=ansi, width=30))
    assert text.startswith("\x1b[31merror[G199]\x1b[0m: ")
    assert "\x1b[1mWhy it matters.\x1b[0m Because" in text


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
def test_every_page_fits_a_narrow_terminal_and_loses_no_word(code: object) -> None:
    document = explain_document(CODES[code.code], page(CODES[code.code]))  # type: ignore[attr-defined]
    text = explain_text(document, Look(width=60))
    assert text.partition("\n\n")[2].split() == document["page"].replace("**", "").split()
    assert all(len(line) <= 60 or " " not in line for line in text.splitlines()[1:])
    assert not re.search(r"\*\*|\N{NO-BREAK SPACE}", text)


def test_all_codes_are_one_line_each_with_a_gap_between_families() -> None:
    document = codes_document([warning("S101", "Second thing"), error("D101", "First thing")])
    assert codes_text(document, Look()) == (
        "D101  error  First thing\n\nS101  warning  Second thing\n\nNext: rftplan explain CODE\n"
    )
