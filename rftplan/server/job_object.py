"""What a job looks like at a time. Stores nothing and reads no request.

A thousand of them are listed at once, so that what is stored as JSON is sent as it is, not parsed to be written again.
"""

from __future__ import annotations

from typing import Any

from rftplan.server.lifecycle import Moment, Status, life_at
from rftplan.server.service import ORGANIZATION, seconds
from rftplan.server.store import as_json
from rftplan.server.stored_job import StoredJob


def job_text(job: StoredJob, now: int, *, bare: bool = False) -> str:
    """The JSON text of the job as the API gives it at `now` (microseconds); `bare` as if it had no metadata."""
    moment = life_at(job.life, now)
    texts = job.texts
    request = texts.running_request if moment.has_run else texts.request
    metadata = "null" if bare else texts.metadata
    top = texts.hyperparameters if moment.has_run else texts.sent_hyperparameters
    return (
        f'{{"object":"fine_tuning.job","id":"{job.id}",{request[1:-1]}'
        f',"hyperparameters":{"null" if texts.sent_hyperparameters is None else top}'
        f',"metadata":{metadata},"simulation":{texts.simulation},{as_json(_at(job, moment))[1:]}'
    )


def _at(job: StoredJob, moment: Moment) -> dict[str, Any]:
    """What changes in a job's life."""
    succeeded = moment.status is Status.SUCCEEDED
    return {
        "created_at": seconds(job.life.created_at),
        "finished_at": None if moment.finished_at is None else seconds(moment.finished_at),
        "estimated_finish": None if moment.estimated_finish is None else seconds(moment.estimated_finish),
        "status": moment.status.value,
        "fine_tuned_model": job.fine_tuned_model if succeeded else None,
        "trained_tokens": job.trained_tokens if succeeded else None,
        "error": _error_shape(job) if moment.status is Status.FAILED else None,
        "organization_id": ORGANIZATION,
        "result_files": [job.result_file] if succeeded and job.result_file else [],
        "usage_metrics": None,
        "shared_with_openai": False,
        "eval_id": None,
    }


def _error_shape(job: StoredJob) -> dict[str, Any] | None:
    if (failure := job.failure) is None:
        return None
    return {"code": failure.code, "message": failure.message, "param": failure.param}
