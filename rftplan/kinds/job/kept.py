"""What the lock keeps of a job, and the job as it remembers it. Pure; asks nobody."""

from __future__ import annotations

from typing import Final

from rftplan.api.port import JobFault, JobStatus, RemoteJob, Simulation
from rftplan.canonical import Json, JsonObject
from rftplan.kinds.job import quality, trouble
from rftplan.kinds.job.progress import NO_PROGRESS, Progress, whole
from rftplan.lockfile import Entry

REPLACES: Final = "replaces"
"""Of an entry's resolved values, at a service that keeps no metadata: the jobs that its launch replaces, each with its
own launch. Nobody would know them again otherwise, for the entry's id is the new one."""
BESIDE: Final = "beside"
"""Of the same: the jobs of nobody that were there before the launch, and that a person let stand beside it."""
CANCELLED_BY: Final = "cancelled_by"
"""Whether it was `rftplan cancel` that ended it."""


def of_launch(entry: Entry) -> JsonObject:
    """What of the resolved values is not the service's, and outlives a change of status."""
    return {key: entry.resolved[key] for key in (REPLACES, BESIDE, CANCELLED_BY) if key in entry.resolved}


def status_in(entry: Entry) -> JobStatus:
    """The status that the lock keeps; UNKNOWN for a word that is none."""
    word = str(entry.resolved.get("status"))
    return JobStatus(word) if word in tuple(JobStatus) else JobStatus.UNKNOWN


def resolved_values(job: RemoteJob, progress: Progress = NO_PROGRESS) -> JsonObject:
    """What the lock keeps of a job: what the service filled in, and how it ended."""
    values: JsonObject = {"status": job.status.value, "model": job.model, "created_at": job.created_at}
    optional: JsonObject = {
        "seed": job.seed,
        "training_file": job.training_file,
        "validation_file": job.validation_file,
        "fine_tuned_model": job.fine_tuned_model,
        "finished_at": job.finished_at,
        "step": progress.step if job.status.ended else None,
        "total_steps": progress.total_steps if job.status.ended else None,
    }
    values.update({key: value for key, value in optional.items() if value is not None})
    if job.status.ended and progress.grader_errors:
        values[trouble.KEY] = [*progress.grader_errors]
    if job.status.ended and progress.quality is not None and (kept := quality.kept_values(progress.quality)):
        values[quality.KEY] = kept
    if job.error is not None:
        values["error"] = {"message": job.error.message, "code": job.error.code}
    if job.simulation is not None:
        values["simulation"] = {"trainer": job.simulation.trainer, "judge": job.simulation.judge}
    return values


def job_from(entry: Entry) -> RemoteJob:
    """The job as the lock remembers it: the inverse of `resolved_values`, as far as planning needs it."""
    values = entry.resolved
    error, simulation = values.get("error"), values.get("simulation")
    status = status_in(entry)
    return RemoteJob(
        id=str(entry.id),
        status=status,
        raw_status=status.value,
        created_at=whole(values.get("created_at")) or 0,
        model=str(values.get("model")),
        training_file=_text(values.get("training_file")),
        validation_file=_text(values.get("validation_file")),
        seed=whole(values.get("seed")),
        fine_tuned_model=_text(values.get("fine_tuned_model")),
        finished_at=whole(values.get("finished_at")),
        error=JobFault(str(error.get("message")), _text(error.get("code"))) if isinstance(error, dict) else None,
        simulation=(
            Simulation(str(simulation.get("trainer")), _text(simulation.get("judge")))
            if isinstance(simulation, dict)
            else None
        ),
    )


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
