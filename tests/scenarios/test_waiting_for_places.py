"""Only so many jobs at a time: who waits, who goes first, and what survives of that."""

from __future__ import annotations

import itertools
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from rftplan.changes import Action, Plan, Reason
from rftplan.events import Outcome
from rftplan.render.documents import state_document
from rftplan.render.look import Look
from rftplan.render.moved import what_moved
from rftplan.render.plan_documents import plan_document
from rftplan.render.text import state_text
from tests.scenarios.waiting import Places, details, launched, spec, waiting
from tests.world import Small

S = "specs/main.yaml"
END = 60.0
"""Seconds after which every job of these has ended."""


def at(root: Path, *names: str, **rest: Any) -> Small:
    return Small.at(root, spec(*names, **rest))


def test_above_the_limit_launches_wait_and_the_next_apply_after_an_end_begins_the_oldest(tmp_path: Path) -> None:
    small = at(tmp_path, "b", "c", "a")
    plan = small.plan()
    planned = {str(c.address): c for c in plan.changes}
    assert planned["job.a"].action is Action.CREATE  # the order of a plan without a lock is that of its addresses
    assert details(planned) == {
        "job.b": "1 of 1 places taken; 1st in the queue",
        "job.c": "1 of 1 places taken; 2nd in the queue",
    }
    assert planned["job.b"].then == ("launch",)
    results = small.results()
    assert results["job.b"].outcome is Outcome.DEFERRED
    assert (launched(small), waiting(small)) == (["a"], ["b", "c"])
    assert small.verbs() == {"job.b": "defer wait", "job.c": "defer wait"}
    assert details(small.changes())["job.b"] == "1 of 1 places taken; 1st in the queue"
    small.clock.time += END
    small.apply()
    assert (launched(small), waiting(small)) == (["a", "b"], ["c"])
    small.clock.time += END
    small.apply()
    assert (launched(small), waiting(small)) == (["a", "b", "c"], [])


def test_apply_wait_launches_each_when_a_place_is_free_and_promotes_at_its_end(tmp_path: Path) -> None:
    small = at(tmp_path, "a", "b", "c", deployed=("a", "b", "c"))
    results = small.results(wait=True)
    assert {r.outcome for r in results.values()} == {Outcome.DONE}
    assert launched(small) == ["a", "b", "c"]
    jobs = sorted(small.jobs(), key=lambda job: job.created_at)
    ends = [(job.created_at, job.finished_at) for job in jobs]
    assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(ends)), ends
    assert small.verbs() == {}
    assert waiting(small) == []


def test_who_began_to_wait_in_an_earlier_apply_goes_before_who_came_later(tmp_path: Path) -> None:
    small = at(tmp_path, "m", "z")
    small.apply()
    small.write(S, spec("a", "m", "z"))
    small.apply()
    assert waiting(small) == ["z", "a"]
    small.clock.time += END
    assert small.verbs() == {"job.z": "create launch", "job.a": "defer wait"}
    small.apply()
    assert (launched(small), waiting(small)) == (["m", "z"], ["a"])


async def foreign(port: Any) -> None:
    """Launch what was launched here, by hand."""
    mine = (await port.list_jobs())[0]
    body = {"model": mine.model, "training_file": mine.training_file, "validation_file": mine.validation_file}
    await port.create_job({**body, "method": mine.body["method"]})


def test_a_job_of_somebody_else_counts_and_a_paused_one_does_not(tmp_path: Path) -> None:
    small = at(tmp_path, "a", most=2)
    small.launch_until_step("job.a")
    small.service(foreign)
    small.write(S, spec("a", "b", most=2))
    assert details(small.changes()) == {"job.b": "2 of 2 places taken; 1st in the queue"}
    small.service(lambda port: port.pause_job(small.lock().resources[next(iter(jobs(small)))].id))
    for _ in range(20):
        small.clock.time += 0.2
    assert small.changes()["job.b"].action is Action.CREATE


