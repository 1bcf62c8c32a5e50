"""Which checkpoint, and whether it is good enough: selectors and gates. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, assert_never

from pydantic import Discriminator, Field, PlainValidator, Tag, model_validator
from pydantic_core import PydanticCustomError

from rftplan.api.port import Checkpoint
from rftplan.changes import Evidence
from rftplan.kinds.spec import Int, Name, Number, SpecModel, Str, shown


class Pick(StrEnum):
    """How a checkpoint is chosen when the spec names no step."""

    BEST = "best"
    FINAL = "final"


class AtStep(SpecModel):
    """`{step: 12}`: exactly this one."""

    step: Annotated[Int, Field(ge=1)]


def _selector_tag(value: Any) -> str:
    return "step" if isinstance(value, Mapping | AtStep) else "pick"


def _pick(value: Any) -> Pick:
    if isinstance(value, str) and value in tuple(Pick):
        return Pick(value)
    raise PydanticCustomError("selector", "must be best, final or {form}, not {given}", _form(value))


def _form(value: Any) -> dict[str, Any]:
    hint = f"write {{step: {value}}}" if isinstance(value, int) and not isinstance(value, bool) else None
    return {"form": "{step: N}", "given": shown(value), "hint": hint}


Selector = Annotated[
    Annotated[Pick, PlainValidator(_pick), Tag("pick")] | Annotated[AtStep, Tag("step")],
    Discriminator(_selector_tag),
]

BEST_BY = ("valid_reward_mean", "valid_loss", "full_valid_loss")
"""`best` goes by the first of these that checkpoints carry: the highest reward, or the lowest loss."""


KNOWN_METRICS = (
    *BEST_BY,
    "train_reward_mean",
    "full_valid_mean_reward",
    "train_mean_reward",
    "full_valid_mean_parse_error",
    "mean_unresponsive_rewards",
    "completion_tokens_mean",
    "reasoning_tokens_mean",
    "valid_reasoning_tokens_mean",
    "train_loss",
    "train_mean_token_accuracy",
    "valid_mean_token_accuracy",
    "full_valid_mean_token_accuracy",
)
"""What checkpoints are known to carry besides their `step`; a service may give more."""


class HeldOut(SpecModel):
    """Rows that were used neither to train nor to choose, and the grader that scores answers to them."""

    file: Name
    grader: Name


class Gate(SpecModel):
    """A condition on one figure of the checkpoint: a metric that it carries, or the mean score on held-out rows.
    Missing or not a number fails."""

    metric: Str | None = None
    held_out: HeldOut | None = None
    at_least: Number | None = None
    at_most: Number | None = None

    @property
    def subject(self) -> str:
        """What is judged, in words."""
        of = self.held_out
        return f"held_out file.{of.file} by grader.{of.grader}" if of else str(self.metric)

    @model_validator(mode="after")
    def _bounded(self) -> Gate:
        if (self.metric is None) == (self.held_out is None):
            about = {"hint": "write a gate for each" if self.metric else "add metric: valid_reward_mean"}
            raise PydanticCustomError("gate", "a gate has one subject, metric or held_out", about)
        if self.at_least is None and self.at_most is None:
            raise PydanticCustomError("gate", "a gate needs at_least or at_most, or both")
        return self


def choose(selector: Pick | AtStep, checkpoints: Sequence[Checkpoint]) -> Checkpoint | None:
    """The candidate, ties to the lower step; None if there is none."""
    by_step = sorted(checkpoints, key=lambda c: c.step)
    match selector:
        case AtStep(step=step):
            return next((c for c in by_step if c.step == step), None)
        case Pick.FINAL:
            return by_step[-1] if by_step else None
        case Pick.BEST:
            return _best(by_step)
        case _:
            assert_never(selector)


def _best(by_step: Sequence[Checkpoint]) -> Checkpoint | None:
    for metric in BEST_BY:
        rated = [c for c in by_step if math.isfinite(c.metrics.get(metric, math.nan))]
        if rated:
            sign = -1 if metric == "valid_reward_mean" else 1
            return min(rated, key=lambda c: (sign * c.metrics[metric], c.step))
    return None


def judge(
    gates: Sequence[Gate],
    candidate: Checkpoint,
    selector: Pick | AtStep,
    candidates: int,
    *,
    caveat: str = "",
) -> tuple[Evidence, ...]:
    """What every gate saw. Promotion needs all of them passed. `caveat` is what is known against the whole run."""
    source = f"checkpoint step {candidate.step}"
    return tuple(
        Evidence(
            metric=gate.subject,
            value=_figure(candidate, gate),
            at_least=gate.at_least,
            at_most=gate.at_most,
            passed=_passes(gate, _figure(candidate, gate)),
            source=source,
            caveats=(*_caveats(gate, candidate, selector, candidates), *([caveat] if caveat else [])),
        )
        for gate in gates
    )


def _figure(candidate: Checkpoint, gate: Gate) -> float | None:
    value = candidate.metrics.get(gate.metric) if gate.metric is not None else None
    return value if value is not None and math.isfinite(value) else None


def _passes(gate: Gate, value: float | None) -> bool:
    if value is None:
        return False
    return (gate.at_least is None or value >= gate.at_least) and (gate.at_most is None or value <= gate.at_most)


def _caveats(gate: Gate, candidate: Checkpoint, selector: Pick | AtStep, candidates: int) -> tuple[str, ...]:
    caveats = []
    if gate.held_out is not None:
        caveats.append("held-out rows are not evaluated yet")
    elif gate.metric not in candidate.metrics:
        caveats.append(f"this checkpoint has {', '.join(sorted(candidate.metrics)) or 'no figures'}")
    if selector is Pick.BEST and gate.metric in BEST_BY and candidates > 1:
        caveats.append(f"selected on it, best of {candidates} checkpoints")
    if candidate.simulation is not None:
        caveats.append("SIMULATED")
        if candidate.simulation.judge:
            caveats.append(candidate.simulation.judge)
    return tuple(caveats)
