"""The hyperparameters of each method, as the API has them. Models only; what a provider takes of them is elsewhere."""

from __future__ import annotations

from typing import Annotated, Literal

from rftplan.kinds.spec import SpecModel, auto_int, auto_number


class SupervisedHyperparameters(SpecModel):
    batch_size: Annotated[int | str, auto_int(1, 256)] = "auto"
    learning_rate_multiplier: Annotated[int | float | str, auto_number(0)] = "auto"
    n_epochs: Annotated[int | str, auto_int(1, 50)] = "auto"


class DpoHyperparameters(SupervisedHyperparameters):
    beta: Annotated[int | float | str, auto_number(0, 2)] = "auto"


class ReinforcementHyperparameters(SupervisedHyperparameters):
    compute_multiplier: Annotated[int | float | str, auto_number(0.00001, 10)] = "auto"
    eval_interval: Annotated[int | str, auto_int(1)] = "auto"
    eval_samples: Annotated[int | str, auto_int(1)] = "auto"
    reasoning_effort: Literal["default", "low", "medium", "high"] = "default"
