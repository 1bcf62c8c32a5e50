"""Supervised and dpo: losses that fall, by the numbers of the job and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from rftplan.server.simulate import SimulatingTrainer
from rftplan.server.trainer import Trajectory
from tests.server.simulation import make_run, short_rows


def trained(method: str, *, valid: int = 20, start: Any = None, **hyperparameters: object) -> Trajectory:
    run = make_run(
        short_rows(96),
        short_rows(valid),
        grader=None,
        response_format=None,
        method=method,
        start=start,
        **hyperparameters,
    )
    return SimulatingTrainer().train(run)


@pytest.mark.parametrize("method", ["supervised", "dpo"])
def test_losses_fall_and_accuracy_rises(method: str) -> None:
    trajectory = trained(method)
    first, last = trajectory.steps[0].metrics, trajectory.steps[-1].metrics
    assert last["train_loss"] < first["train_loss"] * 0.7
    assert last["valid_loss"] < first["valid_loss"]
    assert last["train_mean_token_accuracy"] > first["train_mean_token_accuracy"]
    assert all(0 < step.metrics["train_mean_token_accuracy"] < 1 for step in trajectory.steps)
    assert trajectory == trained(method)


def test_each_epoch_ends_in_a_full_validation_and_a_checkpoint() -> None:
    trajectory = trained("supervised", n_epochs=2, batch_size=32)
    assert [step.number for step in trajectory.steps if step.checkpoint] == [3, 6]
    assert trajectory.steps[2].checkpoint is not None
    assert "full_valid_loss" in trajectory.steps[2].checkpoint
    assert trajectory.steps[2].message.startswith("[SIMULATED] Step 3/6: training loss=")
    assert "full validation loss=" in trajectory.steps[2].message


def test_without_a_validation_file_there_is_no_validation_loss() -> None:
    trajectory = trained("supervised", valid=0)
    assert not any("valid" in name for step in trajectory.steps for name in step.metrics)
    assert trajectory.steps[-1].checkpoint


def test_auto_becomes_numbers() -> None:
    assert trained("supervised", n_epochs="auto").hyperparameters == {
        "n_epochs": 3,
        "batch_size": 3,
        "learning_rate_multiplier": 1.0,
    }
    assert trained("dpo", beta="auto").hyperparameters["beta"] == 0.1
    assert trained("dpo", beta=0.3).hyperparameters["beta"] == 0.3


def test_a_higher_learning_rate_falls_faster() -> None:
    slow, fast = (trained("supervised", learning_rate_multiplier=rate) for rate in (0.1, 2))
    assert fast.steps[-1].metrics["train_loss"] < slow.steps[-1].metrics["train_loss"]


def test_every_message_says_that_it_is_simulated() -> None:
    trajectory = trained("dpo")
    assert all(step.message.startswith("[SIMULATED] ") for step in trajectory.steps)
    assert trajectory.notes[0].startswith("[SIMULATED] No model is trained")
    assert trajectory.trained_tokens > 0


@pytest.mark.parametrize("method", ["supervised", "dpo"])
def test_a_model_that_is_trained_further_by_its_method_goes_on_from_its_loss(method: str) -> None:
    first = trained(method)
    further = trained(method, start=first.steps[-1].model, n_epochs=1)
    ended = first.steps[-1].metrics["train_loss"]
    assert further.steps[0].metrics["train_loss"] <= ended * 1.1
    assert further.steps[-1].metrics["train_loss"] < ended
    assert any("goes on from where o4-mini-2025-04-16 ended" in note for note in further.notes)


def test_a_model_that_was_trained_by_another_method_starts_as_a_base_model() -> None:
    further = trained("dpo", start=trained("supervised").steps[-1].model)
    assert further.steps == trained("dpo").steps
    assert any("not trained by the method dpo before" in note for note in further.notes)
