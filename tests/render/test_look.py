"""How text looks: prose within its width, commands whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rftplan.render.look import Look

RESUME = "rftplan resume job.review --allow resume-after-service-pause"
STEP = f"next: {RESUME}, once it is known why; or rftplan apply --replace job.review."


def test_a_command_is_on_one_line_where_a_line_has_room_for_it() -> None:
    assert Look(width=72).prose(STEP, indent=6)[1].startswith(f"      {RESUME},")
    assert "      rftplan apply --replace job.review." in Look(width=60).prose(STEP, indent=6)


@given(st.integers(min_value=1, max_value=120), st.integers(min_value=0, max_value=12))
def test_no_word_is_lost_and_no_line_is_too_long(width: int, indent: int) -> None:
    lines = Look(width=width).prose(STEP, indent=indent, hang=2)
    assert " ".join(" ".join(lines).split()) == STEP
    longest = max(map(len, STEP.split()))
    assert all(len(line) <= max(width, indent + 20, indent + 2 + longest) for line in lines)
