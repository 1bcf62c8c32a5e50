"""Which checkpoint a deployment takes: the best, the last, one step, or the most or least of a metric. Pure; judges
nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, TypeAlias, assert_never

from pydantic import Discriminator, Field, PlainValidator, Tag
from pydantic_core import PydanticCustomError

from rftplan.api.port import Checkpoint
from rftplan.canonical import Json
from rftplan.kinds.spec import Int, SpecModel, Str, shown


class Pick(StrEnum):
    """How a checkpoint is chosen when the spec names no step."""

    BEST = "best"
    FINAL = "final"


class Take(StrEnum):
    """Which end of a metric is wanted."""

    MAX = "max"
    MIN = "min"


class AtStep(SpecModel):
    """`{step: 12}`: exactly this one."""

    step: Annotated[Int, Field(ge=1)]


class ByMetric(SpecModel):
    """`{metric: valid_loss, take: min}`: the most or the least of what checkpoints carry."""

    metric: Annotated[Str, Field(min_length=1)]
    take: Take


Chosen: TypeAlias = "Pick | AtStep | ByMetric"


def _selector_tag(value: Any) -> str:
    if isinstance(value, ByMetric) or (isinstance(value, Mapping) and not {"metric", "take"}.isdisjoint(value)):
        return "metric"
    return "step" if isinstance(value, Mapping | AtStep) else "pick"


def _pick(value: Any) -> Pick:
    if isinstance(value, str) and value in tuple(Pick):
        return Pick(value)
    raise PydanticCustomError("selector", "must be best, final, {form}, not {given}", _form(value))


def _form(value: Any) -> dict[str, Any]:
    hint = f"write {{step: {value}}}" if isinstance(value, int) and not isinstance(value, bool) else None
    return {"form": "{step: N} or {metric: NAME, take: max}", "given": shown(value), "hint": hint}


Selector = Annotated[
    Annotated[Pick, PlainValidator(_pick), Tag("pick")]
    | Annotated[AtStep, Tag("step")]
    | Annotated[ByMetric, Tag("metric")],
    Discriminator(_selector_tag),
]

BEST_BY: Final = ("valid_reward_mean", "valid_loss", "full_valid_loss")
"""`best` goes by the first of these that checkpoints carry: the highest reward, or the lowest loss."""


def identity_of(selector: Chosen) -> Json:
    """As the lock keeps it."""
    match selector:
        case Pick():
            return selector.value
        case AtStep(step=step):
            return {"step": step}
        case ByMetric(metric=metric, take=take):
            return {"metric": metric, "take": take.value}
        case _:
            assert_never(selector)


def said_as(selector: Chosen) -> str:
    """In words, for a person."""
    match selector:
        case Pick():
            return selector.value
        case AtStep(step=step):
            return f"step {step}"
        case ByMetric(metric=metric, take=take):
            return f"the {take} of {metric}"
        case _:
            assert_never(selector)


def goes_by(selector: Chosen, checkpoints: Sequence[Checkpoint]) -> str | None:
    """The metric that chooses among these; None where none does."""
    match selector:
        case ByMetric(metric=metric):
            return metric
        case Pick.BEST:
            return next((metric for metric in BEST_BY if _rated(metric, checkpoints)), None)
        case _:
            return None


def choose(selector: Chosen, checkpoints: Sequence[Checkpoint]) -> Checkpoint | None:
    """The candidate, ties to the lower step; None if there is none."""
    by_step = sorted(checkpoints, key=lambda c: c.step)
    match selector:
        case AtStep(step=step):
            return next((c for c in by_step if c.step == step), None)
        case Pick.FINAL:
            return by_step[-1] if by_step else None
        case Pick.BEST:
            metric = goes_by(selector, by_step)
            return _most(by_step, metric, Take.MAX if metric == BEST_BY[0] else Take.MIN) if metric else None
        case ByMetric(metric=metric, take=take):
            return _most(by_step, metric, take)
        case _:
            assert_never(selector)


def _most(by_step: Sequence[Checkpoint], metric: str, take: Take) -> Checkpoint | None:
    sign = -1 if take is Take.MAX else 1

    return min(_rated(metric, by_step), key=lambda c: (sign * c.metrics[metric], c.step), default=None)


def _rated(metric: str, checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    return [c for c in checkpoints if math.isfinite(c.metrics.get(metric, math.nan))]
