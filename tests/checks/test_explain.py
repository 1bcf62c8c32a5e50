"""Every finding has a page, every page a finding, and docs/rules.md is made of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rftplan
from rftplan.checks import CODES
from rftplan.checks.explain import FAMILIES, code_named, page, rules_document
from rftplan.checks.pitfalls import NOT_YET, PITFALLS
from rftplan.codes import Code
from rftplan.errors import UserError

PACKAGE = Path(rftplan.__file__).parent
RULES = PACKAGE.parent / "docs" / "rules.md"
AGAIN = "rftplan explain --markdown > docs/rules.md"


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {path.stem for path in (PACKAGE / "checks" / "pages").glob("*")} == set(CODES)


def test_every_code_belongs_to_a_family() -> None:
    assert {code[0] for code in CODES} <= set(FAMILIES)


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
def test_a_page_says_what_it_is_why_it_matters_and_what_to_do(code: Code) -> None:
    what, why, do = page(code).split("\n\n**")
    assert why.startswith("Why it matters.** ") and do.startswith("What to do.** ")
    assert len(what) > 20 and not what.startswith("#")
    assert all(len(line) <= 120 for line in page(code).splitlines())
    assert len(page(code)) < 1500, "a page is read in a terminal"


def test_pages_use_only_the_markdown_that_a_terminal_is_shown() -> None:
    for code in CODES.values():
        text = page(code)
        prose = re.sub(r"`[^`]*`", "", text)
        assert not re.search(r"^(#|>|\||\d+\.|\* )|\]\(|(?<!\*)\*(?!\*)", prose, re.MULTILINE), code.code
        assert text.count("`") % 2 == 0 and text.count("**") == 4, code.code


def test_a_code_is_found_in_capitals_or_not_and_another_is_an_error() -> None:
    assert code_named("s101") is code_named("S101") is CODES["S101"]
    with pytest.raises(UserError, match="there is no finding") as caught:
        code_named("S999")
    assert caught.value.hint == "rftplan explain lists them all"


def test_the_documentation_is_what_the_pages_say() -> None:
    assert RULES.read_text(encoding="utf-8") == rules_document(), f"make it again: {AGAIN}"


def test_every_pitfall_says_what_catches_it_and_every_code_it_names_exists() -> None:
    assert len(PITFALLS) >= 27 and len({pitfall.what for pitfall in PITFALLS}) == len(PITFALLS)
    named = [code for pitfall in PITFALLS for code in pitfall.codes]
    assert [code for code in named if code not in CODES] == []
    assert [pitfall.what for pitfall in PITFALLS if not pitfall.caught_by or "|" in pitfall.what] == []


def test_a_pitfall_that_nothing_catches_says_so() -> None:
    silent = [pitfall for pitfall in PITFALLS if not pitfall.codes and not pitfall.otherwise]
    assert all(pitfall.caught_by == NOT_YET for pitfall in silent)
