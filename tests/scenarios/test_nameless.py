"""A service that keeps no metadata: a launch is found again by its seed, and where nothing tells whose a job is nothing
is launched beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rftplan import service_choice
from rftplan.address import Address
from rftplan.amending.recovering import recover
from rftplan.changes import Action, Change, Reason
from rftplan.events import Outcome
from rftplan.importing import import_one
from rftplan.kinds.job.launch import TOKEN_KEY
from rftplan.kinds.job.nameless import seed_of
from rftplan.render.reasons import reason_text
from tests.faults import Fault
from tests.scenarios.applies import S, bare, lose_lock
from tests.scenarios.promised import SETTLED, House, assert_promise

JOB = Address("job", "review")
ACTED = (Fault.LOST_AFTER, Fault.ERROR_AFTER)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(service_choice, "SERVED", bare(service_choice.SERVED))
    made = House(tmp_path / "house", speed=0.01, bare=True)
    yield made
    made.close()


def seeded(house: House) -> None:
    house.small.edit(S, "    model: o4-mini", "    seed: 7\n    model: o4-mini")


def failing(house: House, fault: Fault, *, with_lists: bool = False) -> None:
    """The create goes wrong; `with_lists`: it is not seen in lists at first, either."""
    house.fault_of = lambda call: fault if call.path.endswith("/jobs") else None
    if with_lists:
        house.lag()


def well(house: House) -> None:
    house.fault_of = lambda _: None
    house.catch_up()


def job_change(house: House, **selection: Any) -> Change:
    return house.small.changes(**selection)["job.review"]


def take(house: House, id: str) -> None:
    asyncio.run(import_one(house.small.options, JOB, id, world=house.small.world))


def test_an_unset_seed_carries_the_token_and_is_none_of_the_identity(house: House) -> None:
    house.small.apply()
    (job,) = house.truth().jobs.values()
    assert job.seed == seed_of(job.metadata[TOKEN_KEY])
    entry = house.small.lock().resources[JOB]
    assert "seed" not in entry.inputs
    assert entry.resolved["seed"] == job.seed
    plan = house.small.plan()
    assert (plan.drift, job_change(house).action) == ((), Action.NOOP)


@pytest.mark.parametrize("fault", ACTED)
@pytest.mark.parametrize("with_lists", [False, True], ids=["lists in time", "lists behind"])
def test_a_launch_whose_answer_was_lost_is_found_by_its_seed(house: House, fault: Fault, with_lists: bool) -> None:
    failing(house, fault, with_lists=with_lists)
    told = house.small.results()["job.review"]
    assert told.outcome is (Outcome.DEFERRED if with_lists else Outcome.DONE)
    well(house)
    if with_lists:
        assert job_change(house).reason is Reason.INTENT_RECOVERED
    house.small.apply()
    assert len(assert_promise(house.small, there=house.truth()).jobs) == 1


def test_a_seed_of_the_specs_leaves_a_lost_launch_to_a_person(house: House) -> None:
    seeded(house)
    failing(house, Fault.LOST_AFTER)
    assert house.small.results()["job.review"].outcome is Outcome.DEFERRED
    well(house)
    (job,) = house.truth().jobs.values()
    for _ in range(2):
        change = job_change(house)
        assert (change.action, change.reason) == (Action.HOLD, Reason.FATE_UNKNOWABLE)
        house.clock.time += SETTLED
        house.small.apply()
    assert "the specs set the seed, so that nothing tells two launches apart" in change.detail
    assert f"rftplan import job.review {job.id} takes it" in change.detail
    (open_,) = asyncio.run(recover(house.small.options, world=house.small.world)).effects
    assert (open_.fate, open_.detail) == ("for-apply", change.detail)
    take(house, job.id)
    house.small.apply()
    assert len(assert_promise(house.small, there=house.truth()).jobs) == 1


def test_a_seed_of_the_specs_and_nothing_there_is_launched_once_that_is_proven(house: House) -> None:
    seeded(house)
    failing(house, Fault.LOST_BEFORE)
    house.small.apply()
    well(house)
    assert job_change(house).reason is Reason.FATE_UNKNOWN
    house.clock.time += SETTLED
    assert job_change(house).verb == "launch"
    house.small.apply()
    assert len(assert_promise(house.small, there=house.truth()).jobs) == 1


def test_a_person_may_launch_beside_what_nobody_knows(house: House) -> None:
    seeded(house)
    failing(house, Fault.LOST_AFTER)
    house.small.apply()
    well(house)
    house.clock.time += 100
    house.small.apply(replace=frozenset({JOB}))
    assert len(house.truth().jobs) == 2
    assert job_change(house).action is Action.NOOP


@pytest.mark.parametrize("seed", [False, True], ids=["seed left open", "seed set"])
def test_a_lost_lock_launches_nothing_beside_what_may_be_its_own(house: House, seed: bool) -> None:
    if seed:
        seeded(house)
    house.small.apply()
    (job,) = house.truth().jobs.values()
    lose_lock(house)
    house.clock.time += 100
    for _ in range(2):
        change = job_change(house)
        assert (change.action, change.reason) == (Action.HOLD, Reason.MAY_BE_OURS)
        house.small.apply()
        assert len(house.truth().jobs) == 1
    assert reason_text(change.reason, change.detail) == (
        f"what is at the service may be this one already: {job.id} is running there, from the same files with the "
        "same settings, and without metadata: nobody can tell whether it is this launch; if it is, rftplan import "
        f"job.review {job.id} takes it"
    )
    take(house, job.id)
    assert job_change(house).action is Action.NOOP


def test_destroy_with_a_lost_lock_does_not_say_that_nothing_runs(house: House) -> None:
    house.small.apply()
    lose_lock(house)
    change = job_change(house, destroy=True)
    assert (change.action, change.reason) == (Action.HOLD, Reason.MAY_BE_OURS)


def test_what_came_to_an_end_before_an_edit_is_held_when_the_edit_is_taken_back(house: House) -> None:
    """With metadata it would be adopted; here a person takes it, or launches anew."""
    house.small.apply()
    house.clock.time += 600
    house.small.apply()
    house.small.edit(S, "n_epochs: 2", "n_epochs: 3")
    house.small.apply()
    assert len(house.truth().jobs) == 2
    house.small.edit(S, "n_epochs: 3", "n_epochs: 2")
    change = job_change(house)
    assert (change.action, change.reason) == (Action.HOLD, Reason.MAY_BE_OURS)
    assert "rftplan state rm job.review, then rftplan import job.review" in change.detail
    assert job_change(house, replace=frozenset({JOB})).verb == "relaunch"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("n_epochs: 2", "n_epochs: 3"),
        ("{{item.answer}}", "{{ item.answer }}!"),
        ("data/train.jsonl", "data/test.jsonl"),
    ],
    ids=["settings", "grader", "files"],
)
def test_a_job_that_is_shown_to_be_another_holds_nothing(house: House, old: str, new: str) -> None:
    house.small.apply()
    lose_lock(house)
    house.small.edit(S, old, new)
    assert job_change(house).verb == "launch"
