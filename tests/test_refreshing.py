"""Drift looked at and recorded: what somebody did by hand at the service, what a plan says of it, and nothing spent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from rftplan import project
from rftplan.address import Address
from rftplan.changes import Action, Mode, Plan, Reason
from rftplan.errors import RefusedPlanError
from rftplan.events import Outcome
from rftplan.project import Applied
from tests.world import Small

JOB, FILE = Address("job", "review"), Address("file", "train")


def looked(small: Small) -> Plan:
    return asyncio.run(project.plan_refresh(small.options, world=small.world)).plan


def recorded(small: Small, consent: Callable[[Plan], bool] = lambda _: True) -> Applied | None:
    return asyncio.run(project.refresh(small.options, consent=consent, world=small.world))


def job_id(small: Small) -> str:
    return str(small.lock().resources[JOB].id)


async def delete_the_rows(port: Any) -> None:
    for file in await port.list_files("fine-tune"):
        await port.delete_file(file.id)


@pytest.mark.parametrize(
    ("by_hand", "said", "reason"),
    [
        (lambda id: lambda port: port.cancel_job(id), "was cancelled by somebody else", Reason.CANCELLED_ELSEWHERE),
        (lambda id: lambda port: port.pause_job(id), "was paused by hand or by the service", Reason.PAUSED_ELSEWHERE),
    ],
)
def test_what_was_done_to_a_job_by_hand_is_named_recorded_and_still_held(
    small: Small, by_hand: Any, said: str, reason: Reason
) -> None:
    small.launch_until_step()
    small.service(by_hand(job_id(small)))
    small.clock.time += 0.5
    before = small.changes()["job.review"]
    plan = looked(small)
    assert plan.mode is Mode.REFRESH
    assert [(c.address, c.action, c.verb, c.reason) for c in plan.changes] == [
        (JOB, Action.UPDATE, "record", Reason.CHANGED_OUTSIDE)
    ]
    assert said in plan.drift[0].detail
    applied = recorded(small)
    assert applied is not None and [r.outcome for r in applied.results] == [Outcome.DONE]
    assert looked(small).changes == looked(small).drift == ()
    after = small.changes()["job.review"]
    assert (before.action, before.reason) == (after.action, after.reason) == (Action.HOLD, reason)
    assert len(small.jobs()) == 1, "nothing was launched"


def test_files_that_were_deleted_are_forgotten_with_their_digests_known(small: Small) -> None:
    small.train()
    small.service(delete_the_rows)
    assert {str(d.address) for d in looked(small).drift} == {"file.train", "file.test"}
    assert "somebody deleted it, or it expired" in small.plan().drift[0].detail
    recorded(small)
    entry = small.lock().resources[FILE]
    assert entry.id is None and "sha256" in entry.inputs
    assert (small.plan().drift, small.verbs()) == ((), {})
    assert {c.reason for c in small.plan().changes if c.address.kind == "file"} == {Reason.NOT_NEEDED}
    assert small.status()["file.train"].state == "not uploaded"
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    assert small.verbs()["file.train"] == "create upload"
    small.train()


def test_a_job_that_ended_well_is_recorded_with_its_figures(small: Small) -> None:
    small.launch_until_step()
    small.clock.time += 3600
    plan = looked(small)
    assert [str(c.address) for c in plan.changes] == ["job.review"] and plan.drift == ()
    recorded(small)
    kept = small.lock().resources[JOB].resolved
    assert (kept["status"], kept["step"]) == ("succeeded", kept["total_steps"])
    assert small.changes()["deployment.reviewer"].verb == "promote", "a refresh promotes nothing"


def test_nothing_of_the_specs_is_done_and_a_no_writes_nothing(small: Small) -> None:
    small.launch_until_step()
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    small.service(lambda port: port.cancel_job(job_id(small)))
    before = small.lock()
    assert recorded(small, consent=lambda _: False) is None
    assert small.lock() == before
    recorded(small)
    assert small.verbs()["job.review"] == "replace relaunch"
    assert len(small.jobs()) == 1


def test_nobody_is_asked_where_nothing_changed(small: Small) -> None:
    small.train()
    serial = small.lock().serial

    def asked(_: Plan) -> bool:
        raise AssertionError("somebody was asked")

    applied = recorded(small, asked)
    assert applied is not None and applied.results == ()
    assert small.lock().serial == serial


def test_what_somebody_applied_meanwhile_is_not_written_over(small: Small) -> None:
    small.launch_until_step()
    small.service(lambda port: port.cancel_job(job_id(small)))

    def meanwhile(_: Plan) -> bool:
        small.edit("rftplan.lock", '"attempt": 1', '"attempt": 2')
        return True

    with pytest.raises(RefusedPlanError, match="somebody else applied"):
        recorded(small, meanwhile)


def test_a_service_pause_is_never_resumed_without_that_leave(small: Small) -> None:
    """Told from ours, also when it was recorded: only a person lets it go on."""
    small.launch_until_step()
    small.service(lambda port: port.pause_job(job_id(small)))
    small.clock.time += 0.5
    recorded(small)
    results = small.results(wait=True)
    assert results["job.review"].outcome is Outcome.HELD
    assert small.jobs()[0].status == "paused"
