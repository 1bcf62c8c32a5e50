"""The checkpoints of a job as a service lists them, and the models that there are of it. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from rftplan.api.port import Checkpoint, Port, RemoteJob
from rftplan.errors import NotFoundError


class Made(Struct, frozen=True):
    """The models that a job left behind and that are still there. `behind`: there may be more than are listed yet."""

    models: tuple[str, ...]
    behind: bool = False


def lists_behind(job: RemoteJob, checkpoints: Sequence[Checkpoint], *, now: float, settle_seconds: float) -> bool:
    """Whether checkpoints may be missing from the list of a job that ended: of one that succeeded its last is, and it
    ended only now.

    Some services keep the best ones alone, so that the last may be missing for ever.
    """
    listed = any(checkpoint.model == job.fine_tuned_model for checkpoint in checkpoints)
    return not listed and job.finished_at is not None and now < job.finished_at + settle_seconds


async def made_by(job: RemoteJob, port: Port, *, now: float, settle_seconds: float) -> Made:
    """Its final model, and those of its checkpoints, each asked for or listed."""
    try:
        checkpoints = tuple(await port.list_checkpoints(job.id))
    except NotFoundError:
        checkpoints = ()  # a service that lost the job has none of its checkpoints either
    found = {checkpoint.model for checkpoint in checkpoints}
    if job.fine_tuned_model is not None and job.fine_tuned_model not in found:
        try:
            await port.get_model(job.fine_tuned_model)
            found.add(job.fine_tuned_model)
        except NotFoundError:
            pass  # deleted before
    behind = lists_behind(job, checkpoints, now=now, settle_seconds=settle_seconds)
    return Made(tuple(sorted(found)), behind)
