"""Which launch stands for a job, and what then: adoption, retries, relaunches, removals (DESIGN §3, §4)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rftplan.api.port import JobFault, JobStatus
from rftplan.changes import Action, Hazard, Reason
from rftplan.journal import Intent
from rftplan.kinds.job.decide import decide
from rftplan.kinds.job.launch import launch_of
from rftplan.kinds.job.observe import SeenJob
from rftplan.kinds.job.steps import AdoptStep, ClearStep, Followed, LaunchStep, PauseStep
from rftplan.lockfile import Origin
from tests.kinds.builders import (
    JOB,
    entry_for,
    first_launch,
    job_spec,
    launched,
    remote,
    resource,
    situation,
)

S = JobStatus


def test_a_pause_of_ours_is_resumed() -> None:
    _, given = launched(S.PAUSED, "running", paused_by="us")
    change = decide(given)
    assert (change.action, change.verb) == (Action.UPDATE, "resume")
    assert [h.hazard for h in change.hazards] == [Hazard.SPEND]


def test_spend_is_a_hazard_only_where_the_profile_is_paid() -> None:
    want = resource(job_spec())
    assert [h.hazard for h in decide(situation(want)).hazards] == [Hazard.SPEND]
    assert decide(situation(want, paid=False)).hazards == ()


def test_a_failed_job_is_held_with_the_words_of_the_service() -> None:
    want, given = launched(S.FAILED)
    seen = given.seen
    assert isinstance(seen, SeenJob)
    assert seen.mine is not None
    failed = replace(seen.mine, error=JobFault("Training file has 3 example(s)", "invalid_n_examples"))
    change = decide(situation(want, entry=given.entry, seen=replace(seen, mine=failed, slot=(failed,))))
    assert change.reason is Reason.JOB_FAILED
    assert "Training file has 3 example(s) (invalid_n_examples)" in change.detail


def test_changed_spec_relaunches_beside_and_cancels_the_old_one() -> None:
    old, given = launched(S.RUNNING)
    want = resource(job_spec(seed=7))
    seen = given.seen
    assert isinstance(seen, SeenJob)
    change = decide(situation(want, entry=given.entry, seen=SeenJob(mine=seen.mine)))
    assert (change.action, change.verb, change.reason) == (Action.REPLACE, "relaunch", Reason.CONTENT_CHANGED)
    assert [h.hazard for h in change.hazards] == [Hazard.SPEND, Hazard.CANCEL_ACTIVE]
    assert isinstance(change.step, LaunchStep)
    assert [job.id for job in change.step.cancels] == ["ftjob-1"]
    assert [(f.path, f.before, f.after) for f in change.fields] == [("seed", None, 7)]
    assert old.fingerprint != want.fingerprint


def test_changed_spec_that_shall_be_paused_pauses_the_old_one_and_launches_nothing() -> None:
    _, given = launched(S.RUNNING)
    seen = given.seen
    assert isinstance(seen, SeenJob)
    there = SeenJob(mine=seen.mine, begun=seen.begun)
    change = decide(situation(resource(job_spec(seed=7, run="paused")), entry=given.entry, seen=there))
    assert (change.action, change.verb) == (Action.UPDATE, "pause")


@pytest.mark.parametrize("run", ["paused", "cancelled"])
@pytest.mark.parametrize("status", [S.UNKNOWN, S.PAUSING])
def test_changed_spec_waits_where_nobody_knows_what_the_old_one_does(status: S, run: str) -> None:
    _, given = launched(status)
    seen = given.seen
    assert isinstance(seen, SeenJob)
    change = decide(situation(resource(job_spec(seed=7, run=run)), entry=given.entry, seen=SeenJob(mine=seen.mine)))
    assert (change.action, change.hazards) == (Action.DEFER, ())
    assert change.reason is (Reason.UNKNOWN_STATUS if status is S.UNKNOWN else Reason.CHANGING_STATE)


def test_every_old_one_that_may_be_paused_is_paused_at_once_and_the_rest_is_named() -> None:
    old = tuple(remote(S.RUNNING, id=f"ftjob-{n}", launch=f"v1:{n}:1", created_at=n) for n in range(3))
    seen = SeenJob(others=old, begun=frozenset({"ftjob-0", "ftjob-2"}))
    change = decide(situation(resource(job_spec(run="paused")), seen=seen))
    assert change.step == PauseStep(("ftjob-0", "ftjob-2"))
    assert "ftjob-1 has no step yet" in change.detail


@pytest.mark.parametrize("origin", list(Origin))
def test_what_comes_back_when_an_edit_is_reverted_is_as_much_ours_as_before(origin: Origin) -> None:
    want = resource(job_spec())
    job = remote(S.SUCCEEDED, launch=first_launch(want))
    before = replace(entry_for(resource(job_spec(seed=7)), remote(S.CANCELLED, id="ftjob-2")), origin=origin)
    step = decide(situation(want, entry=before, seen=SeenJob(slot=(job,)))).step
    assert isinstance(step, AdoptStep)
    assert step.entry.origin is origin


def test_editing_an_alias_to_the_snapshot_it_resolved_to_changes_nothing() -> None:
    alias = resource(job_spec(model="o4-mini"))
    job = remote(S.SUCCEEDED, launch=first_launch(alias))
    entry = entry_for(alias, job, status="succeeded")
    change = decide(situation(resource(job_spec()), entry=entry, seen=SeenJob(mine=job, slot=())))
    assert (change.action, change.reason) == (Action.NOOP, Reason.ALIAS_RESOLVED)


def test_another_model_is_no_alias() -> None:
    alias = resource(job_spec(model="o4-mini"))
    job = remote(S.SUCCEEDED, launch=first_launch(alias))
    change = decide(situation(resource(job_spec(model="gpt-5")), entry=entry_for(alias, job), seen=SeenJob(mine=job)))
    assert change.verb == "relaunch"


def test_another_model_is_another_launch_where_a_snapshot_was_written_too() -> None:
    written = resource(job_spec(model="o4-mini-2025-04-16"))
    job = remote(S.SUCCEEDED, launch=first_launch(written))
    for other in ("o3-mini-2025-01-31", "o4", "o4-mini-2026-01-01", "o4-mini-2025-04"):
        want = resource(job_spec(model=other))
        change = decide(situation(want, entry=entry_for(written, job), seen=SeenJob(mine=job)))
        assert change.verb == "relaunch", other


def test_writing_the_alias_of_the_snapshot_that_was_launched_is_no_other_launch() -> None:
    written = resource(job_spec(model="o4-mini-2025-04-16"))
    job = remote(S.SUCCEEDED, launch=first_launch(written))
    want = resource(job_spec(model="o4-mini"))
    change = decide(situation(want, entry=entry_for(written, job), seen=SeenJob(mine=job)))
    assert (change.action, change.reason) == (Action.NOOP, Reason.ALIAS_RESOLVED)


def test_one_active_or_succeeded_job_in_the_slot_is_adopted_when_the_lock_is_lost() -> None:
    want = resource(job_spec())
    for status in (S.RUNNING, S.SUCCEEDED, S.PAUSED, S.QUEUED):
        job = remote(status, launch=first_launch(want), lineage="another")
        change = decide(situation(want, seen=SeenJob(slot=(job,)), fresh=True))
        assert (change.action, change.verb, change.reason) == (Action.ADOPT, "adopt", Reason.FOUND_AT_SERVICE)


def test_a_launch_of_another_lock_is_held() -> None:
    want = resource(job_spec())
    job = remote(S.RUNNING, launch=first_launch(want), lineage="another")
    assert decide(situation(want, seen=SeenJob(slot=(job,)))).reason is Reason.FOREIGN_LINEAGE


def test_several_jobs_in_the_slot_are_ambiguous() -> None:
    want = resource(job_spec())
    jobs = tuple(remote(S.RUNNING, id=f"ftjob-{n}", launch=first_launch(want)) for n in (1, 2))
    assert decide(situation(want, seen=SeenJob(slot=jobs))).reason is Reason.AMBIGUOUS


S1, S2 = "ftjob-1", "ftjob-2"


@pytest.mark.parametrize(
    ("first", "second", "reason", "cancels"),
    [
        (S.SUCCEEDED, S.SUCCEEDED, Reason.FOUND_AT_SERVICE, []),
        (S.SUCCEEDED, S.RUNNING, Reason.FOUND_AT_SERVICE, []),
        (S.RUNNING, S.SUCCEEDED, Reason.FOUND_AT_SERVICE, [S1]),
        (S.PAUSED, S.QUEUED, Reason.FOUND_AT_SERVICE, [S1]),
        (S.SUCCEEDED, S.FAILED, Reason.JOB_FAILED, []),
        (S.SUCCEEDED, S.CANCELLED, Reason.CANCELLED_ELSEWHERE, []),
    ],
)
def test_the_highest_attempt_stands_and_lower_ones_are_what_a_replacement_superseded(
    first: S, second: S, reason: Reason, cancels: list[str]
) -> None:
    """The lock was lost: which of them was replaced is written in their launches."""
    want = resource(job_spec())
    slot = (
        remote(first, id=S1, launch=launch_of(want.fingerprint, 1), lineage="lost", created_at=100),
        remote(second, id=S2, launch=launch_of(want.fingerprint, 2), lineage="lost", created_at=200),
    )
    change = decide(situation(want, seen=SeenJob(slot=slot), fresh=True))
    assert change.reason is reason
    if isinstance(change.step, AdoptStep):
        assert (change.step.entry.id, change.step.entry.attempt) == (S2, 2)
        assert [job.id for job in change.step.cancels] == cancels
        assert [h.hazard for h in change.hazards] == [Hazard.CANCEL_ACTIVE for _ in cancels]


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        ((S.RUNNING, S.RUNNING), "cancel all of them but one at the service"),
        ((S.SUCCEEDED, S.RUNNING), "cancel ftjob-1 at the service"),
        ((S.SUCCEEDED, S.SUCCEEDED), "nothing can be cancelled"),
    ],
)
def test_cancelling_is_advised_only_where_it_helps(statuses: tuple[S, ...], words: str) -> None:
    want = resource(job_spec())
    slot = tuple(remote(s, id=f"ftjob-{n}", launch=first_launch(want)) for n, s in enumerate(statuses))
    assert words in decide(situation(want, seen=SeenJob(slot=slot))).detail


def test_a_second_job_beside_the_recorded_one_is_a_duplicate() -> None:
    want, given = launched(S.RUNNING)
    other = remote(S.RUNNING, id="ftjob-2", launch=first_launch(want))
    seen = given.seen
    assert isinstance(seen, SeenJob)
    change = decide(situation(want, entry=given.entry, seen=replace(seen, slot=(*seen.slot, other))))
    assert change.reason is Reason.DUPLICATE


def test_a_failed_launch_in_the_slot_is_not_repeated() -> None:
    want = resource(job_spec())
    job = remote(S.FAILED, launch=first_launch(want))
    assert decide(situation(want, seen=SeenJob(slot=(job,)))).action is Action.HOLD


def test_our_own_cancel_left_a_tombstone_and_the_next_attempt_may_be_launched() -> None:
    want = resource(job_spec())
    job = remote(S.CANCELLED, launch=first_launch(want))
    change = decide(situation(want, seen=SeenJob(slot=(job,)), tombstones=(first_launch(want),)))
    assert change.reason is Reason.AFTER_OUR_CANCEL
    assert isinstance(change.step, LaunchStep)
    assert change.step.attempt == 2


def test_the_same_launch_under_an_address_that_the_spec_lacks_looks_moved() -> None:
    want = resource(job_spec())
    job = remote(S.SUCCEEDED, launch=first_launch(want))
    assert decide(situation(want, seen=SeenJob(elsewhere=(job,)))).reason is Reason.LOOKS_MOVED


def test_retry_counts_all_launches_of_one_fingerprint() -> None:
    want = resource(job_spec(retry={"attempts": 2}))
    first = remote(S.FAILED, launch=first_launch(want))
    entry = entry_for(want, first)
    change = decide(situation(want, entry=entry, seen=SeenJob(mine=first, slot=(first,))))
    assert (change.reason, isinstance(change.step, LaunchStep)) == (Reason.RETRY, True)
    second = remote(S.FAILED, id="ftjob-2", launch=launch_of(want.fingerprint, 2))
    entry = replace(entry_for(want, second), attempt=2)
    change = decide(situation(want, entry=entry, seen=SeenJob(mine=second, slot=(first, second))))
    assert change.action is Action.HOLD


@pytest.mark.parametrize("gone", [False, True], ids=["ended badly", "gone"])
@pytest.mark.parametrize("status", [S.QUEUED, S.RUNNING, S.PAUSED, S.SUCCEEDED])
def test_a_later_launch_that_a_lost_journal_knew_of_stands_for_one_that_came_to_nothing(
    status: JobStatus, gone: bool
) -> None:
    """The lock is older than the service: nothing is launched a third time, and what runs is not cancelled."""
    want = resource(job_spec(retry={"attempts": 3}))
    first = remote(S.CANCELLED, launch=launch_of(want.fingerprint, 1))
    later = remote(status, id="ftjob-2", launch=launch_of(want.fingerprint, 2), created_at=200)
    seen = SeenJob(mine=None if gone else first, slot=(first, later))
    tombstones = (launch_of(want.fingerprint, 1),)
    change = decide(situation(want, entry=entry_for(want, first), seen=seen, tombstones=tombstones))
    assert (change.action, change.reason) == (Action.ADOPT, Reason.FOUND_AT_SERVICE)
    assert isinstance(change.step, AdoptStep)
    assert (change.step.entry.id, change.step.entry.attempt, change.step.cancels) == ("ftjob-2", 2, ())
    twin = remote(status, id="ftjob-3", launch=launch_of(want.fingerprint, 2), created_at=300)
    several = replace(seen, slot=(first, later, twin))
    assert decide(situation(want, entry=entry_for(want, first), seen=several)).reason is Reason.AMBIGUOUS
    theirs = remote(status, id="ftjob-2", launch=launch_of(want.fingerprint, 2), lineage="lineage-2", created_at=200)
    foreign = replace(seen, slot=(first, theirs))
    assert decide(situation(want, entry=entry_for(want, first), seen=foreign)).reason is Reason.FOREIGN_LINEAGE


def test_replace_asked_for_raises_the_attempt() -> None:
    want, given = launched(S.SUCCEEDED)
    change = decide(situation(want, entry=given.entry, seen=given.seen, replace=True))
    assert isinstance(change.step, LaunchStep)
    assert (change.verb, change.reason, change.step.attempt) == ("relaunch", Reason.ASKED_TO_REPLACE, 2)


def test_replace_asked_for_settles_what_nobody_else_can_choose() -> None:
    """Two launches of one slot are ambiguous; a person who asks for a new one has chosen."""
    want = resource(job_spec())
    jobs = tuple(remote(S.SUCCEEDED, id=f"ftjob-{n}", launch=launch_of(want.fingerprint, n)) for n in (1, 2))
    change = decide(situation(want, seen=SeenJob(slot=jobs), replace=True))
    assert change.reason is Reason.ASKED_TO_REPLACE
    assert isinstance(change.step, LaunchStep)
    assert change.step.attempt == 3


def test_what_shall_not_run_is_not_launched_even_if_a_replacement_is_asked_for() -> None:
    change = decide(situation(resource(job_spec(run="paused")), replace=True))
    assert (change.action, change.reason) == (Action.NOOP, Reason.RUN_STATE_HELD_BACK)


def test_prevent_replace_holds() -> None:
    _, given = launched(S.SUCCEEDED)
    want = resource(job_spec(seed=7, lifecycle={"prevent_replace": True}))
    seen = given.seen
    assert isinstance(seen, SeenJob)
    assert decide(situation(want, entry=given.entry, seen=SeenJob(mine=seen.mine))).reason is Reason.PREVENTED


def test_an_active_job_of_an_old_fingerprint_is_cancelled_as_superseded() -> None:
    want, given = launched(S.RUNNING)
    old = remote(S.RUNNING, id="ftjob-0", launch=launch_of("v1:" + "0" * 64, 1))
    seen = given.seen
    assert isinstance(seen, SeenJob)
    change = decide(situation(want, entry=given.entry, seen=replace(seen, others=(old,))))
    assert change.reason is Reason.SUPERSEDED
    assert isinstance(change.step, ClearStep) and isinstance(change.step, Followed)
    assert [job.id for job in change.step.jobs] == ["ftjob-0"]


def intent_for(token: str, launch: str) -> Intent:
    return Intent(1, JOB, "launch", token, launch, at=0.0)


def test_an_open_intent_whose_job_is_found_is_recovered() -> None:
    want = resource(job_spec())
    job = remote(S.QUEUED, launch=first_launch(want))
    given = situation(want, seen=SeenJob(slot=(job,)), intent=intent_for("lineage-1:token-1", first_launch(want)))
    change = decide(given)
    assert (change.action, change.verb, change.reason) == (Action.ADOPT, "recover", Reason.INTENT_RECOVERED)


def test_an_open_intent_waits_until_it_has_settled_and_is_then_launched() -> None:
    want = resource(job_spec())
    intent = intent_for("lineage-1:token-1", first_launch(want))
    assert decide(situation(want, intent=intent)).reason is Reason.FATE_UNKNOWN
    assert decide(situation(want, intent=intent, settled=True)).verb == "launch"


def test_an_active_job_that_left_the_spec_is_cancelled_and_a_finished_one_forgotten() -> None:
    _, given = launched(S.RUNNING)
    change = decide(situation(None, entry=given.entry, seen=given.seen))
    assert (change.action, change.verb, change.hazards[0].hazard) == (Action.DELETE, "cancel", Hazard.CANCEL_ACTIVE)
    _, given = launched(S.SUCCEEDED)
    assert decide(situation(None, entry=given.entry, seen=given.seen)).action is Action.FORGET
