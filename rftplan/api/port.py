"""What rftplan asks of a fine-tuning service, in its own words. Knows no SDK, no HTTP, no provider.

Every method raises only the `ApiError` tree of `rftplan.errors`. Reading methods may be retried by the
adapter; `create_job`, `upload_file`, `pause_job`, `resume_job`, `cancel_job`, `delete_file`,
`grant_permission` and `revoke_permission` are sent exactly once: of a file in parts, that is the call that
makes it a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from rftplan.api.question import ModelAnswer, Question
from rftplan.canonical import JsonObject
from rftplan.errors import ApiError


class JobStatus(StrEnum):
    """What a job is doing. UNKNOWN is every word that we do not know; it plans to DEFER, never guesses."""

    VALIDATING_FILES = "validating_files"
    QUEUED = "queued"
    PENDING = "pending"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def ended(self) -> bool:
        return self in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)

    @property
    def takes_place(self) -> bool:
        """Whether it counts where a provider lets only so many run at a time. A word that we do not know counts."""
        return not self.ended and self is not JobStatus.PAUSED

    @property
    def unbilled(self) -> bool:
        """Before the first second that costs: cancelling now is free (FACTS §3.11)."""
        return self in (JobStatus.VALIDATING_FILES, JobStatus.QUEUED, JobStatus.PENDING)


class RemoteFile(Struct, frozen=True):
    """A file at the service. Sizes in bytes, times in seconds since the epoch."""

    id: str
    filename: str
    size: int
    purpose: str
    created_at: int
    expires_at: int | None = None
    status: str | None = None


class JobFault(Struct, frozen=True):
    """Why a job failed, in the service's own words."""

    message: str
    code: str | None = None
    param: str | None = None


class Simulation(Struct, frozen=True):
    """Said by a service that simulates: who trained, and who judged in place of a grader model."""

    trainer: str
    judge: str | None = None


class RemoteJob(Struct, frozen=True):
    """A job at the service. `body` is the raw reply, for comparison in the raw."""

    id: str
    status: JobStatus
    raw_status: str
    created_at: int
    model: str
    training_file: str | None
    validation_file: str | None
    seed: int | None = None
    fine_tuned_model: str | None = None
    finished_at: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    error: JobFault | None = None
    simulation: Simulation | None = None
    body: JsonObject = field(default_factory=dict)


class JobEvent(Struct, frozen=True):
    """One event; `data` holds the metrics of a step when `type` is "metrics"."""

    id: str
    created_at: int
    level: str
    message: str
    type: str
    data: JsonObject = field(default_factory=dict)


class Checkpoint(Struct, frozen=True):
    """A model one can promote; `metrics` are the finite numbers that the service gave, by its own names
    (and `train_reward_mean`, `valid_reward_mean` where it uses older ones)."""

    id: str
    model: str
    job_id: str
    step: int
    created_at: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    simulation: Simulation | None = None


class Permission(Struct, frozen=True):
    """A project that may use a checkpoint."""

    id: str
    project_id: str
    created_at: int = 0


class RemoteModel(Struct, frozen=True):
    """A model that the service has. `shutdown` is the first day without it, where the service says so."""

    id: str
    shutdown: date | None = None


class GraderRun(Struct, frozen=True):
    """What one sample scored. `errors` are the flags that were raised, each with what the service says of it: with
    any of them the reward means nothing."""

    reward: float | None
    errors: Mapping[str, str] = field(default_factory=dict)


class SampledAnswer(Struct, frozen=True):
    """One answer that was sampled to validate a step. `tools` are its tool calls, `grader` the grader's full reply;
    `kind` is what a simulating service meant it to be."""

    text: str
    tools: Sequence[JsonObject]
    scored: GraderRun
    kind: str | None = None
    grader: JsonObject = field(default_factory=dict)


class SampledRow(Struct, frozen=True):
    """A validation row, counted from 0, with its answers at one step."""

    id: str
    step: int
    row: int
    messages: Sequence[JsonObject]
    item: JsonObject
    answers: Sequence[SampledAnswer]
    simulation: Simulation | None = None


