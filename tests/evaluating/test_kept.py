"""What was paid for is kept, whatever ends the writing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.errors import UserError
from rftplan.evaluating.kept import Kept


def test_what_is_added_is_there_before_the_file_is_closed_and_the_last_counts(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "deep" / "answers.jsonl")
    kept.add((0, 0), {"text": "a\ud800"})
    kept.add((1, 0), {"text": "b"})
    kept.add((0, 0), {"text": "c"})
    assert Kept(kept.path).entries == kept.entries == {(0, 0): {"text": "c"}, (1, 0): {"text": "b"}}
    kept.close()
    kept.close()
    assert kept.path.stat().st_mode & 0o077 == 0


@given(st.integers(0, 200), st.binary(max_size=20))
def test_a_torn_file_loses_what_was_torn_and_takes_what_comes(
    tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes
) -> None:
    path = tmp_path_factory.mktemp("kept") / "answers.jsonl"
    first = Kept(path)
    for row in range(4):
        first.add((row, 0), {"text": str(row)})
    first.close()
    path.write_bytes(path.read_bytes()[:cut] + junk)
    again = Kept(path)
    assert all(entry == {"text": str(place[0])} for place, entry in again.entries.items() if place[1] == 0)
    again.add((9, 0), {"text": "9"})
    again.close()
    assert Kept(path).entries[9, 0] == {"text": "9"}


def test_where_nothing_can_be_kept_nothing_more_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        Kept(tmp_path / "file" / "answers.jsonl").add((0, 0), {})
