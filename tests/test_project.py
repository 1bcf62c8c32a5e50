"""The facade: each thing one can ask of a project, and what it refuses."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from rftplan import project
from rftplan.address import Address
from rftplan.changes import Mode, Reason
from rftplan.errors import LockError, SpecError, UserError
from rftplan.events import Outcome
from tests.world import Small

ORDER = ["file.test", "file.train", "grader.match", "job.review", "deployment.reviewer"]


def test_a_plan_counts_its_requests_and_writes_nothing(small: Small) -> None:
    before = sorted(path for path in small.root.rglob("*") if ".rftplan" not in path.parts)
    planned = asyncio.run(project.plan(small.options, world=small.world))
    assert planned.requests > 0
    assert sorted(path for path in small.root.rglob("*") if ".rftplan" not in path.parts) == before


def test_status_names_every_resource_in_the_order_of_the_plan(small: Small) -> None:
    assert list(small.status()) == [str(change.address) for change in small.plan().changes]
    assert sorted(small.status()) == sorted(ORDER)
    assert {found.state for found in small.status().values() if found.kind == "job"} == {"not launched"}
    small.train()
    job = small.status()["job.review"]
    assert (job.state, job.kind) == ("succeeded", "job")
    assert job.id == small.lock().resources[job.address].id
    assert "SIMULATED" in job.detail


def test_state_is_none_before_anything_was_done_and_needs_no_service(small: Small) -> None:
    assert project.state(small.options) is None
    small.train()
    small.write("specs/main.yaml", "this is: [not, a spec")
    lock = project.state(small.options)
    assert lock is not None and sorted(map(str, lock.resources)) == sorted(ORDER)
    assert list(project.outputs(small.options)) == ["reviewer"]


def test_what_cannot_be_planned_is_not_asked_about_either(small: Small) -> None:
    small.edit("specs/main.yaml", "training_file: train", "training_file: trian")
    assert [found.code for found in project.check(small.options)] == ["S207"]
    with pytest.raises(SpecError, match="1 error in the specs"):
        small.status()
    with pytest.raises(SpecError):
        small.plan()


@pytest.mark.parametrize("address", [Address("job", "nosuch"), Address("file", "train")])
def test_only_jobs_of_the_specs_can_be_replaced(small: Small, address: Address) -> None:
    with pytest.raises(UserError, match=f"{address} is not a job of these specs"):
        small.plan(replace=frozenset({address}))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("http://local/v1", "https://api.openai.com/v1"),
        ('"type": "local"', '"type": "openai"'),
        ('"project": null', '"project": "proj_1"'),
        ('"organization": null', '"organization": "org_1"'),
    ],
)
def test_a_lock_of_another_account_stops_everything_before_anything_is_compared(
    small: Small, old: str, new: str
) -> None:
    small.apply()
    small.edit("rftplan.lock", old, new)
    for ask in (small.plan, small.status, small.apply):
        with pytest.raises(LockError, match="belongs to") as caught:
            ask()
        assert "--lock" in str(caught.value.hint)


def test_nothing_to_write_takes_no_lock(small: Small) -> None:
    small.train()
    before = (small.root / "rftplan.lock").stat().st_mtime_ns
    applied = small.apply()
    assert applied is not None and applied.results == ()
    assert (small.root / "rftplan.lock").stat().st_mtime_ns == before


def test_an_apply_that_follows_nothing_says_what_waits(small: Small) -> None:
    results = small.results()
    assert results["deployment.reviewer"].outcome is Outcome.DEFERRED
    assert list(results) == [a for a in [str(c.address) for c in small.plan().changes] if a in results]


def test_what_a_simulation_promoted_is_never_accepted_at_another_provider(small: Small) -> None:
    """Its evidence says SIMULATED, and the lock that has it belongs to the provider that simulated."""
    small.train()
    evidence = small.lock().resources[Address("deployment", "reviewer")]
    assert "SIMULATED" in str(evidence)
    small.edit("specs/main.yaml", "provider: local", "provider: openai")
    small.edit("specs/main.yaml", "o4-mini-2025-04-16", "o4-mini-2027-01-01")
    before = small.lock()
    small.environ["OPENAI_API_KEY"] = "sk-of-nobody"
    small.wrap = lambda _transport: httpx2.MockTransport(_nobody)
    for command in (small.plan, small.apply):
        with pytest.raises(LockError, match="belongs to"):
            command()
    assert small.lock() == before


def _nobody(request: httpx2.Request) -> httpx2.Response:
    raise AssertionError(f"{request.url} was asked")


def test_an_offline_plan_asks_nobody_and_needs_no_key(small: Small) -> None:
    small.train()
    small.wrap = lambda _transport: httpx2.MockTransport(_nobody)
    planned = project.plan_offline(small.options, world=small.world)
    assert planned.requests == 0 and not planned.plan.acts and planned.plan.drift == ()
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    offline = {str(c.address): c.verb for c in project.plan_offline(small.options, world=small.world).plan.changes}
    assert (offline["job.review"], offline["file.train"]) == ("relaunch", "keep")
    small.edit("specs/main.yaml", "n_epochs: 3", "n_epochs: 2")
    small.edit("specs/main.yaml", "at_least: 0.1", "at_least: 0.2")
    (waits,) = (c for c in project.plan_offline(small.options, world=small.world).plan.changes if c.action == "defer")
    assert (waits.reason, str(waits.address)) == (Reason.NOT_ASKED, "deployment.reviewer")
    assert [field.path for field in waits.fields] == ["gates[0].at_least"]


def test_a_fork_plans_offline_for_a_provider_whose_key_it_lacks(small: Small) -> None:
    small.edit("specs/main.yaml", "provider: local", "provider: openai")
    small.edit("specs/main.yaml", "o4-mini-2025-04-16", "o4-mini-2027-01-01")
    small.clock.time = 1_795_000_000  # before the platform's last day
    small.wrap = lambda _transport: httpx2.MockTransport(_nobody)
    planned = project.plan_offline(small.options, world=small.world)
    assert planned.plan.mode is Mode.OFFLINE
    assert [str(address) for address, _ in planned.plan.hazards()] == ["job.review"]
