"""What the lock lost, and what it was made to forget: the one is a person's to judge, the other is not."""

from __future__ import annotations

import asyncio

from rftplan import project
from rftplan.address import Address
from rftplan.amending.holds import release
from rftplan.changes import Action, Hazard, Reason
from tests.world import Small

JOB = Address("job", "review")


def test_a_replaced_job_is_found_again_when_the_lock_is_lost(small: Small) -> None:
    small.train()
    small.apply(replace=frozenset({JOB}), wait=True)
    newest = small.lock().resources[JOB].id
    (small.root / "rftplan.lock").unlink()
    changes = small.changes()
    assert (changes["job.review"].action, changes["deployment.reviewer"].reason) == (Action.ADOPT, Reason.LOCK_REBUILT)
    small.apply()
    assert (small.lock().resources[JOB].id, small.lock().resources[JOB].attempt) == (newest, 2)
    assert len(small.jobs()) == 2


def test_what_destroy_forgot_is_judged_and_promoted_anew(small: Small) -> None:
    small.train()
    small.apply(destroy=True)
    assert small.changes()["job.review"].action is Action.ADOPT
    assert small.changes()["deployment.reviewer"].reason is Reason.GATES_PASSED
    small.train()
    assert small.verbs() == {}
    assert len(small.jobs()) == 1


def test_what_destroy_found_nothing_to_forget_of_is_judged_anew_as_well(small: Small) -> None:
    small.apply()
    small.clock.time += 600
    small.apply(destroy=True)
    small.train()
    assert small.verbs() == {}


def test_a_deployment_that_left_the_specs_and_comes_back_is_judged_anew(small: Small) -> None:
    """Even where the lock was lost before, and a person released it then."""
    small.train()
    (small.root / "rftplan.lock").unlink()
    small.apply()
    assert small.changes()["deployment.reviewer"].reason is Reason.LOCK_REBUILT
    asyncio.run(release(small.options, Address("deployment", "reviewer"), world=small.world))
    small.train()
    spec = (small.root / "specs/main.yaml").read_text()
    small.write("specs/main.yaml", spec[: spec.index("deployments:")])
    small.apply()
    small.write("specs/main.yaml", spec)
    assert small.changes()["deployment.reviewer"].reason is Reason.GATES_PASSED
    (small.root / "rftplan.lock").unlink()
    assert small.changes()["deployment.reviewer"].reason is Reason.LOCK_REBUILT


def test_a_renamed_deployment_is_hinted_at_and_moves_without_a_hazard(small: Small) -> None:
    small.train()
    small.edit("specs/main.yaml", "  reviewer:\n", "  renamed:\n")
    plan = small.plan()
    assert [(str(address), risk.hazard) for address, risk in plan.hazards()] == [("deployment.reviewer", Hazard.DELETE)]
    hint = "moved: [{from: deployment.reviewer, to: deployment.renamed}]"
    assert any(hint in change.detail for change in plan.changes)
    small.edit("specs/main.yaml", "jobs:\n", hint + "\njobs:\n")
    assert small.plan().hazards() == ()
    small.train()
    assert set(project.outputs(small.options)) == {"renamed"}
    assert [risk.hazard for _, risk in small.plan(destroy=True).hazards()] == [Hazard.DELETE]


def test_status_says_what_is_held_and_why(small: Small) -> None:
    small.edit("specs/main.yaml", "at_least: 0.1", "at_least: 1.5")
    small.apply(wait=True)
    status = small.status()["deployment.reviewer"]
    assert (status.state, "wanted at least 1.5" in status.detail) == ("held", True)
