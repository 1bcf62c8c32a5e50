"""Faults that the crash matrix and the histories found in rftplan, one test each, so that none comes back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rftplan import lock_on_disk
from rftplan.address import Address
from rftplan.changes import Action, Reason
from rftplan.errors import BehindError
from rftplan.kinds.job.launch import LAUNCH_KEY
from tests.faults import Fault
from tests.scenarios.applies import S, lose_lock, projects, run
from tests.scenarios.promised import SETTLED, House, assert_promise, house_at
from tests.scenarios.twins import Twins

JOB = Address("job", "review")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "house", speed=0.01)
    yield made
    made.close()


def running(house: House) -> None:
    house.small.apply()
    house.clock.time += 250


def failing(house: House, path: str, fault: Fault) -> None:
    house.fault_of = lambda call: fault if call.path.endswith(path) else None


def well(house: House) -> None:
    house.fault_of = lambda _: None


def test_a_file_that_lists_do_not_show_yet_is_asked_for_and_not_uploaded_again(house: House) -> None:
    house.lag()
    failing(house, "/jobs", Fault.TOO_MANY)
    house.small.apply()
    well(house)
    house.small.apply()
    assert len(house.truth().files) == 2


def test_a_file_that_lists_do_not_show_yet_is_deleted_and_not_forgotten(house: House) -> None:
    house.small.edit(S, "data/train.jsonl}", "data/train.jsonl, lifecycle: {retain: false}}")
    house.lag()
    failing(house, "/jobs", Fault.TOO_MANY)
    house.small.apply()
    well(house)
    house.small.write(S, "project: {name: demo, provider: {type: local, base_url: 'http://127.0.0.1:9/v1'}}\n")
    assert house.small.changes()["file.train"].action is Action.DELETE
    house.small.apply()
    assert house.truth().files == {}


def test_what_only_the_journal_knows_is_folded_by_an_apply_that_has_nothing_to_do(house: House, tmp_path: Path) -> None:
    running(house)
    run(house, "cancelled")
    taken = []

    def before_the_fold(path: Path, lock: Any) -> None:
        house.photograph(tmp_path / "photo")
        taken.append(path)
        write_lock(path, lock)

    write_lock = lock_on_disk.write_lock
    with pytest.MonkeyPatch.context() as watching:
        watching.setattr(lock_on_disk, "write_lock", before_the_fold)
        house.small.apply()
    assert len(taken) == 1
    after = house_at(tmp_path / "photo", speed=0.01)
    after.clock.time += SETTLED
    try:
        assert not after.small.plan().acts
        after.small.apply()
        assert_promise(after.small)
    finally:
        after.close()


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.ERROR_AFTER])
def test_a_cancel_of_what_was_replaced_is_known_for_ours_however_its_reply_was_lost(house: House, fault: Fault) -> None:
    running(house)
    house.small.edit(S, "n_epochs: 2", "n_epochs: 3")
    failing(house, "/cancel", fault)
    house.small.apply()
    well(house)
    house.small.apply()
    assert_promise(house.small)
    assert len(house.small.lock().tombstones[JOB]) == 1
    house.small.edit(S, "n_epochs: 3", "n_epochs: 2")
    assert house.small.changes()["job.review"].reason is Reason.AFTER_OUR_CANCEL


@pytest.mark.parametrize("state", ["cancelled", "paused"])
def test_an_upload_that_never_left_and_that_nobody_needs_any_more_leaves_nothing_open(
    house: House, tmp_path: Path, state: str
) -> None:
    house.before = lambda call: house.photograph(tmp_path / "photo") if call.number == 1 else None
    house.small.apply()
    after = house_at(tmp_path / "photo", speed=0.01)
    try:
        run(after, state)
        after.clock.time += SETTLED
        after.small.apply()
        assert_promise(after.small)
    finally:
        after.close()


def test_a_checkpoint_is_chosen_from_a_list_that_has_the_last_one_or_is_old_enough(tmp_path: Path) -> None:
    """A list that is behind the job's end would promote the best of the first steps."""
    house = House(tmp_path / "house", speed=1.0)
    house.lag()
    try:
        projects(house, "[p1]")
        told = house.small.results(wait=True)
        house.catch_up()
        entry = house.small.lock().resources[Address("deployment", "reviewer")]
        job = house.small.lock().resources[JOB]
        points = house.small.service(lambda port: port.list_checkpoints(str(job.id)))
        best = max(points, key=lambda point: point.metrics["valid_reward_mean"])
        assert entry.id == best.model
        assert told["deployment.reviewer"].id == best.model
        assert_promise(house.small)
    finally:
        house.close()


