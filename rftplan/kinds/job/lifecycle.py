"""`lifecycle` of a job, and the names of the fields whose edits it may let stand. Models only; compares nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from rftplan.kinds.job.hyperparameters import (
    DpoHyperparameters,
    ReinforcementHyperparameters,
    SupervisedHyperparameters,
)
from rftplan.kinds.spec import ReplacedLifecycle, SpecModel, Str, shown
from rftplan.spelling import close_names

_METHODS: Final[Mapping[str, type[SpecModel]]] = {
    "reinforcement": ReinforcementHyperparameters,
    "supervised": SupervisedHyperparameters,
    "dpo": DpoHyperparameters,
}
_OPEN: Final = ("method.reinforcement.grader", "method.reinforcement.response_format", "extra_body")
"""What has fields of its own below."""
_WHOLE: Final = ("model", "training_file", "validation_file", "seed", "suffix", "integrations", "method", "method.type")
_IGNORABLE: Final = (
    *_WHOLE,
    *_OPEN,
    *(f"method.{method}{rest}" for method in _METHODS for rest in ("", ".hyperparameters")),
    *(f"method.{method}.hyperparameters.{name}" for method, model in _METHODS.items() for name in model.model_fields),
    "hyperparameters",
    *(f"hyperparameters.{name}" for name in SupervisedHyperparameters.model_fields),
)
"""The fields that make a job what it is, as a spec writes them."""
_NO_IDENTITY: Final = frozenset({"metadata", "simulate", "run", "retry", "budget", "require_data_sharing", "lifecycle"})


def _ignorable(field: str) -> str:
    if field in _IGNORABLE or field.startswith(tuple(f"{path}." for path in _OPEN)):
        return field
    about = {"given": shown(field)}
    if field.partition(".")[0] in _NO_IDENTITY:
        hint = "take it out: nothing is launched again for an edit of it"
        raise PydanticCustomError(
            "ignored", "{given} is no part of what makes a job what it is", {**about, "hint": hint}
        )
    below = [one for one in _IGNORABLE if one.endswith(f".{field}")]
    close = below or close_names(field, _IGNORABLE)
    hint = f"did you mean {close[0]}?" if close else f"such as {', '.join(_WHOLE)}"
    raise PydanticCustomError("ignored", "{given} is not a field of a job", {**about, "hint": hint})


class JobLifecycle(ReplacedLifecycle):
    """What must not happen to a job, and edits that launch nothing again."""

    ignore_changes: tuple[Annotated[Str, AfterValidator(_ignorable)], ...] = ()
