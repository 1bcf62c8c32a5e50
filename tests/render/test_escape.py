"""Foreign text cannot steer a terminal or a CI log."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from rftplan.render.escape import inert, shortened, shown_value, visible
from rftplan.render.look import joined


@given(st.text(alphabet=st.characters()))
def test_nothing_that_a_terminal_obeys_survives(text: str) -> None:
    shown = visible(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown)
    assert len(shown.splitlines()) <= 1
    assert "##[" not in shown and "##vso[" not in shown
    assert visible(shown) == shown


@given(st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="#")))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]))))
def test_no_line_starts_a_ci_command(lines: list[str]) -> None:
    assert not any(line.strip().startswith("::") for line in joined(lines).split("\n"))


def test_escapes_are_readable() -> None:
    assert visible("a\x1b[31mb") == "a\\x1b[31mb"
    assert visible("left\u202eright") == "left\\u202eright"
    assert visible("one\ntwo\r\tthree") == "one\\ntwo\\r\\tthree"
    assert visible("\ud800") == "\\ud800"
    assert visible("\U000e0041") == "\\U000e0041"
    assert visible("non-breaking\u00a0space") == "non-breaking space"
    assert inert("  ::error::x") == "  \\::error::x"
    assert visible("##[error]x") == "#\\#[error]x"


@given(st.text(), st.integers(min_value=1, max_value=30))
def test_a_shortened_text_fits_and_keeps_its_start(text: str, width: int) -> None:
    shown = shortened(text, width)
    assert len(shown) <= width
    assert shown == text or "…" in shown


def test_values_are_shown_as_json_and_absence_in_words() -> None:
    assert shown_value(None, 20) == "(none)"
    assert shown_value("a\x1bb", 20) == '"a\\u001bb"'
    assert shown_value("v1:" + "0123456789abcdef" * 4, 20) == "v1:0123456789ab…"
    assert shown_value("f" * 64, 20) == "ffffffffffff…"
    assert shown_value({"a": [1]}, 20) == '{"a": [1]}'
    assert shown_value("x" * 50, 12) == '"xxxxxxx…xx"'