def jobs(small: Small) -> list[Any]:
    return [address for address in small.lock().resources if address.kind == "job"]


def test_a_place_that_somebody_took_since_the_plan_was_made_is_given_to_none_of_two(tmp_path: Path) -> None:
    small = at(tmp_path, "a", "b", "x", most=3)
    small.apply()
    for job in small.jobs():
        small.service(lambda port, id=job.id: port.cancel_job(id))
    small.write(S, spec("c", "d", most=2))

    def meanwhile(_: Plan) -> bool:
        other = threading.Thread(target=small.service, args=(foreign,))
        other.start()
        other.join()
        return True

    results = small.results(consent=meanwhile)
    assert [results[f"job.{name}"].outcome for name in "cd"] == [Outcome.DONE, Outcome.DEFERRED]
    assert sum(job.status.takes_place for job in small.jobs()) == 2
    assert waiting(small) == ["d"]


def test_a_resume_takes_a_place_as_a_launch_does(tmp_path: Path) -> None:
    small = at(tmp_path, "a")
    small.launch_until_step("job.a")
    small.write(S, spec("a", run="paused"))
    small.apply()
    small.clock.time += 5
    both = spec("a") + spec("b").partition("jobs:\n")[2]
    small.write(S, spec("a", run="paused") + spec("b").partition("jobs:\n")[2])
    small.apply()
    assert launched(small) == ["a", "b"]
    small.write(S, both)
    change = small.changes()["job.a"]
    assert (change.action, change.reason, change.then) == (Action.DEFER, Reason.WAITS_FOR_PLACE, ("resume",))
    small.apply()
    assert waiting(small) == ["a"]
    assert {r.outcome for r in small.results(wait=True).values()} == {Outcome.DONE}
    assert {job.status for job in small.jobs()} == {"succeeded"}


def test_a_relaunch_takes_over_the_place_of_what_it_cancels(tmp_path: Path) -> None:
    small = at(tmp_path, "a")
    small.launch_until_step("job.a")
    small.edit(S, "n_epochs: 1", "n_epochs: 2")
    assert small.verbs() == {"job.a": "replace relaunch"}
    small.apply()
    assert sorted(job.status for job in small.jobs())[0] == "cancelled"


def test_an_edit_and_a_move_keep_the_turn_and_who_leaves_the_specs_gives_it_up(tmp_path: Path) -> None:
    small = at(tmp_path, "a", "b", "c", "d")
    small.apply()
    assert waiting(small) == ["b", "c", "d"]
    text = spec("a", "c", "d", "x").replace(f"seed: {ord('x')}", "seed: 7")
    small.write(S, text + "moved: [{from: job.b, to: job.x}]\n")
    small.apply()
    assert waiting(small) == ["x", "c", "d"]
    small.write(S, spec("a", "d", "x"))
    small.apply()
    assert waiting(small) == ["x", "d"]
    small.write(S, spec("a", "d", most=1))
    small.apply()
    assert waiting(small) == ["d"]


def test_what_waits_needs_its_files_already_and_spends_nothing_yet(tmp_path: Path) -> None:
    small = at(tmp_path, "a", "b")
    small.apply()
    assert len(small.files()) == 2
    plan = small.plan()
    assert [c for c in plan.without_follow_ups().changes if c.then or c.hazards] == []


def test_two_clones_give_a_free_place_away_once(tmp_path: Path) -> None:
    """Each has a lock of its own; what the other launched since the plan was made is seen before anything is sent."""
    small = at(tmp_path, "a", "b")
    small.apply()
    small.clock.time += END

    def others(_plan: Any) -> bool:
        async def foreign(port: Any) -> None:
            mine = (await port.list_jobs())[0]
            body = {"model": mine.model, "training_file": mine.training_file, "validation_file": mine.validation_file}
            await port.create_job({**body, "method": mine.body["method"]})

        done = threading.Thread(target=small.service, args=(foreign,))
        done.start()
        done.join()
        return True

    results = small.results(consent=others)
    assert results["job.b"].outcome is Outcome.DEFERRED
    assert results["job.b"].detail.startswith("waits for a place: nothing was started: 1 of 1 running")
    assert waiting(small) == ["b"]
    assert [one.metadata.get("rftplan_address") for one in small.jobs()].count("demo/default/job.b") == 0


