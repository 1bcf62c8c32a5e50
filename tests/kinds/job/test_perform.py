"""Doing what was decided about a job, and watching it, at the real local service."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from rftplan.address import Address
from rftplan.events import Event, Outcome, Trained
from rftplan.kinds.job.launch import ADDRESS_KEY, LAUNCH_KEY, TOKEN_KEY, launch_of
from tests.world import Small

JOB = Address("job", "review")


def at_the_first_step(small: Small, by_hand: str) -> Callable[[Event], None]:
    """Somebody pauses or cancels the job once it has a step, while an apply waits for it."""
    waiting = [by_hand]

    def on_event(event: Event) -> None:
        if isinstance(event, Trained) and event.step and waiting:
            verb = waiting.pop()
            with ThreadPoolExecutor(1) as elsewhere:
                elsewhere.submit(small.service, lambda port: getattr(port, f"{verb}_job")(event.job_id)).result()

    return on_event


def test_a_launch_carries_its_slot_and_its_token(small: Small) -> None:
    small.apply()
    (job,) = small.jobs()
    entry = small.lock().resources[JOB]
    assert job.metadata[ADDRESS_KEY] == "demo/default/job.review"
    assert job.metadata[LAUNCH_KEY] == launch_of(entry.fingerprint, 1)
    assert job.metadata[TOKEN_KEY].startswith(f"{small.lock().lineage}:")
    assert entry.id == job.id


def test_a_job_that_is_paused_while_we_wait_is_held(small: Small) -> None:
    found = small.results(wait=True, on_event=at_the_first_step(small, "pause"))["job.review"]
    assert (found.outcome, found.detail) == (Outcome.HELD, "it was paused while this waited for it")


def test_a_job_that_is_cancelled_while_we_wait_has_failed_and_what_follows_is_skipped(small: Small) -> None:
    results = small.results(wait=True, on_event=at_the_first_step(small, "cancel"))
    assert results["job.review"].outcome is Outcome.FAILED
    assert "cancelled" in str(results["job.review"].error)
    assert results["deployment.reviewer"].outcome is Outcome.SKIPPED


def test_how_a_job_ended_is_in_the_lock_so_that_nobody_asks_again(small: Small) -> None:
    small.train()
    kept = small.lock().resources[JOB].resolved
    assert kept["status"] == "succeeded"
    assert kept["step"] == kept["total_steps"]
    assert str(kept["fine_tuned_model"]).startswith("ft:")
    assert kept["simulation"]


def test_our_own_cancel_leaves_a_tombstone(small: Small) -> None:
    small.launch_until_step()
    launched = launch_of(small.lock().resources[JOB].fingerprint, 1)
    small.edit("specs/main.yaml", "    model: o4-mini", "    run: cancelled\n    model: o4-mini")
    small.apply()
    assert small.lock().tombstones == {JOB: (launched,)}


def test_a_job_that_ended_before_our_cancel_came_is_no_failure(small: Small) -> None:
    """The service refuses to cancel what has ended; that it has ended is what was wanted."""
    small.launch_until_step()
    small.edit("specs/main.yaml", "    model: o4-mini", "    run: cancelled\n    model: o4-mini")

    def meanwhile(_: object) -> bool:
        small.clock.time += 600
        return True

    assert small.results(consent=meanwhile)["job.review"].outcome is Outcome.DONE
    assert [job.status for job in small.jobs()] == ["succeeded"]


@pytest.mark.parametrize("field", ["training_file", "validation_file"])
def test_a_job_starts_from_the_files_that_the_lock_knows(small: Small, field: str) -> None:
    small.apply()
    (job,) = small.jobs()
    name = {"training_file": "train", "validation_file": "test"}[field]
    assert getattr(job, field) == small.lock().resources[Address("file", name)].id


def runs(small: Small) -> list[tuple[object, object]]:
    return [(run["job_id"], run.get("simulated")) for run in small.lock().resources[JOB].history]


def test_how_long_a_job_trained_is_kept_beyond_the_launch_that_replaces_it(small: Small) -> None:
    small.train()
    (first,) = small.jobs()
    assert runs(small) == [(first.id, True)]
    (run,) = small.lock().resources[JOB].history
    assert isinstance(run["seconds"], float) and run["seconds"] > 0
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    small.apply()
    assert runs(small) == [(first.id, True)], "the one that trains now has not ended"
    small.clock.time += 600
    small.apply()
    assert [id for id, _ in runs(small)] == [first.id, small.lock().resources[JOB].id]


def test_a_run_that_ended_unseen_is_kept_when_another_takes_its_place(small: Small) -> None:
    small.apply()
    small.clock.time += 600
    (first,) = small.jobs()
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    small.apply()
    assert runs(small) == [(first.id, True)]
    small.clock.time += 600
    (small.root / "rftplan.lock").unlink()
    small.apply()
    assert runs(small) == [(small.lock().resources[JOB].id, True)], "of a lost lock, what is found is known"


def test_a_lock_of_before_runs_were_kept_plans_nothing(small: Small) -> None:
    small.train()
    path = small.root / "rftplan.lock"
    document = json.loads(path.read_text())
    assert document["resources"]["job.review"].pop("history")
    path.write_text(json.dumps(document))
    assert not small.plan().acts
    assert {str(c.address) for c in small.plan().changes if c.step is not None} == set()
