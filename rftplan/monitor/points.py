"""The steps of a run, each with its figures, in their order: from metrics events. Pure; judges nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field

from rftplan.api.port import JobEvent
from rftplan.canonical import Json, JsonObject
from rftplan.kinds.job.progress import (
    seconds_of_step,
    train_reward,
    valid_loss,
    valid_reward,
    whole,
)
from rftplan.kinds.job.quality import right_shares
from rftplan.kinds.job.trouble import GraderFault, faults_in
from rftplan.typed_json import finite_of


class JudgeTokens(Struct, frozen=True):
    """Tokens that a model read and wrote as a grader; `cached` are those of `read` that were read from a cache."""

    read: int = 0
    written: int = 0
    cached: int = 0

    def __add__(self, other: JudgeTokens) -> JudgeTokens:
        return JudgeTokens(self.read + other.read, self.written + other.written, self.cached + other.cached)


class Point(Struct, frozen=True):
    """One step. None is "not said": of a step that was not validated, its validation figures. `at` is when it was told,
    in seconds since the epoch; `seconds` how long it took by the service's own account; tokens are means over the
    answers. `figures` has every number of the event by its path."""

    step: int
    at: int
    total_steps: int | None = None
    train_reward: float | None = None
    valid_reward: float | None = None
    train_loss: float | None = None
    valid_loss: float | None = None
    train_right: float | None = None
    valid_right: float | None = None
    answer_tokens: float | None = None
    reasoning_tokens: float | None = None
    seconds: float | None = None
    faults: tuple[GraderFault, ...] = ()
    judges: Mapping[str, JudgeTokens] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)


def points_of(events: Sequence[JobEvent]) -> tuple[Point, ...]:
    """By step. `events` newest first: of a step that was done again after a pause, the last time counts."""
    found: dict[int, Point] = {}
    for event in events:
        step = whole(event.data.get("step"))
        if event.type == "metrics" and step is not None and step not in found:
            found[step] = _point(step, event)
    return tuple(found[step] for step in sorted(found))


def _point(step: int, event: JobEvent) -> Point:
    data = event.data
    train_right, valid_right = right_shares(data)
    return Point(
        step=step,
        at=event.created_at,
        total_steps=whole(data.get("total_steps")),
        train_reward=finite_of(train_reward(data)),
        valid_reward=finite_of(valid_reward(data)),
        train_loss=finite_of(data.get("train_loss")),
        valid_loss=finite_of(valid_loss(data)),
        train_right=train_right,
        valid_right=valid_right,
        answer_tokens=finite_of(data.get("completion_tokens_mean")),
        reasoning_tokens=finite_of(data.get("reasoning_tokens_mean")),
        seconds=seconds_of_step(data),
        faults=(*faults_in(data, "valid"), *faults_in(data, "train")),
        judges=dict(_judges(data.get("model_graders_token_usage"))),
        figures=dict(_numbers(data, "")),
    )


def _judges(usage: Json) -> Iterator[tuple[str, JudgeTokens]]:
    for model, said in usage.items() if isinstance(usage, dict) else ():
        if isinstance(said, dict):
            yield model, JudgeTokens(*(_both(said, kind) for kind in ("prompt", "completion", "cached")))


def _both(said: JsonObject, kind: str) -> int:
    """Of training and validation together."""
    figures = (finite_of(said.get(f"{split}_{kind}_tokens")) for split in ("train", "eval"))
    return round(sum(figure for figure in figures if figure is not None))


def _numbers(value: Json, path: str) -> Iterator[tuple[str, float]]:
    """Every finite number with its path; an item of a list goes by its `name`, where it has one."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            name = item.get("name") if isinstance(item, dict) else None
            yield from _numbers(item, f"{path}.{name if isinstance(name, str) else number}")
    elif (figure := finite_of(value)) is not None:
        yield path, figure
