"""How much a simulated run would be, and how much is too much: it must end while somebody waits. Draws nothing."""

from __future__ import annotations

import math
from typing import Final

from msgspec import Struct

from rftplan.server.hyperparameters import Passes, ReinforcementNumbers
from rftplan.server.trainer import RefusedRunError

MOST_STEPS: Final = 50_000
"""Each leaves an event; so many take about 10 s and 350 MB."""
MOST_SAMPLES: Final = 10_000_000
"""Of training and validation together; so many take about 20 s."""


class Work(Struct, frozen=True):
    """Samples to be drawn, by what they are drawn for."""

    training: int
    validation: int


def check_steps(passes: Passes, *, method: str) -> None:
    """Raises RefusedRunError where no number of samples would make the run small enough."""
    if passes.total_steps > MOST_STEPS:
        said = f"it would take {passes.total_steps:,} steps, and at most {MOST_STEPS:,} are simulated"
        raise RefusedRunError(f"{said}. Raise batch_size or lower n_epochs.", param=_param(method, "batch_size"))


def check_samples(numbers: ReinforcementNumbers, work: Work) -> None:
    """Raises RefusedRunError with the hyperparameter that does most."""
    if work.training + work.validation <= MOST_SAMPLES:
        return
    name, advice = "eval_samples", "Lower eval_samples or raise eval_interval."
    if work.training > work.validation:
        name = "compute_multiplier" if numbers.compute_multiplier > 1 else "n_epochs"
        advice = "Lower n_epochs or compute_multiplier, or train on fewer rows."
    said = (
        f"it would draw {work.training:,} samples to train and {work.validation:,} to validate,"
        f" and at most {MOST_SAMPLES:,} are simulated"
    )
    raise RefusedRunError(f"{said}. {advice}", param=_param("reinforcement", name))


def work_of(numbers: ReinforcementNumbers, *, train: int, valid: int) -> Work:
    """Of files with so many rows. The last step is validated, too."""
    steps = Passes(numbers.n_epochs, numbers.batch_size, train).total_steps
    validations = math.ceil(steps / numbers.eval_interval)
    return Work(numbers.n_epochs * train * numbers.group, validations * valid * numbers.eval_samples)


def _param(method: str, name: str) -> str:
    return f"method.{method}.hyperparameters.{name}"
