"""How a gate is written: one subject, and what its figure must be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rftplan.kinds.gates import CONFIDENCE, Gate, Rival

ROWS = {"held_out": {"file": "final", "grader": "strict"}}
ONE = "a gate has one subject: metric, gap, grader_errors or held_out"


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ({"metric": "valid_reward_mean", "at_least": 0.8}, "valid_reward_mean"),
        ({"gap": "reward", "at_most": 0.1}, "gap of reward, train minus valid"),
        ({"grader_errors": "share", "at_most": 0}, "share of grader errors"),
        ({**ROWS, "at_least": 0.8, "samples": 4}, "held_out file.final by grader.strict"),
        ({**ROWS, "better_than": "live", "by": 0.02}, "held_out file.final by grader.strict, compared with live"),
        ({**ROWS, "no_worse_than": "base", "by": 0.1}, "held_out file.final by grader.strict, compared with base"),
    ],
)
def test_a_gate_and_its_subject(written: dict[str, Any], subject: str) -> None:
    assert Gate.model_validate(written).subject == subject


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"at_least": 0.8}, ONE),
        ({"metric": "x", "gap": "reward", "at_least": 0.8}, ONE),
        ({"metric": "x", **ROWS, "at_least": 0.8}, ONE),
        ({"better_than": "live"}, ONE),
        ({"metric": "x"}, "a gate needs at_least or at_most, or both"),
        ({"gap": "reward"}, "a gate needs at_least or at_most, or both"),
        (ROWS, "a gate needs at_least or at_most, or both, or better_than"),
        ({"metric": "x", "better_than": "live"}, "better_than is of a gate on held_out rows, not of metric"),
        ({"gap": "reward", "at_most": 1, "samples": 2}, "samples is of a gate on held_out rows, not of gap"),
        ({"metric": "x", "at_least": 1, "confidence": 0.9}, "confidence is of a gate on held_out rows"),
        ({**ROWS, "at_least": 1, "by": 0.1}, "by says how much better_than or no_worse_than, and neither is here"),
        ({**ROWS, "better_than": "live", "no_worse_than": "base", "by": 1}, "a gate compares once"),
        ({**ROWS, "better_than": "live", "at_least": 0.5}, "a gate compares once"),
        ({**ROWS, "no_worse_than": "live"}, "no_worse_than needs by: how much worse is good enough"),
        ({**ROWS, "no_worse_than": "live", "by": 0}, "no_worse_than needs by"),
        ({**ROWS, "better_than": "yesterday"}, "live"),
        ({**ROWS, "better_than": "live", "by": -0.1}, "greater than or equal to 0"),
        ({**ROWS, "at_least": 0.5, "confidence": 1}, "less than 1"),
        ({**ROWS, "at_least": 0.5, "samples": 0}, "greater than or equal to 1"),
    ],
)
def test_what_a_gate_cannot_be(written: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Gate.model_validate(written)


def test_what_is_not_written_is_filled_in_and_no_part_of_its_identity() -> None:
    gate = Gate.model_validate({**ROWS, "at_least": 0.8})
    assert (gate.sure, gate.tries, gate.rival) == (CONFIDENCE, 1, None)
    assert gate.model_dump(mode="json", exclude_none=True) == {**ROWS, "at_least": 0.8}
    assert Gate.model_validate({**ROWS, "better_than": "base"}).rival is Rival.BASE
