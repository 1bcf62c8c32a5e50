"""What a job's change instructs `perform` to do. Values only."""

from __future__ import annotations

from msgspec import Struct

from rftplan.api.port import RemoteJob
from rftplan.canonical import JsonObject
from rftplan.kinds.steps import RecordStep
from rftplan.lockfile import Entry


class LaunchStep(Struct, frozen=True):
    """Launch into this attempt of the wanted fingerprint; then cancel what it replaces. `history` are the runs before,
    which the new entry keeps; `beside` the ids of jobs that nobody knows whose they are, and that may stay."""

    attempt: int
    cancels: tuple[RemoteJob, ...] = ()
    history: tuple[JsonObject, ...] = ()
    beside: frozenset[str] = frozenset()


class AdoptStep(Struct, frozen=True):
    """Take this job as the address's own, finishing the intent that it answers, if there is one; before
    that, cancel what else is active in its place."""

    entry: Entry
    cancels: tuple[RemoteJob, ...] = ()


class PauseStep(Struct, frozen=True):
    job_ids: tuple[str, ...]


class AwaitPauseStep(Struct, frozen=True):
    """Pause these once each has taken a step, as long as the lock knows the same job as now (`known`)."""

    job_ids: tuple[str, ...]
    known: str | None


class ResumeStep(Struct, frozen=True):
    job_id: str


class CancelStep(Struct, frozen=True):
    """Cancel these; `forget` drops the entry afterwards."""

    jobs: tuple[RemoteJob, ...]
    forget: bool = False


class ClearStep(Struct, frozen=True):
    """Cancel these, which an apply that was cut off left beside the job that runs on."""

    jobs: tuple[RemoteJob, ...]


class AdoptToStopStep(Struct, frozen=True):
    """Take an active job that the specs want to stand still, and stop it; None if it stands still or cannot yet."""

    adopt: AdoptStep
    stop: PauseStep | CancelStep | None


class DeleteModelsStep(Struct, frozen=True):
    """Delete these models, then forget the job that they came from."""

    models: tuple[str, ...]


class FollowStep(Struct, frozen=True):
    """Nothing to do; the job runs and `apply --wait` may watch it."""


class RecordedFollowStep(RecordStep, Struct, frozen=True):
    """As FollowStep, and the lock shall say that the job goes on: a pause of ours that somebody else ended is no leave
    to end the next one, whosever that is."""


Followed = LaunchStep | AdoptStep | ResumeStep | ClearStep | FollowStep | RecordedFollowStep
"""What leaves a job that shall run to its end, so that `apply --wait` follows it."""
