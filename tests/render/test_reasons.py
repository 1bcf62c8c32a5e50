"""Every reason has words."""

from __future__ import annotations

import pytest

from rftplan.changes import Reason
from rftplan.render.reasons import PHRASES, phrase, reason_text


def test_the_table_is_complete_and_no_two_reasons_read_the_same() -> None:
    assert set(PHRASES) == set(Reason)
    assert len(set(PHRASES.values())) == len(PHRASES)


@pytest.mark.parametrize("reason", Reason)
def test_a_phrase_follows_an_address(reason: Reason) -> None:
    words = phrase(reason.value)
    assert words[0] in "-" or words[0].islower()
    assert not words.endswith(".")
    assert len(words) < 74


def test_a_reason_of_a_newer_rftplan_stands_for_itself() -> None:
    assert phrase("moon-phase") == "moon-phase"
    assert phrase("moon\x1b[2J\nphase") == r"moon\x1b[2J\nphase"
    assert reason_text("gone", "file-1\n") == "the service does not know it any more: file-1\\n"