def test_a_plan_waits_for_checkpoints_that_are_not_all_listed_yet(tmp_path: Path) -> None:
    house = House(tmp_path / "house", speed=1.0)
    try:
        house.small.apply()
        house.clock.time += 4.5
        house.lag(on="GET /v1/fine_tuning/jobs/*/checkpoints")
        change = house.small.changes()["deployment.reviewer"]
        assert (change.action, change.reason) == (Action.DEFER, Reason.WAITS_FOR_JOB)
        assert "its checkpoints are not all listed yet" in change.detail
        assert BehindError("x").error_code == "behind"
        house.clock.time += 2
        assert house.small.verbs() == {"deployment.reviewer": "create promote"}
    finally:
        house.close()


@pytest.mark.parametrize("behind", [False, True], ids=["lists in time", "lists behind"])
@pytest.mark.parametrize("shared_lock", [False, True], ids=["no lock yet", "one lock in two clones"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_of_two_clones_that_apply_at_the_same_moment_one_launch_keeps_running(
    tmp_path: Path, number: int, shared_lock: bool, behind: bool
) -> None:
    """The second applies in the middle of the first, just before its call of that number; where lists are behind, the
    next apply of either sees both and cancels the later while it costs nothing. Whose lock has no launch of its own
    names the other's, and a person decides."""
    twins = Twins(tmp_path, shared_lock=shared_lock)
    house, interrupted = twins.house, []

    def meanwhile(call: Any) -> None:
        if call.number == at and not interrupted:
            interrupted.append(call)
            with ThreadPoolExecutor(1) as elsewhere:
                elsewhere.submit(twins.second.apply).result()

    at = len(house.calls) + number
    house.before = meanwhile
    if behind:
        house.lag()
    twins.first.apply(parallelism=1)
    house.catch_up()
    house.clock.time += SETTLED
    for _ in range(2):
        twins.second.apply()
        twins.first.apply()
    live = twins.live()
    slots = {job.metadata[LAUNCH_KEY] for job in live}
    assert len(live) == len(slots) == 1, [(job.id, str(job.status), job.metadata) for job in live]
    for small in (twins.first, twins.second):
        entry = small.lock().resources.get(JOB)
        named = f"{live[0].id} was launched under another lock" in small.changes()["job.review"].detail
        assert named if entry is None else entry.id == live[0].id
    house.close()


def test_a_launch_that_another_clone_was_quicker_with_is_told(tmp_path: Path) -> None:
    twins = Twins(tmp_path, shared_lock=False)
    house = twins.house

    def meanwhile(call: Any) -> None:
        if call.path.endswith("/jobs"):
            house.before = lambda _: None
            with ThreadPoolExecutor(1) as elsewhere:
                elsewhere.submit(twins.second.apply).result()
            house.clock.time += 1

    house.before = meanwhile
    told = twins.first.results(parallelism=1)["job.review"]
    (kept,) = twins.live()
    assert told.id == kept.id
    assert f"{kept.id} is older and stays" in told.detail
    house.close()


@pytest.mark.parametrize("lost", ["lock", "journal", "both"])
def test_whatever_is_lost_the_next_apply_launches_nothing(house: House, lost: str) -> None:
    running(house)
    if lost == "both":
        lose_lock(house)
    elif lost == "lock":
        (house.small.root / "rftplan.lock").unlink()
    else:
        next((house.small.root / ".rftplan").rglob("journal*.jsonl")).unlink()
    house.small.apply()
    assert len(house.truth().jobs) == 1
    house.clock.time += 1_000
    house.small.apply()
    assert_promise(house.small, held=True)
