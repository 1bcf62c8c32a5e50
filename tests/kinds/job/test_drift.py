"""What became of a job without us, named as what it is; and what a refresh makes of it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rftplan.api.port import JobStatus
from rftplan.journal import Intent
from rftplan.kinds.base import OpenIntent, Situation
from rftplan.kinds.job import KIND
from rftplan.kinds.job.launch import launch_of
from tests.kinds.builders import launched

S = JobStatus


def given(before: JobStatus, now: JobStatus, **resolved: str) -> Situation:
    _, found = launched(now)
    assert found.entry is not None
    return replace(found, entry=replace(found.entry, resolved={**found.entry.resolved, "status": before, **resolved}))


def cut_off(found: Situation, verb: str) -> Situation:
    """An effect of ours whose reply was lost."""
    assert found.entry is not None
    launch = launch_of(found.entry.fingerprint, found.entry.attempt)
    return replace(found, intent=OpenIntent(Intent(1, found.address, verb, "l:t", launch, 0.0), settled=False))


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (S.RUNNING, S.CANCELLED, "was cancelled by somebody else"),
        (S.PAUSED, S.CANCELLED, "was cancelled by somebody else"),
        (S.RUNNING, S.FAILED, "failed"),
        (S.RUNNING, S.PAUSED, "was paused by hand or by the service itself, not from here"),
        (S.QUEUED, S.PAUSING, "was paused by hand or by the service itself, not from here"),
        (S.PAUSED, S.RUNNING, "was resumed by somebody else"),
        (S.PAUSED, S.QUEUED, "was resumed by somebody else"),
        (S.PAUSING, S.PAUSED, None),
        (S.QUEUED, S.RUNNING, None),
        (S.RUNNING, S.SUCCEEDED, None),
        (S.PAUSED, S.PAUSED, None),
    ],
)
def test_what_somebody_did_by_hand_is_named_and_progress_is_not(
    before: JobStatus, now: JobStatus, said: str | None
) -> None:
    drift = KIND.drift(given(before, now))
    assert [one.detail for one in drift] == ([] if said is None else [f"ftjob-1 {said}"])


@pytest.mark.parametrize(
    ("verb", "before", "now"),
    [("cancel", S.RUNNING, S.CANCELLED), ("pause", S.RUNNING, S.PAUSING), ("resume", S.PAUSED, S.RUNNING)],
)
def test_what_we_sent_ourselves_and_heard_nothing_of_is_no_drift(verb: str, before: JobStatus, now: JobStatus) -> None:
    found = given(before, now)
    assert len(KIND.drift(found)) == 1
    assert KIND.drift(cut_off(found, verb)) == []


def test_our_own_cancel_is_no_drift() -> None:
    found = given(S.RUNNING, S.CANCELLED)
    assert found.entry is not None
    buried = (launch_of(found.entry.fingerprint, found.entry.attempt),)
    assert KIND.drift(replace(found, tombstones=buried)) == []


@pytest.mark.parametrize("now", [status for status in S if status is not S.UNKNOWN])
def test_a_refresh_records_the_status_and_takes_nothing_for_ours(now: JobStatus) -> None:
    found = given(S.VALIDATING_FILES, now)
    entry = KIND.refreshed(found)
    if now is S.VALIDATING_FILES:
        assert entry is None
        return
    assert entry is not None
    assert (entry.resolved["status"], entry.id, entry.attempt) == (now.value, "ftjob-1", 1)
    assert "paused_by" not in entry.resolved
    after = replace(found, entry=entry)
    assert KIND.drift(after) == []
    assert KIND.refreshed(after) is None
    assert KIND.decide(after).action == KIND.decide(found).action, "what was seen is only written down"


def test_a_refresh_leaves_what_was_cut_off_or_is_unknown_or_gone() -> None:
    found = given(S.RUNNING, S.CANCELLED)
    assert KIND.refreshed(cut_off(found, "cancel")) is None
    assert KIND.refreshed(given(S.RUNNING, S.UNKNOWN)) is None
    assert KIND.refreshed(replace(found, seen=None)) is None


def test_our_own_pause_stays_ours() -> None:
    entry = KIND.refreshed(given(S.PAUSING, S.PAUSED, paused_by="us"))
    assert entry is not None and entry.resolved["paused_by"] == "us"


def test_what_is_remembered_is_what_the_lock_says() -> None:
    found = given(S.RUNNING, S.CANCELLED)
    there = replace(found, seen=KIND.remembered(found))
    assert KIND.drift(there) == []
    assert KIND.decide(there).detail == "ftjob-1 is running"
    assert KIND.decide(replace(there, entry=None, seen=KIND.remembered(replace(found, entry=None)))).verb == "launch"
