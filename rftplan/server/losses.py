"""Simulated supervised and dpo training: losses that fall as such losses do. Learns nothing from the rows.

Only the number of rows, their length and the hyperparameters shape the curves: there is no model to be wrong.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from msgspec import Struct

from rftplan.server.hyperparameters import Passes, number_sent, passes_of
from rftplan.server.tokens import CHARACTERS_PER_TOKEN
from rftplan.server.trainer import Rows, Step, TrainingRun, Trajectory
from rftplan.server.work import check_steps

_AUTO_EPOCHS = 3
# Where the loss starts and what it can reach: dpo starts at ln 2, where both answers are equally likely.
_START = {"supervised": 1.6, "dpo": math.log(2)}
_FLOOR = {"supervised": 0.35, "dpo": 0.15}
_NOISE = 0.04
_OVERFITTING_PER_EPOCH = 0.03  # of the validation loss, from the third epoch on


class _Curve(Struct, frozen=True):
    """The loss by how many epochs are done; `rate` is how fast it falls."""

    start: float
    floor: float
    rate: float

    def at(self, epochs: float) -> float:
        return self.floor + (self.start - self.floor) * math.exp(-1.5 * self.rate * epochs)

    def at_validation(self, epochs: float) -> float:
        return self.at(epochs) * 1.05 + _OVERFITTING_PER_EPOCH * max(0.0, epochs - 2) * self.rate


def simulate_losses(run: TrainingRun) -> Trajectory:
    """The whole run; `valid_*` and `full_valid_*` are left out where there is no validation file."""
    rows = len(run.train)
    passes = passes_of(
        run.hyperparameters, rows=rows, auto_batch=min(256, max(1, rows // 32)), auto_epochs=_AUTO_EPOCHS
    )
    check_steps(passes, method=run.method)
    rate = number_sent(run.hyperparameters, "learning_rate_multiplier", 1.0)
    # The square root: a rate twice as high does not learn twice as fast.
    curve = _Curve(_start(run), _FLOOR.get(run.method, 0.35), math.sqrt(rate))
    rng = Random(f"{run.seed}:losses")
    return Trajectory(
        steps=[_step(number, passes, curve, rng, run) for number in _numbers(passes)],
        hyperparameters=_decided(run, passes, rate),
        trained_tokens=_tokens(run.train) * passes.n_epochs,
        notes=list(_notes(run)),
    )


def _notes(run: TrainingRun) -> Iterator[str]:
    yield (
        "No model is trained: losses follow a curve that depends on the number of rows and the"
        " hyperparameters alone, not on what the rows say."
    )
    if run.start is not None and run.start.get("method") == run.method:
        yield f"The loss goes on from where {run.model} ended."
    elif run.start is not None:
        yield f"The loss starts as of a base model: {run.model} was not trained by the method {run.method} before."


def _start(run: TrainingRun) -> float:
    """Where the loss starts: of a model that was trained by the same method before, where that ended."""
    usual, before = _START.get(run.method, 1.6), run.start or {}
    if before.get("method") != run.method:
        return usual
    return min(usual, max(_FLOOR.get(run.method, 0.35), -math.log(before["token_accuracy"])))


def _numbers(passes: Passes) -> range:
    return range(1, passes.total_steps + 1)


def _step(number: int, passes: Passes, curve: _Curve, rng: Random, run: TrainingRun) -> Step:
    epochs = number / passes.steps_per_epoch
    metrics = _pair("train", curve.at(epochs) * _noise(rng))
    message = f"Step {number}/{passes.total_steps}: training loss={metrics['train_loss']:.2f}"
    if run.valid:
        metrics |= _pair("valid", curve.at_validation(epochs) * _noise(rng))
        message += f", validation loss={metrics['valid_loss']:.2f}"
    model = {"method": run.method, "token_accuracy": metrics["train_mean_token_accuracy"]}
    if number % passes.steps_per_epoch:
        return Step(number, message, _data(number, passes, metrics), None, model)
    if run.valid:
        metrics |= _pair("full_valid", curve.at_validation(epochs))
        message += f", full validation loss={metrics['full_valid_loss']:.2f}"
    return Step(number, message, _data(number, passes, metrics), metrics, model)


def _pair(split: str, loss: float) -> dict[str, float]:
    return {f"{split}_loss": round(loss, 5), f"{split}_mean_token_accuracy": round(math.exp(-loss), 5)}


def _data(number: int, passes: Passes, metrics: Mapping[str, float]) -> dict[str, Any]:
    return {"step": number, "total_steps": passes.total_steps, **metrics, "simulation": {"trainer": "simulation"}}


def _noise(rng: Random) -> float:
    return 1 + rng.uniform(-_NOISE, _NOISE)


def _decided(run: TrainingRun, passes: Passes, rate: float) -> dict[str, Any]:
    decided: dict[str, Any] = {
        "n_epochs": passes.n_epochs,
        "batch_size": passes.batch_size,
        "learning_rate_multiplier": rate,
    }
    return decided | ({"beta": number_sent(run.hyperparameters, "beta", 0.1)} if run.method == "dpo" else {})


def _tokens(rows: Rows) -> int:
    return sum(len(json.dumps(row)) for row in rows) // CHARACTERS_PER_TOKEN
