"""Lost replies, errors after acting, lost locks, two clones: never two launches in one slot."""

from __future__ import annotations

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rftplan.address import Address
from rftplan.amending.holds import release
from rftplan.changes import Action, Hazard, Reason
from rftplan.errors import BusyError, LockError, RefusedPlanError, UserError
from rftplan.events import Outcome
from rftplan.file_lock import acting_alone
from rftplan.loading import load
from tests.faults import Fault, Faulty, always, once
from tests.world import SPEC, Clock, Small

JOBS = "/v1/fine_tuning/jobs"
FILES = "/v1/files"

UNKNOWN = [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.ERROR_BEFORE, Fault.ERROR_AFTER]


def with_fault(small: Small, plan: Any) -> None:
    small.wrap = lambda inner: Faulty(inner, plan)


@pytest.mark.parametrize("fault", UNKNOWN)
@pytest.mark.parametrize("path", [JOBS, FILES])
def test_an_effect_of_unknown_fate_happens_once(small: Small, path: str, fault: Fault) -> None:
    with_fault(small, once("POST", path, fault))
    small.apply(wait=True)
    small.wrap = lambda inner: inner
    small.train()
    assert len(small.jobs()) == 1
    assert len(small.files()) == 2
    assert small.verbs() == {}


@pytest.mark.parametrize("fault", [Fault.NOT_CONNECTED, Fault.REFUSED])
def test_what_certainly_was_not_done_is_said_and_tried_by_the_next_apply(small: Small, fault: Fault) -> None:
    with_fault(small, once("POST", JOBS, fault))
    results = small.results()
    assert results["job.review"].outcome is Outcome.FAILED
    assert results["deployment.reviewer"].outcome is not Outcome.DONE
    assert small.jobs() == []
    small.wrap = lambda inner: inner
    assert small.verbs()["job.review"] == "create launch"
    small.train()
    assert len(small.jobs()) == 1


def test_a_create_is_sent_once_however_often_the_service_fails(small: Small) -> None:
    """The SDK would repeat it by itself; the retries of creates are off."""
    faulty: list[Faulty] = []

    def wrap(inner: Any) -> Faulty:
        faulty.append(Faulty(inner, always("POST", JOBS, Fault.ERROR_BEFORE)))
        return faulty[-1]

    small.wrap = wrap
    small.apply()
    # Once, and once more after the look-up proved that nothing had happened.
    assert faulty[0].seen[("POST", JOBS)] == 2


PAID = SPEC.replace("provider: local", "provider: {type: openai, base_url: 'http://127.0.0.1:9/v1'}")


class PaidService:
    """The local service in the place of a paid provider: what differs is the profile, not the wire."""

    def __init__(self, root: Path, clock: Clock) -> None:
        from rftplan.server.app import create_app
        from rftplan.server.settings import default_settings

        self.app = create_app(default_settings(root / "service.sqlite", "sk-test", now=clock.now))
        self.plan: Any = lambda *_: None

    def transport(self, _network: Any) -> Faulty:
        return Faulty(httpx_transport(self.app), lambda m, p, n: self.plan(m, p, n))

    def close(self) -> None:
        from rftplan.server.app import close_app

        close_app(self.app)


def httpx_transport(app: Any) -> Any:
    import httpx2

    return httpx2.ASGITransport(app=app)


@pytest.fixture
def paid(tmp_path: Path) -> Any:
    clock = Clock()
    service = PaidService(tmp_path / "remote", clock)
    small = Small.at(
        tmp_path / "project", PAID, clock=clock, environ={"OPENAI_API_KEY": "sk-test"}, wrap=service.transport
    )
    yield small, service
    service.close()


@pytest.mark.parametrize("fault", UNKNOWN)
def test_at_a_paid_provider_nothing_is_repeated_before_it_has_settled(
    paid: tuple[Small, PaidService], fault: Fault
) -> None:
    small, service = paid
    acted = fault in (Fault.LOST_AFTER, Fault.ERROR_AFTER)
    service.plan = once("POST", JOBS, fault)
    results = small.results()
    service.plan = lambda *_: None
    assert len(small.jobs()) == (1 if acted else 0)
    if acted:
        assert results["job.review"].outcome is Outcome.DONE
        return
    assert results["job.review"].outcome is Outcome.DEFERRED
    small.clock.time += 119
    assert small.changes()["job.review"].reason is Reason.FATE_UNKNOWN
    small.apply()
    assert small.jobs() == []
    small.clock.time += 2
    assert small.verbs()["job.review"] == "create launch"
    small.train()
    assert len(small.jobs()) == 1


