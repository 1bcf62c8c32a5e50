"""Whether a paused job stands where we paused it. Knows no plan."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from rftplan.api.port import Port, RemoteJob
from rftplan.errors import ApiError
from rftplan.kinds.job.progress import Progress, progress_of, whole
from rftplan.lockfile import Entry

STEP: Final = "paused_at_step"
_ITS_END: Final = 1
"""Steps that a job may take after a pause was asked for: the one that it is in."""


async def with_step(port: Port, entry: Entry | None, job: RemoteJob) -> Entry | None:
    """The entry with the step that its job was paused at, as far as the service tells: no word of it, and the pause is
    ours wherever the job stands later."""
    if entry is None or entry.id != job.id:
        return entry
    with suppress(ApiError):
        progress = await progress_of(port, job)
        if progress.step is not None:
            return replace(entry, resolved={**entry.resolved, STEP: progress.step})
    return entry


def went_on(entry: Entry, progress: Progress) -> str:
    """What a job that we paused has done since, as part of a sentence; empty if nothing. Who resumed it may have paused
    it again, and so may the service: a limit of theirs must not be overrun by a resume that was meant for our pause."""
    then, now = whole(entry.resolved.get(STEP)), progress.step
    if entry.resolved.get("paused_by") != "us" or then is None or now is None or now <= then + _ITS_END:
        return ""
    return f"was paused from here at step {then}, and is at step {now}: somebody else resumed it, and paused it again"
