"""Cancelling a job so that our own cancel is known for ours. Decides nothing."""

from __future__ import annotations

from typing import Final

from rftplan.api.port import JobStatus, RemoteJob
from rftplan.api.profiles import Capability
from rftplan.changes import Change
from rftplan.errors import NotFoundError, RejectedError
from rftplan.kinds.base import Act
from rftplan.kinds.job.following import with_status
from rftplan.kinds.job.launch import LAUNCH_KEY, launch_of
from rftplan.lockfile import Entry

_OWN_ENDS: Final = (JobStatus.FAILED, JobStatus.SUCCEEDED)


async def cancel_one(change: Change, job: RemoteJob, act: Act, *, stays: Entry | None = None) -> None:
    """Cancel and leave a tombstone, so that our own cancel is never taken for somebody else's. A job that ended by
    itself before was not ended by us; and a second launch of the slot in which another job `stays` has no end of its
    own: the slot goes on."""

    async def cancel(_token: str) -> RemoteJob:
        try:
            return await act.port.cancel_job(job.id)
        except NotFoundError:
            raise
        except RejectedError:
            now = await act.port.get_job(job.id)
            if not now.status.ended:
                raise
            return now  # it ended by itself in the meantime

    own = act.ledger.entries.get(change.address)
    launch = job.metadata.get(LAUNCH_KEY)
    if launch is None and own is not None and own.id == job.id:
        launch = launch_of(own.fingerprint, own.attempt)
    if stays is not None and stays.id != job.id and launch == launch_of(stays.fingerprint, stays.attempt):
        launch = None
    await act.effect(
        change.address,
        "cancel",
        cancel,
        lambda j: with_status(act.ledger.entries.get(change.address), j, None),
        launch=launch,
        target=() if act.scope.profile.can(Capability.METADATA) else (job.id,),
        tombstone_of=lambda j: None if j.status in _OWN_ENDS else launch,
    )
