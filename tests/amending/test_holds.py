"""`hold` and `release`: what a person says of an address stays so, whatever specs and applies come."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rftplan.address import Address
from rftplan.amending.holds import Held, Released, hold, release
from rftplan.changes import Change, Reason
from rftplan.errors import BusyError, LockError, UserError
from rftplan.file_lock import acting_alone
from rftplan.lockfile import Hold
from rftplan.promoted import state_paths
from tests.world import SPEC, Small

JOB, NEW = Address("job", "review"), Address("job", "second")
SECOND = """\
  second:
    model: o4-mini-2025-04-16
    training_file: train
    validation_file: test
    seed: 7
    method: {type: reinforcement, reinforcement: {grader: match, hyperparameters: {n_epochs: 2}}}
"""


def held(small: Small, address: Address = JOB, reason: str = "legal has to look") -> Held:
    return hold(small.options, address, reason, world=small.world)


def released(small: Small, address: Address = JOB) -> Released | Change:
    return asyncio.run(release(small.options, address, world=small.world))


def test_what_is_held_no_apply_touches(small: Small) -> None:
    small.train()
    done = held(small)
    assert (done.holds, done.going) == ((Hold("operator", "legal has to look", operator=True),), None)
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    for _ in range(2):
        small.apply()
        change = small.changes()["job.review"]
        assert (change.reason, change.detail) == (Reason.HELD, "operator: legal has to look")
    assert len(small.jobs()) == 1
    assert released(small) == Released(JOB, done.holds)
    assert small.verbs()["job.review"] == "replace relaunch"


def test_a_hold_is_set_before_the_first_launch_and_leaves_no_trace(small: Small) -> None:
    small.train()
    small.edit("specs/main.yaml", "deployments:", SECOND + "deployments:")
    held(small, NEW)
    small.apply()
    assert len(small.jobs()) == 1
    released(small, NEW)
    assert NEW not in small.lock().resources
    assert small.verbs() == {"job.second": "create launch"}


def test_a_hold_says_that_the_job_goes_on(small: Small) -> None:
    small.launch_until_step()
    done = held(small)
    assert done.going in ("queued", "running", "validating_files") and done.id is not None


def test_a_second_hold_replaces_the_reason_and_keeps_what_others_hold_it_for(small: Small) -> None:
    from rftplan.intervening import Command, intervene

    small.launch_until_step()
    asyncio.run(intervene(small.options, Command.PAUSE, JOB, reason="hacked", world=small.world))
    held(small, reason="one")
    done = held(small, reason="two")
    assert (done.replaced, [one.reason for one in done.holds]) == ("one", ["two", "hacked"])
    assert small.changes()["job.review"].detail == "operator: two; paused: hacked"
    lifted: Any = released(small)
    assert [one.code for one in lifted.lifted] == ["operator", "paused"]


@pytest.mark.parametrize("broken", ["jobs: {", "project: 3", "jbos: {}", "files: {train: {path: gone.jsonl}}"])
def test_broken_specs_do_not_matter(small: Small, broken: str) -> None:
    small.train()
    small.write("specs/main.yaml", broken)
    held(small)
    small.write("specs/main.yaml", SPEC)
    assert small.changes()["job.review"].reason is Reason.HELD
    small.write("specs/main.yaml", broken)
    released(small)
    small.write("specs/main.yaml", SPEC)
    assert small.verbs() == {}


def test_what_moved_is_held_where_the_lock_has_it(small: Small) -> None:
    small.train()
    small.edit("specs/main.yaml", "jobs:\n  review:", "moved: [{from: job.review, to: job.renamed}]\njobs:\n  renamed:")
    small.edit("specs/main.yaml", "    job: review", "    job: renamed")
    held(small, Address("job", "renamed"))
    assert small.changes()["job.renamed"].reason is Reason.HELD
    small.apply()
    released(small, Address("job", "renamed"))
    assert small.verbs() == {}


def test_a_name_that_is_none_is_an_error_that_names_the_close_ones(small: Small) -> None:
    small.train()
    with pytest.raises(UserError, match=r"job\.reviwe is neither declared nor in the lock") as caught:
        held(small, Address("job", "reviwe"))
    assert caught.value.hint == "did you mean job.review?"
    with pytest.raises(UserError) as caught:
        held(small, Address("jab", "review"))
    assert caught.value.hint == "kinds are file, grader, job, deployment"


def test_without_a_lock_there_is_nothing_to_hold(small: Small) -> None:
    with pytest.raises(UserError, match="there is no lock yet"):
        held(small)
    small.train()
    small.write("rftplan.lock", "{")
    with pytest.raises(LockError, match="damaged"):
        held(small)


def test_while_an_apply_acts_a_hold_is_refused_and_says_by_whom(small: Small) -> None:
    small.train()
    with acting_alone(state_paths(small.root), "apply"), pytest.raises(BusyError, match="rftplan apply, process"):
        held(small)
