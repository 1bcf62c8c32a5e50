"""A job that moved keeps the address in its metadata that it was launched under. It stays one job, and ours."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Action, Reason
from rftplan.lockfile import write_lock
from tests.faults import Fault, always, once
from tests.scenarios.test_bad_luck import JOBS, PAID, PaidService, with_fault
from tests.world import Clock, Small

S = "specs/main.yaml"
MOVED = "moved:\n  - {from: job.review, to: job.reviewed}\n"
OTHER = """\
  review:
    model: o4-mini-2025-04-16
    training_file: train
    validation_file: test
    method:
      type: reinforcement
      reinforcement:
        grader: match
        hyperparameters: {n_epochs: EPOCHS}
"""


def rename(small: Small) -> None:
    small.edit(S, "jobs:\n  review:", "jobs:\n  reviewed:")
    small.edit(S, "    job: review\n", "    job: reviewed\n")
    small.edit(S, "jobs:\n", MOVED + "jobs:\n")


def use_the_old_name_again(small: Small, epochs: int) -> None:
    small.edit(S, MOVED, "")
    small.edit(S, "jobs:\n", "jobs:\n" + OTHER.replace("EPOCHS", str(epochs)))


def lose_the_lock(small: Small) -> None:
    (small.root / "rftplan.lock").unlink()
    shutil.rmtree(small.root / ".rftplan/default")


def active(small: Small) -> list[str]:
    return [job.id for job in small.jobs() if not job.status.ended]


@pytest.fixture
def small(tmp_path) -> Small:
    return Small.at(tmp_path)


def test_what_ran_under_the_old_name_is_cancelled_later_if_its_cancel_failed(small):
    small.apply()
    rename(small)
    small.apply()
    (old,) = active(small)
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    with_fault(small, always("POST", f"{JOBS}/{old}/cancel", Fault.ERROR_BEFORE))
    small.apply()
    assert len(active(small)) == 2
    small.wrap = lambda inner: inner
    small.apply()
    assert active(small) == [small.lock().resources[Address("job", "reviewed")].id]
    assert small.verbs() == {"deployment.reviewer": "defer wait"}


def test_a_new_job_under_an_old_name_leaves_the_one_alone_that_moved(small):
    small.apply()
    rename(small)
    small.apply()
    (moved,) = active(small)
    use_the_old_name_again(small, 4)
    assert small.plan().hazards() == ()
    small.apply()
    assert moved in active(small)
    assert len(active(small)) == 2


def test_a_new_job_under_an_old_name_may_even_be_the_same_job(small):
    small.apply()
    rename(small)
    small.apply()
    use_the_old_name_again(small, 2)
    assert small.changes()["job.review"].action is Action.CREATE
    small.apply()
    launches = {str(address): entry.attempt for address, entry in small.lock().resources.items() if entry.id}
    assert (launches["job.review"], launches["job.reviewed"]) == (2, 1)
    small.train()
    assert small.verbs() == {}
    assert len(small.jobs()) == 2


def test_an_edit_of_what_moved_can_be_reverted(small):
    small.train()
    rename(small)
    small.train()
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    small.train()
    small.edit(S, "n_epochs: 3", "n_epochs: 2")
    assert small.changes()["job.reviewed"].action is Action.ADOPT
    small.train()
    assert len(small.jobs()) == 2


def test_what_moved_is_found_without_the_lock(small):
    small.train()
    rename(small)
    small.train()
    lose_the_lock(small)
    assert small.changes()["job.reviewed"].action is Action.ADOPT


def test_what_was_forgotten_comes_back_under_another_name(small):
    small.train()
    text = (small.root / S).read_text()
    small.write(S, text[: text.index("jobs:")])
    small.apply()
    small.write(S, text)
    rename(small)
    assert small.changes()["job.reviewed"].action is Action.ADOPT


def test_a_cancel_of_ours_is_ours_under_the_new_name_too(small):
    small.apply()
    small.edit(S, "    model: o4-mini", "    run: cancelled\n    model: o4-mini")
    small.apply()
    rename(small)
    small.edit(S, "    run: cancelled\n", "")
    change = small.changes()["job.reviewed"]
    assert change.reason is Reason.AFTER_OUR_CANCEL
    small.train()
    assert len(small.jobs()) == 2


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_a_launch_of_unknown_fate_is_looked_for_under_the_new_name(tmp_path, fault):
    clock = Clock()
    service = PaidService(tmp_path / "remote", clock)
    small = Small.at(tmp_path / "p", PAID, clock=clock, environ={"OPENAI_API_KEY": "sk-test"}, wrap=service.transport)
    acted = fault is Fault.LOST_AFTER

    def plan(method: str, path: str, count: int) -> Fault | None:
        looks_after = (method, path) == ("GET", JOBS) and count > 2
        return Fault.REFUSED if acted and looks_after else once("POST", JOBS, fault)(method, path, count)

    service.plan = plan
    small.apply()
    service.plan = lambda *_: None
    rename(small)
    first = small.changes()["job.reviewed"]
    assert first.reason is (Reason.INTENT_RECOVERED if acted else Reason.FATE_UNKNOWN)
    clock.time += 1000
    small.train()
    jobs = small.jobs()
    open_ends = '"intent"' in journal(small)
    service.close()
    assert len(jobs) == 1
    assert not open_ends


def journal(small: Small) -> str:
    return "".join(path.read_text() for path in (small.root / ".rftplan").rglob("journal*.jsonl"))


@pytest.mark.parametrize("to", ["deployment.reviewer", "file.train", "job.review"])
def test_what_a_death_left_known_twice_is_forgotten_under_the_old_name_alone(tmp_path: Path, to: str) -> None:
    small = Small.at(tmp_path)
    small.edit("specs/main.yaml", "{path: data/train.jsonl}", "{path: data/train.jsonl, lifecycle: {retain: false}}")
    small.edit("specs/main.yaml", "    checkpoint: best", "    projects: [proj_a]\n    checkpoint: best")
    small.launch_until_step() if to == "job.review" else small.train()
    lock, old = small.lock(), Address(to.partition(".")[0], "old")
    twice = {**lock.resources, old: lock.resources[Address.parse(to)]}
    write_lock(tmp_path / "rftplan.lock", replace(lock, resources=twice))
    there = [(job.id, job.status) for job in small.jobs()], small.files()
    change = small.changes()[str(old)]
    assert change.action is Action.FORGET
    assert not [risk for risk in change.hazards if "revokes" in risk.detail]
    small.apply()
    assert ([(job.id, job.status) for job in small.jobs()], small.files()) == there
    assert small.lock().resources.keys() == lock.resources.keys()
    assert "deployment.reviewer" not in small.verbs() or to == "job.review"
