"""`state rm`: the lock forgets, the service keeps everything, and a person is told what that means."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from rftplan.address import Address
from rftplan.amending.forgetting import Forgetting, Leaving, forget
from rftplan.changes import Action
from rftplan.errors import RefusedPlanError, UserError
from rftplan.ledger import open_ledger
from rftplan.loading import load
from tests.faults import Fault, always
from tests.scenarios.test_bad_luck import PAID, PaidService, with_fault
from tests.world import Clock, Small

JOB, DEPLOYMENT, FILE = Address("job", "review"), Address("deployment", "reviewer"), Address("file", "train")


PRICES = "policy: {prices: {training_hour: {o4-mini-2025-04-16: 80}}}\n"


def forgotten(small: Small, address: Address = JOB, **rest: Any) -> Forgetting | None:
    return asyncio.run(forget(small.options, address, world=small.world, **rest))


def test_what_was_forgotten_stays_at_the_service_and_is_found_again(small: Small) -> None:
    small.train()
    (job,) = small.jobs()
    serial = small.lock().serial
    found = forgotten(small)
    assert found is not None
    assert (found.leaving, found.id, found.status, found.declared) == (Leaving.ENDED_JOB, job.id, "succeeded", True)
    assert JOB not in small.lock().resources and small.lock().serial == serial + 1
    assert small.verbs() == {"job.review": "adopt adopt"}
    small.apply()
    assert small.jobs() == [job] and small.verbs() == {}


def test_a_deployment_that_was_forgotten_on_purpose_is_no_lost_lock(small: Small) -> None:
    small.train()
    found = forgotten(small, DEPLOYMENT)
    assert found is not None and found.leaving is Leaving.MODEL and str(found.id).startswith("ft:")
    assert small.verbs() == {"deployment.reviewer": "create promote"}


def test_an_active_job_is_forgotten_only_where_it_may_be_left_running(small: Small) -> None:
    small.launch_until_step()
    with pytest.raises(RefusedPlanError, match="is running: forgotten, it trains on") as caught:
        forgotten(small)
    assert "rftplan cancel job.review" in str(caught.value.hint) and "--leave-running" in str(caught.value.hint)
    assert JOB in small.lock().resources
    found = forgotten(small, leave_running=True)
    assert found is not None and (found.leaving, found.asked) == (Leaving.ACTIVE_JOB, True)
    assert [job.raw_status for job in small.jobs()] == ["running"]
    assert small.changes()["job.review"].action is Action.ADOPT


def test_a_paid_job_says_what_an_hour_costs(tmp_path: Path) -> None:
    clock = Clock()
    service = PaidService(tmp_path / "remote", clock)
    environ = {"OPENAI_API_KEY": "sk-test"}
    small = Small.at(tmp_path / "project", PAID + PRICES, clock=clock, environ=environ, wrap=service.transport)
    small.apply()
    found = forgotten(small, leave_running=True)
    service.close()
    assert found is not None and (found.hour_usd, found.paid) == (80.0, True) and found.cap


def test_without_the_service_the_word_of_the_lock_counts(small: Small) -> None:
    small.launch_until_step()
    job = small.lock().resources[JOB].id
    with_fault(small, always("GET", f"/v1/fine_tuning/jobs/{job}", Fault.NOT_CONNECTED))
    with pytest.raises(RefusedPlanError):
        forgotten(small)
    found = forgotten(small, leave_running=True)
    assert found is not None and not found.asked


def test_a_no_changes_nothing(small: Small) -> None:
    small.train()
    before = (small.root / "rftplan.lock").read_bytes()
    assert forgotten(small, consent=lambda found: False) is None
    assert (small.root / "rftplan.lock").read_bytes() == before


def test_what_changed_while_it_was_asked_about_is_not_forgotten(small: Small) -> None:
    from rftplan.amending.holds import hold

    small.train()

    def consent(found: Forgetting) -> bool:
        hold(small.options, JOB, "wait", world=small.world)
        return True

    with pytest.raises(RefusedPlanError, match="somebody else changed"):
        forgotten(small, consent=consent)
    assert JOB in small.lock().resources


def test_what_nobody_knows_and_what_is_open_is_an_error(small: Small) -> None:
    small.train()
    with pytest.raises(UserError, match="the lock does not know"):
        forgotten(small, Address("job", "other"))
    loaded = load(small.options)
    ledger = open_ledger(loaded.paths, loaded.identity, now=small.clock.now, new_lineage=str)
    ledger.begin(FILE, "delete", token="token")
    ledger.close()
    with pytest.raises(UserError, match=r"delete of file\.train was cut off"):
        forgotten(small, FILE)


def test_it_is_journalled_and_folded(small: Small) -> None:
    small.train()
    forgotten(small, FILE)
    lock = json.loads((small.root / "rftplan.lock").read_text())
    assert "file.train" not in lock["resources"] and lock["tombstones"]["file.train"] == ["forgotten"]
