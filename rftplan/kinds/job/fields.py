"""Fields at the top of a create request: the API's own, and those that people write there by mistake. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rftplan.kinds.job.hyperparameters import DpoHyperparameters, ReinforcementHyperparameters

API: Final = (
    "model",
    "training_file",
    "validation_file",
    "method",
    "hyperparameters",
    "seed",
    "suffix",
    "metadata",
    "integrations",
)
OURS: Final = frozenset(
    {"run", "retry", "lifecycle", "extra_body", "variants", "budget", "require_data_sharing", "guards", "simulate"}
)
OURS_HINT: Final = "take it out: it is a word of rftplan's own specs"

REFUSED: Final[Mapping[str, str]] = {
    "etest_samples": "write method.reinforcement.hyperparameters.eval_samples",
    "test_file": "write validation_file",
}
"""Older names, which the service answers with an error (FACTS §3.3)."""

_HYPERPARAMETERS: Final = (*ReinforcementHyperparameters.model_fields, *DpoHyperparameters.model_fields)
MISPLACED: Final[Mapping[str, str]] = {
    **dict.fromkeys(_HYPERPARAMETERS, "write it under hyperparameters of the method"),
    **dict.fromkeys(("grader", "response_format"), "write it under method.reinforcement"),
    **dict.fromkeys(("supervised", "dpo", "reinforcement", "type"), "write it under method"),
    **dict.fromkeys(("run", "retry", "lifecycle"), "write it beside extra_body: it is never sent"),
    "wandb": "write it under integrations, with type: wandb",
    "hyperparameters": "write it under the method, for beside one it is ignored",
    "trainingType": "take it out: it is a field of Azure's",
}
"""Fields that the API knows at another place."""

ELSEWHERE: Final = (REFUSED.keys() | MISPLACED.keys()) - set(API)
