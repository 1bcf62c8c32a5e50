"""A finished run is kept although its spec was edited, as long as that very edit stands."""

from __future__ import annotations

import asyncio

import pytest

from rftplan.accepting import Accepted, accept
from rftplan.address import Address
from rftplan.changes import Action, Reason
from rftplan.errors import UserError
from rftplan.importing import import_one
from tests.importing.strangers import launched, trained
from tests.world import Small

JOB = Address("job", "review")


def accepted(small: Small, reason: str = "only a name") -> Accepted:
    return asyncio.run(accept(small.options, JOB, reason, world=small.world))


def edit(small: Small, epochs: int = 3) -> None:
    small.edit("specs/main.yaml", "n_epochs: 2", f"n_epochs: {epochs}")


def test_an_accepted_edit_is_kept_and_said(small: Small) -> None:
    small.train()
    before = small.lock().resources[JOB]
    edit(small)
    assert small.changes()["job.review"].action is Action.REPLACE
    done = accepted(small)
    assert [(f.path, f.before, f.after) for f in done.fields] == [
        ("method.reinforcement.hyperparameters.n_epochs", 2, 3)
    ]
    assert (done.changed, done.replaced) == (True, None)
    change = small.changes()["job.review"]
    assert (change.action, change.reason, change.detail) == (Action.NOOP, Reason.ACCEPTED, "only a name")
    assert small.verbs() == {}, "what is promoted stays promoted"
    small.apply()
    entry = small.lock().resources[JOB]
    assert len(small.jobs()) == 1
    assert entry.accepted["launched"] == {"fingerprint": before.fingerprint, "inputs": before.inputs}
    assert small.plan().drift == (), "that it is not what the spec says is known"


def test_a_further_edit_launches_anew_and_shows_all_that_differs(small: Small) -> None:
    small.train()
    edit(small)
    accepted(small)
    small.edit("specs/main.yaml", "operation: eq", "operation: ne")
    change = small.changes()["job.review"]
    assert change.action is Action.REPLACE
    assert [f.path for f in change.fields] == [
        "method.reinforcement.grader.operation",
        "method.reinforcement.hyperparameters.n_epochs",
    ]
    small.apply()
    assert small.lock().resources[JOB].accepted == {}


@pytest.mark.parametrize("ours", [True, False])
def test_taking_the_edit_back_is_what_was_launched(small: Small, ours: bool) -> None:
    """Also of a job that carries nothing of ours, which nobody would find again."""
    if ours:
        small.train()
    else:
        job = trained(small, launched(small))
        asyncio.run(import_one(small.options, JOB, job.id, world=small.world))
        small.apply()
    before = small.lock().resources[JOB]
    edit(small)
    accepted(small)
    small.edit("specs/main.yaml", "n_epochs: 3", "n_epochs: 2")
    change = small.changes()["job.review"]
    assert (change.action, change.reason) == (Action.NOOP, Reason.MATCHES)
    small.apply()
    assert small.lock().resources[JOB] == before
    assert len(small.jobs()) == 1


def test_twice_changes_nothing_and_another_reason_replaces_the_first(small: Small) -> None:
    small.train()
    edit(small)
    accepted(small)
    serial = small.lock().serial
    assert not accepted(small).changed
    assert small.lock().serial == serial
    assert accepted(small, "asked the team").replaced == "only a name"
    assert small.changes()["job.review"].detail == "asked the team"


def test_a_run_that_the_lock_did_not_see_end_is_kept_with_how_it_ended(small: Small) -> None:
    small.apply()
    small.clock.time += 3_600
    edit(small)
    accepted(small)
    entry = small.lock().resources[JOB]
    assert entry.resolved["status"] == "succeeded"
    assert entry.history[-1]["job_id"] == entry.id


def test_what_cannot_be_accepted_says_why(small: Small) -> None:
    with pytest.raises(UserError, match=r"the lock knows no run of job.review"):
        accepted(small)
    small.apply()
    with pytest.raises(UserError, match="there is nothing to accept"):
        accepted(small)
    edit(small)
    with pytest.raises(UserError, match="only a finished run can be accepted") as caught:
        accepted(small)
    assert caught.value.hint is not None and "prevent_replace: true" in caught.value.hint
    (job,) = small.jobs()
    small.service(lambda port: port.cancel_job(job.id))
    with pytest.raises(UserError, match="there is no result that could be kept"):
        accepted(small)
    with pytest.raises(UserError, match=r"file.train is not a job"):
        asyncio.run(accept(small.options, Address("file", "train"), "x", world=small.world))
