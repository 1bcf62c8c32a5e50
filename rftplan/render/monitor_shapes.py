"""The documents about jobs that train: watched, and looked at once. Types alone."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from rftplan.canonical import JsonObject


class PointDocument(TypedDict):
    """One step; null is "not said"."""

    step: int
    at: int
    train_reward: float | None
    valid_reward: float | None
    train_loss: float | None
    valid_loss: float | None
    train_right: float | None
    valid_right: float | None
    answer_tokens: float | None
    reasoning_tokens: float | None
    seconds: float | None


class GraderFaultDocument(TypedDict):
    """Answers of one split of one step that a grader could not score."""

    grader: str
    error: str
    split: str
    count: int
    of: int


class JudgeTokensDocument(TypedDict):
    """Tokens of the whole run; `cached` are part of `read`."""

    read: int
    written: int
    cached: int


class TokensDocument(TypedDict):
    answer: float | None
    reasoning: float | None
    growth: float | None
    judges: dict[str, JudgeTokensDocument]
    trained: int | None


class MoneyDocument(TypedDict):
    usd: float | None
    at_most: bool
    basis: str
    hour_usd: float | None
    read: str | None
    source: str | None
    judged: bool
    judges_usd: float | None


class RemainingDocument(TypedDict):
    seconds: float
    basis: str
    steps: int | None


class StallDocument(TypedDict):
    quiet: float
    allowed: float
    slowest: float | None


class EventDocument(TypedDict):
    """`at` is in seconds since the epoch."""

    id: str
    at: int
    level: str
    type: str
    message: str
    data: NotRequired[JsonObject]


class CheckpointDocument(TypedDict):
    step: int
    model: str
    id: str
    at: int
    best: bool
    metrics: dict[str, float]


class TrainingDocument(TypedDict):
    """One job. Times in seconds; null is "not known"."""

    address: str | None
    id: str
    model: str
    status: str
    simulated: bool
    judge: str | None
    step: int | None
    total_steps: int | None
    points: list[PointDocument]
    grader_errors: list[GraderFaultDocument]
    tokens: TokensDocument
    verdict: str | None
    separates: bool | None
    hacked: str | None
    elapsed: float
    remaining: RemainingDocument | None
    money: MoneyDocument
    quiet: float
    last_event: EventDocument | None
    stall: StallDocument | None
    checkpoints: list[CheckpointDocument]
    fine_tuned_model: str | None
    guarded_by: str | None


class EndingDocument(TypedDict):
    """How watching a job ended."""

    end: str
    ours: bool
    needs_a_person: bool
    detail: str


class WatchDocument(TypedDict):
    """One line of the stream. Its `points` are those that no line before it had."""

    format: str
    at: float
    news: list[str]
    training: TrainingDocument
    unanswered: str | None
    ending: EndingDocument | None


class EventsDocument(TypedDict):
    format: str
    address: str | None
    id: str
    status: str
    simulated: bool
    events: list[EventDocument]
    more: bool


class FigureRowDocument(TypedDict):
    """`figures` has every number that the service told of the step, by its path."""

    point: PointDocument
    grader_errors: list[GraderFaultDocument]
    figures: dict[str, float]


class MetricsDocument(TypedDict):
    format: str
    address: str | None
    id: str
    status: str
    simulated: bool
    total_steps: int | None
    rows: list[FigureRowDocument]


class CheckpointsDocument(TypedDict):
    format: str
    address: str | None
    id: str
    status: str
    simulated: bool
    checkpoints: list[CheckpointDocument]


class SampledAnswerDocument(TypedDict):
    """One answer; with any of `errors` the reward means nothing."""

    text: str
    tools: list[JsonObject]
    reward: float | None
    errors: dict[str, str]
    kind: str | None


class SampledRowDocument(TypedDict):
    """One validation row, counted from 0. `change` is how much its mean reward rose since the other step."""

    row: int
    messages: list[JsonObject]
    item: JsonObject
    reward: float | None
    answers: list[SampledAnswerDocument]
    against_reward: NotRequired[float | None]
    against_answers: NotRequired[list[SampledAnswerDocument]]
    change: NotRequired[float | None]


class SamplesDocument(TypedDict):
    format: str
    address: str | None
    id: str
    simulated: bool
    step: int
    against: int | None
    rows: list[SampledRowDocument]
