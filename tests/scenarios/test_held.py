"""Whatever holds an address says what to do about it, and doing so lifts it."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

from hypothesis import given

from rftplan.address import Address
from rftplan.amending.holds import Released, release
from rftplan.changes import Action, Change, Hazard, Reason
from rftplan.planner import PlanInputs, make_plan
from rftplan.render.look import Look
from rftplan.render.next_steps import next_step, not_released
from rftplan.render.plan_documents import plan_document
from rftplan.render.plan_text import plan_text
from tests.planning import worlds
from tests.world import Small

JOB, DEPLOYMENT = Address("job", "review"), Address("deployment", "reviewer")
WITHOUT = {Reason.WAITS_FOR_JOB, Reason.UPSTREAM_BLOCKED, Reason.LEFT_OUT}
"""What goes on with another address, and what somebody left out of a plan: its head says so of all at once."""


def step(change: Change) -> str | None:
    return next_step(
        action=change.action.value, reason=change.reason.value, address=str(change.address), program="rftplan"
    )


@given(worlds())
def test_every_hold_and_every_wait_of_its_own_has_a_next_step(inputs: PlanInputs) -> None:
    for change in make_plan(inputs).changes:
        if change.action is Action.HOLD or (change.action is Action.DEFER and change.reason not in WITHOUT):
            assert step(change), change


def lifted(small: Small, address: Address) -> Released | Change:
    return asyncio.run(release(small.options, address, world=small.world))


def shown(small: Small) -> str:
    return plan_text(plan_document(small.plan()), Look())


def by_hand(small: Small, what: str) -> None:
    """Somebody does something to the job at the service."""
    job = small.lock().resources[JOB].id
    small.service(lambda port: getattr(port, f"{what}_job")(job))
    small.clock.time += 60


def test_a_pause_by_somebody_else_is_released_and_then_resumed(small: Small) -> None:
    small.launch_until_step()
    by_hand(small, "pause")
    assert small.changes()["job.review"].reason is Reason.PAUSED_ELSEWHERE
    assert "next: rftplan resume job.review --allow resume-after-service-pause, once it is" in shown(small)
    assert lifted(small, JOB) == Released(JOB)
    resume = small.changes()["job.review"]
    assert (resume.action, resume.verb) == (Action.UPDATE, "resume")
    assert [hazard.hazard for hazard in resume.hazards] == [Hazard.RESUME_AFTER_SERVICE_PAUSE]
    small.train()
    assert small.verbs() == {}


def test_a_cancelled_job_names_both_ways_on_and_both_work(small: Small) -> None:
    small.launch_until_step()
    by_hand(small, "cancel")
    said = shown(small)
    assert (
        "next: launch it again: rftplan apply --replace job.review; or leave it at that: write run: cancelled" in said
    )
    assert "A person has to act on what is held, as it says above; until then apply exits 1." in said
    small.edit("specs/main.yaml", "  review:\n    model", "  review:\n    run: cancelled\n    model")
    assert small.changes()["job.review"].action is Action.NOOP
    small.edit("specs/main.yaml", "    run: cancelled\n", "")
    assert small.verbs(replace=frozenset({JOB}))["job.review"] == "replace relaunch"


def test_what_looks_moved_is_held_with_what_it_is_kept_for(small: Small) -> None:
    small.train()
    small.edit("specs/main.yaml", "jobs:\n  review:", "jobs:\n  renamed:")
    small.edit("specs/main.yaml", "    job: review", "    job: renamed")
    said = shown(small)
    assert "say moved: [{from: job.review, to: job.renamed}]" in said
    assert "next: write that into the specs; or launch it as something new: rftplan apply --replace job.renamed" in said
    assert "kept until job.renamed is decided\n      next: decide about that one first" in said


def test_release_of_what_it_cannot_lift_says_what_helps_instead(small: Small) -> None:
    small.train()
    change: Any = lifted(small, JOB)
    assert not_released(change, "rftplan") == (
        f"nothing holds job.review: as the specs say: {change.detail}",
        "rftplan plan",
    )
    small.service(lambda port: port.list_jobs())
    small.edit("specs/main.yaml", "at_least: 0.1", "at_least: 1.5")
    change = lifted(small, DEPLOYMENT)
    message, hint = not_released(change, "rftplan")
    assert message.startswith("deployment.reviewer is held, but not by what release lifts: its candidate failed a gate")
    assert hint == "change the gate, the checkpoint or the job in the specs, then rftplan apply"


def test_a_lost_lock_names_release(small: Small) -> None:
    small.train()
    (small.root / "rftplan.lock").unlink()
    shutil.rmtree(small.root / ".rftplan" / "default")
    small.apply()
    assert "next: rftplan release deployment.reviewer; its candidate is judged anew then" in shown(small)
    assert lifted(small, DEPLOYMENT) == Released(DEPLOYMENT)
    assert small.verbs() == {"deployment.reviewer": "create promote"}
