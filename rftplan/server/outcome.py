"""What will become of a job: reads its data, parses its grader, trains. Stores and reveals nothing.

The vendor finds these mistakes when the job starts, not when it is created; here all of it happens in the
create call, and the clock reveals it later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from rftplan.grading import Grader, GraderError, Judge
from rftplan.server.datafile import DataError, DataRole, read_rows, wrong_purpose
from rftplan.server.job_request import JobRequest
from rftplan.server.lifecycle import Status
from rftplan.server.stored_job import Failure
from rftplan.server.trainer import Rows, Said, Step, Trainer, TrainingFailedError, TrainingRun

_GRADER = "method.reinforcement.grader"


class DataSource(Struct, frozen=True):
    """A file a job was created with."""

    id: str
    purpose: str
    path: Path


class Outcome(Struct, frozen=True):
    """The steps to reveal and what they used, or the failure to end in. A job that fails has no steps."""

    steps: Sequence[Step]
    hyperparameters: Mapping[str, Any]
    trained_tokens: int
    notes: Sequence[str]
    failure: Failure | None
    answers: Sequence[Sequence[Said]] = ()


def decide_outcome(
    request: JobRequest,
    *,
    job_id: str,
    model: str,
    seed: int,
    train: DataSource,
    valid: DataSource | None,
    trainer: Trainer,
    judge: Judge,
    read_grader: Callable[..., Grader],
    start: Mapping[str, Any] | None = None,
    candidates: DataSource | None = None,
) -> Outcome:
    """Trains. For a worker thread: it takes as long as the data and the trainer do. Raises RefusedRunError."""
    try:
        run = TrainingRun(
            job_id=job_id,
            model=model,
            method=request.method.value,
            hyperparameters=request.hyperparameters,
            seed=seed,
            train=_rows(request, train, DataRole.TRAINING),
            valid=_rows(request, valid, DataRole.VALIDATION) if valid else (),
            grader=_grader(request.grader, read_grader),
            response_format=request.response_format,
            judge=judge,
            start=start,
            recorded=_recorded(candidates),
        )
    except DataError as error:
        return _failed(
            request, Failure(error.code, str(error), error.param, Status.VALIDATING_FILES, tuple(error.blocked))
        )
    except GraderError as error:
        message = f"The job failed due to an invalid grader. {error.message}"
        return _failed(request, Failure("invalid_grader", message, error.param, Status.VALIDATING_FILES))
    return _train(request, run, trainer)


def _train(request: JobRequest, run: TrainingRun, trainer: Trainer) -> Outcome:
    try:
        trajectory = trainer.train(run)
    except TrainingFailedError as error:
        return _failed(request, Failure(error.code, str(error), error.param, Status.RUNNING))
    hyperparameters = {**request.hyperparameters, **trajectory.hyperparameters}
    return Outcome(
        trajectory.steps,
        hyperparameters,
        trajectory.trained_tokens,
        trajectory.notes,
        None,
        trajectory.answers,
    )


def _rows(request: JobRequest, source: DataSource, role: DataRole) -> Rows:
    if source.purpose != "fine-tune":
        raise wrong_purpose(role, file_id=source.id, purpose=source.purpose)
    return read_rows(source.path, role=role, method=request.method)


def _recorded(source: DataSource | None) -> Sequence[Mapping[str, Any]]:
    from rftplan.server.recorded import read_recorded

    return () if source is None else read_recorded(source.path)


def _grader(body: Mapping[str, Any] | None, read: Callable[..., Grader]) -> Grader | None:
    if body is None:
        return None
    grader = read(body, param=_GRADER)
    if grader.refusal is not None:
        raise GraderError(grader.refusal, param=_GRADER)
    return grader


def _failed(request: JobRequest, failure: Failure) -> Outcome:
    return Outcome((), request.hyperparameters, 0, (), failure)
