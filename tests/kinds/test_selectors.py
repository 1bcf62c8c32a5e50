"""Which checkpoint is chosen, and by what."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from rftplan.api.port import Checkpoint
from rftplan.kinds.selectors import (
    AtStep,
    ByMetric,
    Chosen,
    Pick,
    Selector,
    Take,
    choose,
    goes_by,
    identity_of,
    said_as,
)

LEAST_LOSS, MOST_LOSS = (ByMetric(metric="valid_loss", take=take) for take in (Take.MIN, Take.MAX))


def point(step: int, **metrics: float) -> Checkpoint:
    return Checkpoint(f"ckpt-{step}", f"ft:{step}", "ftjob-1", step, 0, metrics)


CHOICES = [
    ("the highest reward", Pick.BEST, [point(1, valid_reward_mean=0.2), point(2, valid_reward_mean=0.9)], 2),
    ("a tie goes to the lower step", Pick.BEST, [point(2, valid_reward_mean=0.9), point(1, valid_reward_mean=0.9)], 1),
    ("the lowest loss", Pick.BEST, [point(1, valid_loss=0.2), point(2, valid_loss=0.9)], 1),
    ("a tie of losses", Pick.BEST, [point(3, full_valid_loss=0.2), point(2, full_valid_loss=0.2)], 2),
    ("reward before loss", Pick.BEST, [point(1, valid_loss=0.1), point(2, valid_reward_mean=0.1)], 2),
    ("not a number is no rating", Pick.BEST, [point(1, valid_reward_mean=math.nan), point(2, valid_reward_mean=0)], 2),
    ("infinite is no rating", Pick.BEST, [point(1, valid_reward_mean=math.inf), point(2, valid_reward_mean=0)], 2),
    ("nothing rated", Pick.BEST, [point(1, other=1.0)], None),
    ("nothing there", Pick.BEST, [], None),
    ("the last step", Pick.FINAL, [point(9), point(3)], 9),
    ("no last step", Pick.FINAL, [], None),
    ("exactly that step", AtStep(step=3), [point(9), point(3)], 3),
    ("the least of a metric", LEAST_LOSS, [point(1, valid_loss=0.2), point(2, valid_loss=0.1)], 2),
    ("the most of a metric", MOST_LOSS, [point(1, valid_loss=0.2), point(2, valid_loss=0.1)], 1),
    ("nobody has that metric", LEAST_LOSS, [point(1, other=0.2)], None),
    ("not a number of it", LEAST_LOSS, [point(1, valid_loss=math.nan), point(2, valid_loss=0.1)], 2),
    ("a tie of it", LEAST_LOSS, [point(2, valid_loss=0.1), point(1, valid_loss=0.1)], 1),
    ("not that step", AtStep(step=4), [point(9), point(3)], None),
]


@pytest.mark.parametrize(("selector", "points", "step"), [c[1:] for c in CHOICES], ids=[c[0] for c in CHOICES])
def test_the_candidate(selector: Chosen, points: list[Checkpoint], step: int | None) -> None:
    chosen = choose(selector, points)
    assert (chosen.step if chosen else None) == step


@given(st.permutations([point(n, valid_reward_mean=n % 3 / 3) for n in range(1, 7)]), st.sampled_from([*Pick]))
def test_the_order_of_the_list_changes_nothing(points: list[Checkpoint], pick: Pick) -> None:
    chosen = choose(pick, points)
    assert chosen is not None
    assert chosen.step == {Pick.BEST: 2, Pick.FINAL: 6}[pick]


@pytest.mark.parametrize(
    ("written", "meant", "kept", "words"),
    [
        ("best", Pick.BEST, "best", "best"),
        ("final", Pick.FINAL, "final", "final"),
        ({"step": 3}, AtStep(step=3), {"step": 3}, "step 3"),
        ({"metric": "valid_loss", "take": "min"}, LEAST_LOSS, {"metric": "valid_loss", "take": "min"},
         "the min of valid_loss"),
    ],
)  # fmt: skip
def test_how_a_selector_is_written_kept_and_said(written: Any, meant: Chosen, kept: Any, words: str) -> None:
    assert TypeAdapter(Selector).validate_python(written) == meant
    assert (identity_of(meant), said_as(meant)) == (kept, words)


@pytest.mark.parametrize("wrong", ["last", 12, {"step": 0}, {"metric": "x"}, {"metric": "x", "take": "most"}, {}, None])
def test_anything_else_is_none(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Selector).validate_python(wrong)


def test_what_chose() -> None:
    points = [point(1, valid_loss=0.2), point(2, valid_loss=0.1)]
    assert goes_by(Pick.BEST, points) == goes_by(LEAST_LOSS, points) == "valid_loss"
    assert goes_by(Pick.FINAL, points) is goes_by(AtStep(step=1), points) is goes_by(Pick.BEST, [point(1)]) is None