@pytest.mark.parametrize("most", [None, 5])
def test_a_service_that_has_fewer_places_defers_and_the_others_queue_behind(tmp_path: Path, most: int | None) -> None:
    small = at(tmp_path, "b", "c", "d", "e", most=most)
    small.wrap = lambda inner: Places(inner, 1)
    results = small.results(parallelism=1)
    assert [str(a) for a, r in results.items() if r.outcome is Outcome.DEFERRED] == ["job.c", "job.d", "job.e"]
    assert "1 simultaneous runs" in results["job.c"].detail
    assert results["job.d"].detail.startswith("waits for a place: the service had no place for those before it")
    assert (launched(small), waiting(small)) == (["b"], ["c", "d", "e"])
    small.edit(S, "jobs:\n", "jobs:\n" + spec("a").partition("jobs:\n")[2])
    small.clock.time += END
    small.apply()
    assert (launched(small), waiting(small)) == (["b", "c"], ["d", "e", "a"])


def test_apply_wait_tries_again_when_a_job_has_ended_where_only_the_service_knows_its_places(tmp_path: Path) -> None:
    small = at(tmp_path, "a", "b", "c", most=None, deployed=("c",))
    seen: list[Places] = []

    def wrap(inner: Any) -> Any:
        seen.append(Places(inner, 1))
        return seen[-1]

    small.wrap = wrap
    results = small.results(wait=True)
    assert {r.outcome for r in results.values()} == {Outcome.DONE}, results
    assert len(launched(small)) == 3
    assert sum(one.refused for one in seen) < 12
    assert waiting(small) == []


def test_the_queue_is_part_of_the_lock_and_an_equal_one_keeps_its_serial(tmp_path: Path) -> None:
    small = at(tmp_path, "a", "b")
    small.apply()
    document = json.loads((tmp_path / "rftplan.lock").read_text())
    assert document["waiting"] == ["job.b"]
    small.apply()
    assert json.loads((tmp_path / "rftplan.lock").read_text())["serial"] == document["serial"]
    small.write(S, spec("a"))
    small.apply()
    assert "waiting" not in json.loads((tmp_path / "rftplan.lock").read_text())


def test_a_lost_lock_leaves_the_order_of_the_plan(tmp_path: Path) -> None:
    small = at(tmp_path, "c", "a", "b")
    small.apply()
    (tmp_path / "rftplan.lock").unlink()
    for path in (tmp_path / ".rftplan" / "default").iterdir():
        path.unlink()
    small.apply()
    assert (launched(small), waiting(small)) == (["a"], ["b", "c"])


def test_status_and_the_state_say_who_waits(tmp_path: Path) -> None:
    small = at(tmp_path, "a", "b")
    small.apply()
    assert small.status()["job.b"].detail == "waits for a place: 1 of 1 places taken; 1st in the queue"
    text = state_text(state_document(small.lock()), Look())
    assert text.splitlines()[-1] == "Waiting for a place, oldest first: job.b"


def test_a_saved_plan_is_refused_by_name_where_the_places_went_to_others_meanwhile(tmp_path: Path) -> None:
    small = at(tmp_path, "a", "b")
    saved = plan_document(small.plan())
    small.edit(S, "max_running_jobs: 1", "max_running_jobs: 2")
    now = plan_document(small.plan())
    assert [(m.address, m.was, m.now) for m in what_moved(saved, now)] == [("job.b", "launch later", "launch")]
    assert [(m.address, m.was, m.now) for m in what_moved(now, saved)] == [("job.b", "launch", "launch later")]
