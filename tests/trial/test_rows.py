"""Rows spread over a file: how many, how far apart, and what broken lines do to it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.data import DataError
from rftplan.trial.rows import rows_spread, spread


@given(st.integers(1, 500), st.integers(1, 600))
def test_exactly_so_many_are_chosen_and_gaps_differ_by_one_at_most(total: int, wanted: int) -> None:
    chosen = [index for index in range(total) if spread(total, wanted, index)]
    assert len(chosen) == min(total, wanted)
    gaps = {b - a for a, b in pairwise(chosen)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_lines_are_counted_over_blank_ones_and_broken_rows_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"n": 1}\r\n\n{"n": 2}\n{"n":\n[3]\n{"n": 4}')
    assert list(rows_spread(path, 5, 9)) == [(1, {"n": 1}), (3, {"n": 2}), (6, {"n": 4})]


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        list(rows_spread(tmp_path / "a.jsonl", 1, 1))
