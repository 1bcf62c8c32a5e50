"""Which checkpoint is chosen, and what its gates say."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from rftplan.api.port import Checkpoint, Simulation
from rftplan.kinds.gates import AtStep, Gate, Pick, Selector, choose, judge


def point(step: int, simulation: Simulation | None = None, **metrics: float) -> Checkpoint:
    return Checkpoint(f"ckpt-{step}", f"ft:{step}", "ftjob-1", step, 0, metrics, simulation)


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
    ("not that step", AtStep(step=4), [point(9), point(3)], None),
]


@pytest.mark.parametrize(("selector", "points", "step"), [c[1:] for c in CHOICES], ids=[c[0] for c in CHOICES])
def test_the_candidate(selector: Pick | AtStep, points: list[Checkpoint], step: int | None) -> None:
    chosen = choose(selector, points)
    assert (chosen.step if chosen else None) == step


@given(st.permutations([point(n, valid_reward_mean=n % 3 / 3) for n in range(1, 7)]), st.sampled_from([*Pick]))
def test_the_order_of_the_list_changes_nothing(points: list[Checkpoint], pick: Pick) -> None:
    chosen = choose(pick, points)
    assert chosen is not None
    assert chosen.step == {Pick.BEST: 2, Pick.FINAL: 6}[pick]


VERDICTS = [
    ({"at_least": 0.5}, 0.5, True),
    ({"at_least": 0.5}, 0.4999, False),
    ({"at_most": 0.5}, 0.5, True),
    ({"at_most": 0.5}, 0.5001, False),
    ({"at_least": 0.2, "at_most": 0.5}, 0.3, True),
    ({"at_least": 0.2, "at_most": 0.5}, 0.6, False),
    ({"at_least": 0}, 0.0, True),
    ({"at_least": -1}, None, False),
    ({"at_most": 1}, None, False),
    ({"at_most": 1}, math.nan, False),
    ({"at_least": 0}, math.inf, False),
    ({"at_most": 1}, -math.inf, False),
]


@pytest.mark.parametrize(("bounds", "value", "passes"), VERDICTS)
def test_a_gate(bounds: dict[str, float], value: float | None, passes: bool) -> None:
    metrics = {} if value is None else {"reward": value}
    gate = Gate.model_validate({"metric": "reward", **bounds})
    (evidence,) = judge((gate,), point(4, **metrics), Pick.FINAL, 1)
    assert evidence.passed is passes
    assert evidence.value == (value if value is not None and math.isfinite(value) else None)
    assert evidence.source == "checkpoint step 4"


def caveats(selector: Pick | AtStep, metric: str, candidates: int, simulation: Simulation | None = None) -> Any:
    gate = Gate.model_validate({"metric": metric, "at_least": 0})
    (evidence,) = judge((gate,), point(1, simulation, **{metric: 1.0}), selector, candidates)
    return evidence.caveats


def test_a_gate_on_held_out_rows_has_no_figure_here_and_fails() -> None:
    gate = Gate.model_validate({"held_out": {"file": "final", "grader": "strict"}, "at_least": 0})
    (evidence,) = judge((gate,), point(4, valid_reward_mean=1.0), Pick.BEST, 3)
    assert (evidence.value, evidence.passed) == (None, False)
    assert evidence.metric == "held_out file.final by grader.strict"
    assert evidence.caveats == ("held-out rows are not evaluated yet",)


def test_a_figure_that_chose_the_checkpoint_is_said_to_be_flattering() -> None:
    assert caveats(Pick.BEST, "valid_reward_mean", 3) == ("selected on it, best of 3 checkpoints",)
    assert caveats(Pick.BEST, "valid_reward_mean", 1) == ()
    assert caveats(Pick.BEST, "completion_tokens_mean", 3) == ()
    assert caveats(Pick.FINAL, "valid_reward_mean", 3) == ()


def test_simulated_evidence_and_its_judge_are_named() -> None:
    simulation = Simulation("local", "stand-in judge: text overlap")
    assert caveats(Pick.FINAL, "x", 1, simulation) == ("SIMULATED", "stand-in judge: text overlap")
    assert caveats(Pick.FINAL, "x", 1, Simulation("local")) == ("SIMULATED",)


@pytest.mark.parametrize(
    ("written", "meant"), [("best", Pick.BEST), ("final", Pick.FINAL), ({"step": 3}, AtStep(step=3))]
)
def test_how_a_selector_is_written(written: Any, meant: Pick | AtStep) -> None:
    assert TypeAdapter(Selector).validate_python(written) == meant