def test_a_stale_list_after_a_lost_reply_is_waited_out(paid: tuple[Small, PaidService]) -> None:
    """The reply is lost and the list does not show the job yet: DEFER, and later RECOVER, never a second launch."""
    small, service = paid
    hidden = {"now": True}

    def plan(method: str, path: str, count: int) -> Fault | None:
        if (method, path) == ("POST", JOBS):
            return Fault.LOST_AFTER
        return Fault.REFUSED if hidden["now"] and (method, path) == ("GET", JOBS) and count > 2 else None

    service.plan = plan
    small.apply()
    hidden["now"] = False
    service.plan = lambda *_: None
    change = small.changes()["job.review"]
    assert (change.action, change.verb) == (Action.ADOPT, "recover")
    small.train()
    assert len(small.jobs()) == 1


def test_a_lost_lock_adopts_the_launch_and_its_lineage(small: Small) -> None:
    small.train()
    lineage = small.lock().lineage
    (small.root / "rftplan.lock").unlink()
    shutil.rmtree(small.root / ".rftplan" / "default")
    changes = small.changes()
    assert changes["job.review"].action is Action.ADOPT
    assert changes["file.train"].action is Action.ADOPT
    assert changes["deployment.reviewer"].reason is Reason.LOCK_REBUILT
    small.apply()
    assert small.lock().lineage == lineage
    assert small.changes()["deployment.reviewer"].reason is Reason.LOCK_REBUILT
    assert len(small.jobs()) == 1


def test_a_rebuilt_lock_promotes_again_only_after_release(small: Small) -> None:
    small.train()
    (small.root / "rftplan.lock").unlink()
    shutil.rmtree(small.root / ".rftplan" / "default")
    small.apply(wait=True)
    assert small.verbs() == {"deployment.reviewer": "hold hold"}
    asyncio.run(release(small.options, Address("deployment", "reviewer"), world=small.world))
    assert small.verbs() == {"deployment.reviewer": "create promote"}
    small.train()
    assert small.verbs() == {}


def test_a_lost_journal_changes_nothing(small: Small) -> None:
    small.train()
    shutil.rmtree(small.root / ".rftplan" / "default")
    assert small.verbs() == {}


def test_a_fresh_clone_of_the_same_repository_launches_nothing(tmp_path: Path) -> None:
    """Two clones share the specs and the service; the second has no lock at all."""
    first = Small.at(tmp_path / "one")
    first.train()
    second = Small.at(tmp_path / "two", clock=first.clock)
    shutil.copytree(tmp_path / "one/.rftplan/local", tmp_path / "two/.rftplan/local")
    assert second.changes()["job.review"].action is Action.ADOPT


def test_a_create_repeated_on_the_way_keeps_the_first_and_cancels_the_second(small: Small) -> None:
    with_fault(small, once("POST", JOBS, Fault.TWICE))
    small.apply(wait=True)
    small.wrap = lambda inner: inner
    assert sorted(job.status for job in small.jobs()) == ["cancelled", "succeeded"]
    small.apply(wait=True)
    assert small.verbs() == {}


def test_a_second_apply_beside_the_first_is_refused(small: Small) -> None:
    with acting_alone(load(small.options).paths, "apply"), pytest.raises(BusyError, match="process"):
        small.apply()
    assert small.jobs() == []


def test_a_lock_that_moved_while_the_plan_was_looked_at_is_refused(small: Small) -> None:
    small.apply()
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")

    def meanwhile(_: object) -> bool:
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(Small(small.root, clock=small.clock).apply).result()
        return True

    with pytest.raises(RefusedPlanError, match="somebody else applied"):
        small.apply(consent=meanwhile)
    assert len(small.jobs()) == 2


def test_a_lock_of_another_provider_stops_before_anything_is_compared(small: Small) -> None:
    small.apply()
    small.edit("rftplan.lock", "http://local/v1", "https://api.openai.com/v1")
    with pytest.raises(LockError, match=r"provider\.base_url is https://api\.openai\.com/v1 in it"):
        small.plan()


def test_a_local_store_that_is_gone_is_held_and_one_that_is_damaged_is_said(small: Small) -> None:
    small.train()
    shutil.rmtree(small.root / ".rftplan")
    assert small.verbs() == {"deployment.reviewer": "hold hold"}
    store = small.root / ".rftplan" / "local" / "service.sqlite"
    store.parent.mkdir(parents=True)
    store.write_bytes(b"hello")
    with pytest.raises(UserError):
        small.plan()


def test_a_lost_lock_does_not_hide_what_runs_from_destroy(small: Small) -> None:
    """What a person types in a fresh clone to stop the spending."""
    small.apply()
    (small.root / "rftplan.lock").unlink()
    plan = small.plan(destroy=True)
    assert [one.hazard for _, one in plan.hazards()] == [Hazard.CANCEL_ACTIVE]
    small.apply(destroy=True)
    assert [job.status for job in small.jobs()] == ["cancelled"]
    assert not small.plan(destroy=True).acts
