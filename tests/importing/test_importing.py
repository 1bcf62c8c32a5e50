"""What exists comes under rftplan's care: compared with the spec, recorded once, never launched a second time."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan import project
from rftplan.address import Address
from rftplan.changes import Action, Reason
from rftplan.errors import UsageError, UserError
from rftplan.importing import Ground, Imported, ImportOutcome, UndeclaredError, import_one
from rftplan.lockfile import Origin, write_lock
from rftplan.planner import Selection
from rftplan.promoted import state_paths
from tests.importing.strangers import NoDownloads, launched, trained, uploaded
from tests.world import Small, rows

JOB, TRAIN, TEST = Address("job", "review"), Address("file", "train"), Address("file", "test")
WAITING = {"deployment.reviewer": "defer wait"}
REVIEWER, MATCH = Address("deployment", "reviewer"), Address("grader", "match")


def imported(small: Small, address: Address, id: str, **given: Path) -> Imported:
    return asyncio.run(import_one(small.options, address, id, given=given, world=small.world))


def grounds(done: Imported) -> dict[str, Ground]:
    return {one.name: one.ground for one in done.inputs}


def test_a_running_job_is_imported_and_nothing_is_planned_for_it(small: Small) -> None:
    job = launched(small)
    done = imported(small, JOB, job.id)
    assert (done.outcome, done.differences) == (ImportOutcome.IMPORTED, ())
    assert grounds(done) == {"training": Ground.DOWNLOADED, "validation": Ground.DOWNLOADED}
    entry = small.lock().resources[JOB]
    assert (entry.id, entry.origin) == (job.id, Origin.IMPORTED)
    assert entry.imported == {"training": "downloaded", "validation": "downloaded"}
    changes = small.changes()
    assert {a: c.action for a, c in changes.items() if c.action.acts or c.action is Action.HOLD} == {}
    assert changes["job.review"].reason is Reason.RUNNING


def test_the_promise_no_second_launch_holds_to_the_promoted_checkpoint(small: Small) -> None:
    job = launched(small)
    imported(small, JOB, job.id)
    small.train()
    assert [one.id for one in small.jobs()] == [job.id]
    assert {f.filename for f in small.files()} == {"their-train.jsonl", "their-test.jsonl"}
    assert small.lock().resources[REVIEWER].history[-1]["job_id"] == job.id
    assert small.verbs() == {}


def test_an_edit_after_the_import_launches_anew_and_ends_the_imported_job(small: Small) -> None:
    job = launched(small)
    imported(small, JOB, job.id)
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    change = small.changes()["job.review"]
    assert (change.action, change.verb) == (Action.REPLACE, "relaunch")
    assert [h.hazard for h in change.hazards] == ["cancel-active"]
    small.apply()
    statuses = {one.id: one.status.ended for one in small.jobs()}
    assert len(statuses) == 2 and statuses[job.id]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("n_epochs: 2", "n_epochs: 5", "method.reinforcement.hyperparameters.n_epochs"),
        ("operation: eq", "operation: ne", "method.reinforcement.grader.operation"),
        ("training_file: train", "training_file: train\n    suffix: ours", "suffix"),
        ("training_file: train", "training_file: test", "training_file rows"),
        ("training_file: train", "training_file: {id: file-other}", "training_file"),
    ],
)
def test_what_the_spec_says_otherwise_is_named_and_nothing_is_recorded(
    small: Small, old: str, new: str, path: str
) -> None:
    job = launched(small)
    small.edit("specs/main.yaml", old, new)
    done = imported(small, JOB, job.id)
    assert done.outcome is ImportOutcome.REFUSED
    assert path in [one.path for one in done.differences]
    assert not (small.root / "rftplan.lock").exists()


def test_rows_that_the_service_does_not_give_back_are_the_word_of_a_person(small: Small) -> None:
    job = launched(small)
    small.wrap = NoDownloads
    done = imported(small, JOB, job.id, test=small.root / "specs/data/test.jsonl")
    assert grounds(done) == {"training": Ground.ASSERTED, "validation": Ground.GIVEN}
    assert not Ground.ASSERTED.verified and Ground.GIVEN.verified
    assert small.verbs() == WAITING, "what is not verified is left alone until the spec changes"
    again = imported(small, JOB, job.id, train=small.root / "specs/data/train.jsonl")
    assert again.outcome is ImportOutcome.IMPORTED
    assert small.lock().resources[JOB].imported == {"training": "given", "validation": "given"}, "nothing is unlearnt"


def test_given_bytes_of_another_size_are_not_those_of_the_file(small: Small) -> None:
    job = launched(small)
    small.write("other.jsonl", rows(3))
    with pytest.raises(UserError, match=r"other.jsonl has \d+ bytes and file-.* these are not its bytes"):
        imported(small, JOB, job.id, train=small.root / "other.jsonl")
    with pytest.raises(UsageError, match=r"job.review uses no file.nothing"):
        imported(small, JOB, job.id, nothing=small.root / "other.jsonl")


def test_other_rows_of_the_same_size_are_found_by_reading_them(small: Small) -> None:
    job = launched(small)
    path = small.root / "specs/data/train.jsonl"
    path.write_text(path.read_text().replace("What is 0 + 1?", "What is 1 + 0?"))
    done = imported(small, JOB, job.id)
    assert [one.path for one in done.differences] == ["training_file rows"]
    given = imported(small, JOB, job.id, train=path)
    assert given.outcome is ImportOutcome.IMPORTED, "bytes that a person gives are taken at their size and digest"


def test_importing_twice_changes_nothing_the_second_time(small: Small) -> None:
    job = launched(small)
    imported(small, JOB, job.id)
    before = (small.root / "rftplan.lock").read_bytes()
    assert imported(small, JOB, job.id).outcome is ImportOutcome.UNCHANGED
    assert (small.root / "rftplan.lock").read_bytes() == before


def test_a_finished_job_keeps_how_it_ended_and_its_live_checkpoint_is_imported(small: Small) -> None:
    job = trained(small, launched(small))
    with pytest.raises(UserError, match=r"the lock knows no run of job.review yet"):
        imported(small, REVIEWER, str(job.fine_tuned_model))
    imported(small, JOB, job.id)
    assert small.lock().resources[JOB].resolved["status"] == "succeeded"
    (promoted,) = [c.detail for a, c in small.changes().items() if a == "deployment.reviewer"]
    best = promoted.split()[0]
    done = imported(small, REVIEWER, best)
    assert done.outcome is ImportOutcome.IMPORTED
    assert small.verbs() == {}
    assert project.outputs(small.options)["reviewer"].model == best


def test_a_checkpoint_that_the_selector_or_a_gate_would_not_take_is_refused(small: Small) -> None:
    job = trained(small, launched(small))
    imported(small, JOB, job.id)
    checkpoints: list[Any] = small.service(lambda port: port.list_checkpoints(job.id))
    best = small.changes()["deployment.reviewer"].detail.split()[0]
    other = next(c for c in checkpoints if c.model != best)
    done = imported(small, REVIEWER, other.model)
    assert done.outcome is ImportOutcome.REFUSED
    assert next((d.path, d.after) for d in done.differences) == ("checkpoint", {"step": other.step})
    small.edit("specs/main.yaml", "at_least: 0.1", "at_least: 1.5")
    assert [d.path for d in imported(small, REVIEWER, best).differences] == ["gates.valid_reward_mean"]
    with pytest.raises(UserError, match="ft:nobody is no checkpoint of"):
        imported(small, REVIEWER, "ft:nobody")


def test_a_file_is_imported_by_its_bytes_and_never_deleted_from_here(small: Small) -> None:
    theirs = uploaded(small, "specs/data/train.jsonl", "their-train.jsonl")
    done = imported(small, TRAIN, theirs.id)
    assert (done.outcome, grounds(done)) == (ImportOutcome.IMPORTED, {"bytes": Ground.DOWNLOADED})
    small.apply()
    launches = small.jobs()
    assert launches[0].training_file == theirs.id, "the launch starts from it"
    small.write("specs/data/train.jsonl", rows(20))
    assert imported(small, TRAIN, theirs.id).outcome is ImportOutcome.REFUSED
    asyncio.run(_destroyed(small))
    assert theirs.id in {one.id for one in small.files()}


async def _destroyed(small: Small) -> None:
    from rftplan import project

    await project.apply(small.options, consent=lambda _: True, selection=Selection(destroy=True), world=small.world)


def test_a_file_of_our_own_name_is_known_by_it(small: Small) -> None:
    small.apply()
    ours = {f.filename.split(".")[2].split("-")[0]: f for f in small.files()}
    (small.root / "rftplan.lock").unlink()
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    assert grounds(imported(small, TRAIN, ours["train"].id)) == {"bytes": Ground.NAME}


def test_what_is_in_the_lock_as_something_else_is_refused(small: Small) -> None:
    job, other = launched(small), launched(small)
    imported(small, JOB, job.id)
    with pytest.raises(UserError, match=rf"job.review is {job.id} in the lock"):
        imported(small, JOB, other.id)
    text = (small.root / "specs/main.yaml").read_text()
    small.write("specs/main.yaml", text.replace("  review:\n", "  again:\n", 1).replace("job: review", "job: again"))
    with pytest.raises(UserError, match=rf"{job.id} is job.review in the lock"):
        imported(small, Address("job", "again"), job.id)


def test_what_is_not_there_or_of_another_kind_is_refused(small: Small) -> None:
    file = uploaded(small, "specs/data/train.jsonl", "their-train.jsonl")
    with pytest.raises(UserError, match=rf"the service knows no job {file.id}"):
        imported(small, JOB, file.id)
    with pytest.raises(UserError, match="the service has no training file ftjob-1"):
        imported(small, TRAIN, "ftjob-1")
    with pytest.raises(UserError, match=r"grader.match cannot be imported"):
        imported(small, MATCH, "x")
    with pytest.raises(UndeclaredError, match=r"job.nobody is not declared"):
        imported(small, Address("job", "nobody"), "ftjob-1")


def test_a_job_of_another_lineage_is_its_own_locks(small: Small) -> None:
    small.apply()
    (job,) = small.jobs()
    lock = small.lock()
    write_lock(small.root / "rftplan.lock", replace(lock, lineage="another", resources={}))
    with pytest.raises(UserError, match=rf"{job.id} was launched under another lock") as caught:
        imported(small, JOB, job.id)
    assert caught.value.hint is not None and "--lock" in caught.value.hint


def test_a_lost_lock_is_not_replaced_by_an_import(small: Small) -> None:
    small.apply()
    (job,) = small.jobs()
    (small.root / "rftplan.lock").unlink()
    shutil.rmtree(state_paths(small.root, None).journal.parent)
    for address, id in ((JOB, job.id), (TRAIN, job.training_file)):
        with pytest.raises(UserError, match=r"there is no lock here, and .* a lock was lost"):
            imported(small, address, id)
    small.apply()
    assert [one.id for one in small.jobs()] == [job.id]


def test_what_our_own_lock_was_made_to_forget_is_known_by_its_launch(small: Small) -> None:
    small.apply()
    (job,) = small.jobs()
    lock = small.lock()
    write_lock(small.root / "rftplan.lock", replace(lock, resources={}))
    done = imported(small, JOB, job.id)
    assert grounds(done) == {"training": Ground.LAUNCH, "validation": Ground.LAUNCH}
    assert small.lock().resources[MATCH].origin is Origin.IMPORTED, "the service took the grader with the job"
    assert {a for a in small.verbs() if a.startswith(("job", "grader"))} == set()
    assert done.related == ((TRAIN, job.training_file), (TEST, job.validation_file))


def test_fields_of_extra_body_are_compared_where_the_service_echoes_them(small: Small) -> None:
    job = launched(small)
    small.edit("specs/main.yaml", "training_file: train", "training_file: train\n    extra_body: {trainingType: x}")
    assert grounds(imported(small, JOB, job.id))["extra_body"] is Ground.ASSERTED