class Upload(Struct, frozen=True):
    """What to upload, and under which name. `sha256` is what its bytes were when they were planned, if known."""

    path: Path
    filename: str
    size: int
    purpose: str
    sha256: str | None = None


class Sight(StrEnum):
    """What can be looked at for nothing, and without changing anything."""

    JOBS = "jobs"
    FILES = "files"
    MODELS = "models"
    GRADERS = "graders"
    """Whether it validates graders, asked with one that is valid everywhere."""


class Seen(Struct, frozen=True):
    """What a service answered to one look. `at` is its own clock, in whole seconds since the epoch, `organization` the
    one that it answered for; None where it does not say. `items` are what its list begins with, raw, `more` whether
    they are not all. `refusal` is why it showed nothing."""

    at: float | None = None
    organization: str | None = None
    items: Sequence[JsonObject] = ()
    more: bool = False
    refusal: ApiError | None = None


Progress = Callable[[int, int], None]
"""Called with (bytes so far, bytes in all)."""


class Port(Protocol):
    """One service under one identity. Lists are complete (the adapter pages)."""

    @property
    def requests(self) -> int:
        """HTTP requests sent so far, retries included."""
        ...

    async def look(self, sight: Sight, *, seconds: float) -> Seen:
        """Ask once, and take every answer for one. ApiError where none came in `seconds`."""
        ...

    async def list_files(self, purpose: str) -> Sequence[RemoteFile]: ...

    async def get_file(self, file_id: str) -> RemoteFile:
        """NotFoundError if it is gone, whatever lists show."""
        ...

    async def upload_file(self, upload: Upload, progress: Progress) -> RemoteFile: ...

    async def read_file(self, file_id: str, take: Callable[[bytes], None]) -> None:
        """Its bytes, block by block. RejectedError where the service gives no file back, as to free accounts."""
        ...

    async def delete_file(self, file_id: str) -> None:
        """NotFoundError if it is gone already."""
        ...

    async def list_jobs(self, metadata: Mapping[str, str] | None = None) -> Sequence[RemoteJob]:
        """All jobs, or those whose metadata holds every pair; checked again on our side. Newest first."""
        ...

    async def get_job(self, job_id: str) -> RemoteJob: ...

    async def create_job(self, body: JsonObject) -> RemoteJob:
        """Launch. `body` is the request of the API, file ids resolved."""
        ...

    async def pause_job(self, job_id: str) -> RemoteJob: ...
    async def resume_job(self, job_id: str) -> RemoteJob: ...
    async def cancel_job(self, job_id: str) -> RemoteJob: ...

    async def list_events(self, job_id: str, *, limit: int | None = None) -> Sequence[JobEvent]:
        """Newest first; the newest `limit` of them, or all."""
        ...

    async def list_checkpoints(self, job_id: str) -> Sequence[Checkpoint]:
        """Highest step first."""
        ...

    async def list_samples(self, job_id: str, step: int) -> Sequence[SampledRow]:
        """What was sampled to validate a step, by row. RejectedError where the service shows no samples;
        NotFoundError if it did not validate there, or not yet."""
        ...

    async def validate_grader(self, grader: JsonObject) -> None:
        """RejectedError says what is wrong with it."""
        ...

    async def run_grader(self, grader: JsonObject, *, model_sample: str, item: JsonObject) -> GraderRun:
        """Score one answer. A judge is asked for it, which may cost tokens. RejectedError says what is wrong."""
        ...

    async def answer(self, question: Question) -> ModelAnswer:
        """What a model says, asked once. NotFoundError if there is none such. Tokens are paid for."""
        ...

    async def list_models(self) -> Sequence[RemoteModel]: ...

    async def get_model(self, model: str) -> RemoteModel:
        """NotFoundError if there is none, or none that this key may see."""
        ...

    async def delete_model(self, model: str) -> None:
        """A fine-tuned one, or a checkpoint's. NotFoundError if it is gone already."""
        ...

    async def list_permissions(self, model: str) -> Sequence[Permission]: ...
    async def grant_permission(self, model: str, project_id: str) -> Permission: ...
    async def revoke_permission(self, model: str, permission_id: str) -> None: ...

    async def aclose(self) -> None: ...
