"""From consent to exit code."""

from __future__ import annotations

import pytest

from rftplan.api.identity import ProviderIdentity
from rftplan.changes import Action, Change, Drift, FieldChange, Hazard, Reason
from rftplan.cli.order import needs_a_person, parse_allowed, still_running
from rftplan.errors import UsageError
from rftplan.events import Outcome, Result
from rftplan.lockfile import Entry, Hold, Lock
from rftplan.render.documents import apply_document
from rftplan.render.shapes import ApplyDocument
from tests.render.plans import FILE, JOB, plan_of

LOCAL = ProviderIdentity("local", "http://local/v1")


def lock_with(*holds: Hold) -> Lock:
    return Lock("lineage", LOCAL, resources={JOB: Entry("v1:x", {}, holds=holds)})


def held(reason: Reason) -> ApplyDocument:
    return apply_document(
        plan_of(Change(JOB, Action.HOLD, "hold", reason)), (), requests=0, interrupted=False, outputs={}
    )


OURS, THEIRS = Hold("operator", "audit", operator=True), Hold("guard", "reward fell")


@pytest.mark.parametrize(
    ("reason", "lock", "needed"),
    [
        (Reason.HELD, lock_with(OURS), False),
        (Reason.HELD, lock_with(OURS, THEIRS), True),
        (Reason.HELD, lock_with(THEIRS), True),
        (Reason.GOES_ON_HELD, lock_with(OURS), True),
        (Reason.JOB_FAILED, lock_with(OURS), True),
        (Reason.JOB_FAILED, None, True),
    ],
)
def test_a_hold_needs_a_person_unless_a_person_set_it(reason: Reason, lock: Lock | None, needed: bool) -> None:
    assert needs_a_person(held(reason), lock) is needed


@pytest.mark.parametrize(
    ("known", "drift", "trains"),
    [
        ("running", None, True),
        ("paused", None, False),
        ("running", ("running", "paused"), False),
        ("paused", ("paused", "running"), True),
        ("running", ("paused", "running"), True),
        ("cancelled", ("paused", "running"), False),
    ],
)
def test_a_job_trains_by_what_the_lock_knows_and_by_what_others_did(
    known: str, drift: tuple[str, str] | None, trains: bool
) -> None:
    """The last two are what this apply itself made of a job that somebody else had resumed."""
    lock = Lock("lineage", LOCAL, resources={JOB: Entry("v1:x", {}, id="ftjob-1", resolved={"status": known})})
    seen = [Drift(JOB, "by others", (FieldChange("status", *drift),))] if drift else []
    assert still_running(lock, seen) == ((str(JOB),) if trains else ())


@pytest.mark.parametrize("outcome", Outcome)
def test_of_all_outcomes_failing_and_holding_need_a_person(outcome: Outcome) -> None:
    results = (Result(FILE, Action.CREATE, "upload", outcome),)
    plan = plan_of(Change(FILE, Action.CREATE, "upload", Reason.NEEDED_BY_LAUNCH))
    document = apply_document(plan, results, requests=0, interrupted=False, outputs={})
    assert needs_a_person(document, None) is (outcome in (Outcome.FAILED, Outcome.HELD))


def test_allowed_hazards_are_words_with_commas_or_repeated() -> None:
    assert parse_allowed(["spend,delete", " replace-live "]) == {Hazard.SPEND, Hazard.DELETE, Hazard.REPLACE_LIVE}
    assert parse_allowed([]) == frozenset()
    assert parse_allowed([",".join(Hazard)]) == frozenset(Hazard)
    with pytest.raises(UsageError, match='does not know "fun"'):
        parse_allowed(["spend,fun"])
