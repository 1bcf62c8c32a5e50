"""The seam between the service and whatever trains. Knows neither HTTP nor storage nor time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct, field

if TYPE_CHECKING:
    from rftplan.grading import Grader, Judge


class Rows(Protocol):
    """Parsed data rows, to be gone through as often as wanted. They may be read from their file each time: what a
    trainer needs twice it keeps."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Mapping[str, Any]]: ...


class TrainingRun(Struct, frozen=True):
    """All that a trainer may know. `hyperparameters` as sent, "auto" included.

    `start` is what the fine-tuned model that is trained further answers from (`Step.model`; empty if nothing was
    kept of it). None for a base model, and where a run is read again only to answer from it. `recorded` are samples
    that a real model gave, each with the `item` of its row, to be drawn from instead of made-up ones.
    """

    job_id: str
    model: str
    method: str  # supervised | dpo | reinforcement
    hyperparameters: Mapping[str, Any]
    seed: int
    train: Rows
    valid: Rows
    grader: Grader | None
    response_format: Mapping[str, Any] | None
    judge: Judge
    start: Mapping[str, Any] | None = None
    recorded: Sequence[Mapping[str, Any]] = ()


class Step(Struct, frozen=True):
    """One training step: the data of its metrics event, and its checkpoint's metrics if it was validated.

    `model` is what a checkpoint of the step answers from: any JSON object that the trainer understands again, and
    that does not grow with the rows; None if it cannot answer. Every step has one, as a job may be paused after any.
    A validated step has one thing more: `samples` has for
    each validation row the places, in `Trajectory.answers`, of what was sampled, in the order drawn.
    """

    number: int
    message: str
    metrics: Mapping[str, Any]
    checkpoint: Mapping[str, Any] | None
    model: Mapping[str, Any] | None = None
    samples: Sequence[Sequence[int]] = ()


class ToolCall(Struct, frozen=True):
    """A function that a model wants called; `arguments` is text that should be a JSON object."""

    name: str
    arguments: str


class Said(Struct, frozen=True):
    """One distinct answer to a validation row, and the reply of the grader to it. `kind` is the trainer's own word."""

    text: str
    kind: str
    reward: float
    grader: Mapping[str, Any]
    tool_calls: Sequence[ToolCall] = ()


class Trajectory(Struct, frozen=True):
    """A whole training, computed at once; the service's clock reveals it step by step."""

    steps: Sequence[Step]
    hyperparameters: Mapping[str, Any]  # every "auto" replaced by the number that was used
    trained_tokens: int
    notes: Sequence[str] = ()  # what to know about the whole run, each to be said once as an event
    answers: Sequence[Sequence[Said]] = ()  # of each validation row, those that any step sampled


class TrainingFailedError(Exception):
    """The job ends as failed with this error object."""

    def __init__(self, message: str, *, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class RefusedRunError(Exception):
    """The trainer does not take this run on, and no job is made of it; the message says why, after a colon."""

    def __init__(self, message: str, *, param: str) -> None:
        super().__init__(message)
        self.param = param


class Hint(Struct, frozen=True):
    """What a request tells the trainer beyond the vendor's fields: the row that is asked about, and its grader."""

    item: Mapping[str, Any]
    grader: Grader | None = None


class Learned(Struct, frozen=True):
    """What a checkpoint has learned: `Step.model`, and the run that it comes from, read again when it is asked for.

    `run` raises OSError where its files are gone.
    """

    job_id: str
    model: Mapping[str, Any]
    run: Callable[[], TrainingRun]


class Question(Struct, frozen=True):
    """One prompt. `base` is the base model of whoever is asked; without `learned` it is asked itself.

    Messages and tools are those of chat completions. At `temperature` 0 the likeliest answer is wanted. Questions
    that differ in `seed` may be answered differently, the same question never.
    """

    base: str
    learned: Learned | None
    messages: Sequence[Mapping[str, Any]]
    seed: str
    tools: Sequence[Mapping[str, Any]] = ()
    response_format: Mapping[str, Any] | None = None
    hint: Hint | None = None
    temperature: float = 1.0
    reasoning_effort: str | None = None


class Answer(Struct, frozen=True):
    """What a model says. `completion_tokens` include those of reasoning; `told` is the trainer's own remark."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int = 0
    tool_calls: Sequence[ToolCall] = ()
    told: Mapping[str, Any] = field(default_factory=dict)


class RefusedQuestionError(Exception):
    """The trainer cannot take this of a question into account; the message says why."""


class Trainer(Protocol):
    """Trains once a job, and answers from what it trained.

    `name` is said in every output; `simulated` is True where no model is trained.
    """

    name: str
    simulated: bool

    def train(self, run: TrainingRun) -> Trajectory:
        """Deterministic in `run`; raises TrainingFailedError, RefusedRunError. Called in a worker thread, never on a
        read."""
        ...

    def answer(self, question: Question) -> Answer:
        """Deterministic in `question`, trains nothing; raises RefusedQuestionError. Called in worker threads, several
        at a time."""
        ...
