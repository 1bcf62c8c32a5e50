"""How far a job is, and how long its steps took, from the events that the service keeps. Reads only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from rftplan.api.port import JobEvent, JobStatus, Port, RemoteJob
from rftplan.canonical import Json, JsonObject
from rftplan.events import Quality
from rftplan.kinds.job.quality import quality_of
from rftplan.kinds.job.trouble import grader_errors
from rftplan.typed_json import finite_of

NEWEST_EVENTS: Final = 40
Figure = TypeVar("Figure", int, float)


class Progress(Struct, frozen=True):
    """The newest figures of a job, as far as its newest events go: rewards of a reinforcement job, losses of any other.
    `seconds` is how long all of its steps took by the
    service's own account; None if it does not account for every one."""

    step: int | None = None
    total_steps: int | None = None
    train_reward: float | None = None
    valid_reward: float | None = None
    grader_errors: tuple[str, ...] = ()
    seconds: float | None = None
    quality: Quality | None = None
    train_loss: float | None = None
    valid_loss: float | None = None


NO_PROGRESS: Final = Progress()


async def progress_of(port: Port, job: RemoteJob) -> Progress:
    """The newest step and figures; the time, too, of a job that succeeded, for which all events are read."""
    if job.status is not JobStatus.SUCCEEDED:
        return newest_figures(await port.list_events(job.id, limit=NEWEST_EVENTS))
    events = await port.list_events(job.id)
    return replace(newest_figures(events[:NEWEST_EVENTS]), seconds=seconds_of_steps(events))


def seconds_of_steps(events: Sequence[JobEvent]) -> float | None:
    """The time of the core loop, which is what is billed: every step's own, once each; queue, validation of the files
    and safety checks are in none. None if a step is missing, or does not say its time. `events` newest first: of a
    step that was done again after a pause, the last time counts."""
    times: dict[int, float] = {}
    for event in events:
        step = whole(event.data.get("step"))
        if event.type == "metrics" and step is not None and step not in times:
            seconds = seconds_of_step(event.data)
            if seconds is None:
                return None
            times[step] = seconds
    if not times or set(times) != set(range(1, max(times) + 1)):
        return None
    return sum(times.values())


def seconds_of_step(data: JsonObject) -> float | None:
    """How long this step took in the core loop, by the service's own account."""
    timing = data.get("timing")
    step = timing.get("step") if isinstance(timing, dict) else None
    seconds = figure_of(step.get("full_iteration")) if isinstance(step, dict) else None
    return seconds if seconds is not None and math.isfinite(seconds) and seconds >= 0 else None


def train_reward(data: JsonObject) -> float | None:
    return figure_of(_score(data, "train_reward_mean"), data.get("train_mean_reward"))


def valid_reward(data: JsonObject) -> float | None:
    return figure_of(_score(data, "valid_reward_mean"), data.get("full_valid_mean_reward"))


def valid_loss(data: JsonObject) -> float | None:
    return figure_of(data.get("full_valid_loss"), data.get("valid_loss"))


def newest_figures(events: Sequence[JobEvent]) -> Progress:
    """Pure half of `progress_of`; `events` newest first. The validation figure may be of an earlier step."""
    told = [event.data for event in events if event.type == "metrics"]
    return Progress(
        _first(whole(data.get("step")) for data in told),
        _first(whole(data.get("total_steps")) for data in told),
        _first(map(train_reward, told)),
        _first(map(valid_reward, told)),
        grader_errors(events),
        quality=quality_of(events),
        train_loss=_first(figure_of(data.get("train_loss")) for data in told),
        valid_loss=_first(map(valid_loss, told)),
    )


def _first(figures: Iterable[Figure | None]) -> Figure | None:
    return next((figure for figure in figures if figure is not None), None)


def _score(data: JsonObject, name: str) -> Json:
    scores = data.get("scores")
    return scores.get(name) if isinstance(scores, dict) else None


def whole(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def figure_of(*values: Json) -> float | None:
    """The first of them that is a number."""
    for value in values:
        if isinstance(value, float) or finite_of(value) is not None:
            return float(value)  # type: ignore[arg-type]
    return None
