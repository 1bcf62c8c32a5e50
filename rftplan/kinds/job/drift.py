"""What became of a job without us: cancelled, paused or resumed by somebody else, or gone. Pure; wishes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from rftplan.api.port import JobStatus, RemoteJob
from rftplan.changes import Drift, FieldChange
from rftplan.kinds.base import Situation
from rftplan.kinds.job import compare
from rftplan.kinds.job.accepted import as_launched
from rftplan.kinds.job.kept import job_from, of_launch, resolved_values
from rftplan.kinds.job.launch import launch_of
from rftplan.kinds.job.observe import SeenJob
from rftplan.kinds.job.remedies import by_hand, we_ended
from rftplan.kinds.job.runs import with_run
from rftplan.kinds.job.whose_pause import STEP
from rftplan.lockfile import Entry

_STILL: Final = (JobStatus.PAUSED, JobStatus.PAUSING)
_GOING: Final = (
    *(JobStatus.VALIDATING_FILES, JobStatus.QUEUED, JobStatus.PENDING),
    *(JobStatus.RESUMING, JobStatus.RUNNING),
)


def drift(situation: Situation) -> Sequence[Drift]:
    """A status that changed without us, or values that are not what was launched; progress is no drift."""
    seen, entry = situation.seen, situation.entry
    if entry is None or not isinstance(seen, SeenJob) or entry.id is None:
        return ()
    if seen.mine is None:
        return (Drift(situation.address, f"{entry.id} is no longer at the service"),)
    found = []
    if changed := compare.differences(as_launched(entry).inputs, seen.mine.body):
        found.append(Drift(situation.address, f"{entry.id} is not what was launched", changed))
    if (said := _by_others(situation, entry, seen.mine)) is not None:
        status = FieldChange("status", str(entry.resolved.get("status")), seen.mine.status.value)
        found.append(Drift(situation.address, f"{entry.id} {said}", (status,)))
    return found


def _by_others(situation: Situation, entry: Entry, job: RemoteJob) -> str | None:
    """Who did what, where it was not us: an effect of ours whose reply was lost is ours all the same."""
    before, now = str(entry.resolved.get("status")), job.status
    ours = situation.intent.intent.verb if situation.intent is not None else None
    if before == now.value:
        return None
    if now is JobStatus.CANCELLED:
        ended = we_ended(situation, launch_of(as_launched(entry).fingerprint, entry.attempt)) or ours == "cancel"
        return None if ended or by_hand(entry, job) else "was cancelled by somebody else"
    if now is JobStatus.FAILED:
        return "failed"
    if now in _STILL:
        from_here = before in _STILL or ours == "pause" or entry.resolved.get("paused_by") == "us"
        return None if from_here else "was paused by hand or by the service itself, not from here"
    return "was resumed by somebody else" if before in _STILL and now in _GOING and ours != "resume" else None


def goes_on(situation: Situation) -> str:
    """A job that was paused by hand, from here, and trains all the same."""
    seen, entry = situation.seen, situation.entry
    job = seen.mine if isinstance(seen, SeenJob) else None
    paused = entry is not None and any(hold.code == "paused" and hold.operator for hold in entry.holds)
    return f"{job.id} is {job.raw_status} all the same" if paused and job is not None and job.status in _GOING else ""


def refreshed(situation: Situation) -> Entry | None:
    """The entry with how its job stands now. That it was cancelled or paused by others stays to be seen: it leaves no
    tombstone and no mark of ours."""
    seen, entry = situation.seen, situation.entry
    if entry is None or not isinstance(seen, SeenJob) or seen.mine is None or situation.intent is not None:
        return None
    job = seen.mine
    if entry.resolved.get("status") == job.status.value or job.status is JobStatus.UNKNOWN:
        return None
    progress = seen.ended if job.status is JobStatus.SUCCEEDED else seen.progress
    values = resolved_values(job, progress) | of_launch(entry)
    if job.status in _STILL:
        values |= {key: entry.resolved[key] for key in ("paused_by", STEP) if key in entry.resolved}
    history = with_run(entry.history, job, as_launched(entry).inputs, progress, situation.resources)
    return replace(entry, resolved=values, history=history)


def remembered(entry: Entry | None) -> SeenJob:
    """The entry's job alone, as it was when the lock was written."""
    mine = job_from(entry) if entry is not None and entry.id is not None else None
    return SeenJob(mine=mine, begun=frozenset({mine.id} if mine else ()))
