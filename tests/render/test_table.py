"""Columns as wide as what stands in them."""

from __future__ import annotations

from rftplan.render.table import aligned, cell_width


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert aligned([["a", "bb", "c"], ["aaa", "b", ""]], indent=2) == ["  a    bb  c", "  aaa  b"]
    assert aligned([]) == []


def test_wide_characters_take_two_columns_and_combining_ones_none() -> None:
    assert cell_width("日本") == 4
    assert cell_width("e\u0301") == 1
