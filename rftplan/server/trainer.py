"""The seam between the service and whatever trains. Knows neither HTTP nor storage nor time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rftplan.grading import Grader, Judge


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """All that a trainer may know. Rows are parsed data rows; `hyperparameters` as sent, "auto" included."""

    job_id: str
    model: str
    method: str  # supervised | dpo | reinforcement
    hyperparameters: Mapping[str, Any]
    seed: int
    train: Sequence[Mapping[str, Any]]
    valid: Sequence[Mapping[str, Any]]
    grader: Grader | None
    response_format: Mapping[str, Any] | None
    judge: Judge


@dataclass(frozen=True, slots=True)
class Step:
    """One training step: the data of its metrics event, and its checkpoint's metrics if it was validated."""

    number: int
    message: str
    metrics: Mapping[str, Any]
    checkpoint: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A whole training, computed at once; the service's clock reveals it step by step."""

    steps: Sequence[Step]
    hyperparameters: Mapping[str, Any]  # every "auto" replaced by the number that was used
    trained_tokens: int
    notes: Sequence[str] = ()  # what to know about the whole run, each to be said once as an event


class TrainingFailedError(Exception):
    """The job ends as failed with this error object."""

    def __init__(self, message: str, *, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class Trainer(Protocol):
    """Trains once a job. `name` is said in every output; `simulated` is True where no model is trained."""

    name: str
    simulated: bool

    def train(self, run: TrainingRun) -> Trajectory:
        """Deterministic in `run`; raises TrainingFailedError. Called in a worker thread, never on a read."""
        ...
