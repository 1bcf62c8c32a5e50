"""At 2 a.m.: one command stops a job, whatever specs and lock look like, and no apply undoes it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.amending.holds import hold, release
from rftplan.api.port import JobStatus
from rftplan.changes import Action, Hazard, Reason
from rftplan.errors import LockError, UserError
from rftplan.events import Outcome
from rftplan.file_lock import acting_alone
from rftplan.intervening import Command, Every, Intervention, JobId, Target, Touched, intervene
from rftplan.lockfile import Hold
from tests.faults import Fault, Faulty
from tests.world import SPEC, Small

JOB = Address("job", "review")
JOBS = "/v1/fine_tuning/jobs"


def act(small: Small, command: Command, target: Target = JOB, later: float = 60, **rest: Any) -> Intervention:
    """Say it, and look again `later`: pausing takes a while."""
    done = asyncio.run(intervene(small.options, command, target, world=small.world, **rest))
    assert done is not None
    small.clock.time += later
    return done


def one(small: Small, command: Command, target: Target = JOB, **rest: Any) -> Touched:
    (job,) = act(small, command, target, **rest).jobs
    return job


def status_of(small: Small) -> str:
    (job,) = small.service(lambda port: port.list_jobs())
    return str(job.raw_status)


@pytest.fixture
def training(small: Small) -> Small:
    small.launch_until_step()
    return small


def test_a_pause_is_held_until_somebody_resumes(training: Small) -> None:
    done = one(training, Command.PAUSE, reason="reward looks hacked")
    assert (done.before, done.after, done.outcome, done.held) == ("running", "pausing", Outcome.DONE, True)
    assert training.lock().resources[JOB].holds == (Hold("paused", "reward looks hacked", operator=True),)
    for _ in range(2):
        training.apply()
        assert (status_of(training), training.changes()["job.review"].reason) == ("paused", Reason.HELD)
    resumed = one(training, Command.RESUME)
    assert (resumed.outcome, resumed.held, training.lock().resources[JOB].holds) == (Outcome.DONE, False, ())
    training.train()


def test_a_cancelled_job_is_launched_again_by_nothing_but_a_person(training: Small) -> None:
    assert one(training, Command.CANCEL).after == "cancelled"
    training.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    training.apply()
    assert (status_of(training), training.changes()["job.review"].reason) == ("cancelled", Reason.HELD)


@pytest.mark.parametrize("broken", ["jobs: {", "project: 3", "jbos: {}", "files: {train: {path: gone.jsonl}}"])
def test_broken_specs_do_not_matter(training: Small, broken: str) -> None:
    training.write("specs/main.yaml", broken)
    assert one(training, Command.PAUSE).after == "pausing"
    training.write("specs/main.yaml", SPEC)
    assert training.changes()["job.review"].reason is Reason.HELD


def test_without_a_lock_the_job_is_found_by_its_name_and_no_apply_resumes_it(training: Small) -> None:
    (training.root / "rftplan.lock").unlink()
    shutil.rmtree(training.root / ".rftplan" / "default")
    done = act(training, Command.PAUSE)
    assert (done.jobs[0].after, done.jobs[0].held, done.unheld) == ("pausing", False, "there is no lock")
    training.apply()
    training.apply()
    assert (status_of(training), training.changes()["job.review"].reason) == ("paused", Reason.PAUSED_ELSEWHERE)


@pytest.mark.parametrize("damage", ["{", '{"format": "rftplan.lock/9"}', "<<<<<<< HEAD\n"])
def test_a_damaged_lock_stops_no_pause(training: Small, damage: str) -> None:
    training.write("rftplan.lock", damage)
    done = act(training, Command.PAUSE)
    assert done.jobs[0].after == "pausing"
    assert done.unheld is not None and "rftplan.lock" in done.unheld
    assert (training.root / "rftplan.lock").read_text() == damage


def test_while_an_apply_acts_the_job_is_paused_all_the_same(training: Small) -> None:
    from rftplan.promoted import state_paths

    with acting_alone(state_paths(training.root), "apply"):
        done = act(training, Command.PAUSE)
    assert done.jobs[0].after == "pausing"
    assert done.unheld is not None and done.unheld.startswith("another rftplan is acting in ")


ELSEWHERE = "provider: {type: local, base_url: 'http://127.0.0.1:9/v1'}"


@pytest.mark.parametrize(
    ("written", "said"),
    [(ELSEWHERE, "belongs to another account: provider.base_url"), ("provider: opnai", None)],
)
def test_the_lock_knows_where_its_jobs_run_whatever_the_specs_say_by_now(
    training: Small, written: str, said: str | None
) -> None:
    training.environ["RFTPLAN_LOCAL_KEY"] = "sk-local"
    training.edit("specs/main.yaml", "provider: local", written)
    done = act(training, Command.PAUSE, Every())
    assert (done.jobs[0].after, done.jobs[0].held, done.service) == (
        "pausing",
        True,
        "the local service of this folder",
    )
    assert (done.elsewhere or "").count(said or "") and (done.elsewhere is None) == (said is None)


def test_the_locks_project_is_the_one_that_is_meant(training: Small) -> None:
    training.edit("specs/main.yaml", "name: demo", "name: other")
    done = act(training, Command.PAUSE, Every())
    assert (done.jobs[0].after, done.jobs[0].held) == ("pausing", True)
    assert done.elsewhere is not None and 'belongs to project "demo"' in done.elsewhere


def test_a_provider_that_is_asked_for_is_not_the_locks(training: Small) -> None:
    small = with_provider(training, "openai")
    with pytest.raises(LockError, match="another account"):
        act(small, Command.PAUSE)


def with_provider(small: Small, provider: str) -> Small:
    small.options = replace(small.options, provider=provider)
    return small


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("project: {name: demo, provider: openai}\nfiles: [", "specs/main.yaml"),
        ("project: {name: demo, provider: opnai}", "the specs name none that can be asked .specs/main.yaml:1:33"),
        ("jobs: {}", "the specs name none that can be asked"),
        (None, "there are no specs here"),
    ],
)
@pytest.mark.parametrize("target", [Every(), JobId("ftjob-1"), JOB])
def test_where_nobody_names_a_service_none_is_asked_and_none_is_guessed(
    tmp_path: Path, written: str | None, reason: str, target: Target
) -> None:
    small = Small(tmp_path)
    if written is not None:
        small.write("specs/main.yaml", written)
    with pytest.raises(UserError, match=f"which service is meant is unknown: .*({reason}).*no rftplan.lock") as error:
        act(small, Command.PAUSE, target)
    assert error.value.hint is not None and error.value.hint.startswith("--provider openai; for a service with a base")
    assert not (tmp_path / ".rftplan").exists()
    with pytest.raises(UserError, match="the local service of this folder"):
        act(with_provider(small, "local"), Command.PAUSE, target)


def test_a_damaged_lock_names_no_service_either(training: Small) -> None:
    training.write("specs/main.yaml", "files: [")
    training.write("rftplan.lock", "<<<<<<< HEAD\n")
    with pytest.raises(UserError, match=r"specs/main.yaml\S*, and rftplan.lock cannot be read"):
        act(training, Command.PAUSE, Every())


def test_every_job_of_the_project_is_meant_and_none_of_another(training: Small, tmp_path: Any) -> None:
    training.edit("specs/main.yaml", "deployments:", SECOND + "deployments:")
    training.launch_until_step("job.second")
    body = another(training)
    strangers = training.service(lambda port: port.create_job(body))
    done = act(training, Command.PAUSE, Every())
    assert sorted(str(job.address) for job in done.jobs) == ["job.review", "job.second"]
    assert one(training, Command.CANCEL, JobId(strangers.id)).address is None


SECOND = """\
  second:
    model: o4-mini-2025-04-16
    training_file: train
    validation_file: test
    seed: 7
    method: {type: reinforcement, reinforcement: {grader: match, hyperparameters: {n_epochs: 2}}}
"""


def another(small: Small) -> dict[str, Any]:
    """What somebody else launches under the same names, from another lock."""
    id = small.lock().resources[JOB].id
    body: dict[str, Any] = small.service(lambda port: port.get_job(id)).body
    kept = {key: body[key] for key in ("model", "training_file", "validation_file", "method")}
    return {**kept, "metadata": {**body["metadata"], "rftplan_token": "another-lineage:1"}}


def test_what_somebody_else_paused_is_resumed_with_leave_alone(training: Small) -> None:
    id = training.lock().resources[JOB].id
    training.service(lambda port: port.pause_job(id))
    training.clock.time += 60
    refused = one(training, Command.RESUME)
    assert (refused.outcome, refused.detail) == (Outcome.FAILED, "it was not paused from here")
    assert "--allow resume-after-service-pause" in str(refused.hint)
    allowed = frozenset({Hazard.RESUME_AFTER_SERVICE_PAUSE})
    assert one(training, Command.RESUME, allowed=allowed).outcome is Outcome.DONE


def by_hand(small: Small, *verbs: str, later: float = 60) -> None:
    (job,) = small.jobs()
    for verb in verbs:
        small.service(lambda port, verb=verb: getattr(port, f"{verb}_job")(job.id))
        small.clock.time += later


@pytest.fixture
def long(small: Small) -> Small:
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 10")
    small.launch_until_step()
    return small


def test_a_pause_of_ours_that_somebody_lifted_is_no_leave_to_lift_the_next(long: Small) -> None:
    one(long, Command.PAUSE)
    by_hand(long, "resume", later=1)
    assert one(long, Command.RESUME, later=0).detail == "it is running already"
    by_hand(long, "pause")
    held = long.changes()["job.review"]
    assert (held.action, held.reason) == (Action.HOLD, Reason.PAUSED_ELSEWHERE)
    long.apply()
    assert status_of(long) == "paused"


def test_nor_is_it_where_nobody_looked_in_between_and_the_job_went_on(long: Small) -> None:
    one(long, Command.PAUSE)
    at = long.lock().resources[JOB].resolved["paused_at_step"]
    by_hand(long, "resume", later=12)
    by_hand(long, "pause")
    refused = one(long, Command.RESUME)
    assert refused.outcome is Outcome.FAILED
    assert refused.detail.startswith(f"it was paused from here at step {at}, and is at step ")
    assert "somebody else resumed it" in refused.detail and "--allow resume-after" in str(refused.hint)
    asyncio.run(release(long.options, JOB, world=long.world))
    assert long.changes()["job.review"].reason is Reason.PAUSED_ELSEWHERE
    long.apply()
    assert status_of(long) == "paused"
    asyncio.run(release(long.options, JOB, world=long.world))  # a person has seen it now
    assert long.verbs()["job.review"] == "update resume"


def test_what_was_paused_and_trains_all_the_same_is_no_calm_hold(long: Small) -> None:
    one(long, Command.PAUSE)
    by_hand(long, "resume", later=2)
    (held,) = [c for c in long.plan().changes if c.address == JOB]
    assert (held.action, held.reason) == (Action.HOLD, Reason.GOES_ON_HELD)
    assert held.detail.startswith(f"{held.id} is running all the same; paused: by hand")
    one(long, Command.PAUSE)
    assert long.changes()["job.review"].reason is Reason.HELD


def test_what_a_person_cancelled_from_here_is_told_as_that(training: Small) -> None:
    one(training, Command.CANCEL)
    training.edit("specs/main.yaml", "    model: o4-mini", "    retry: {attempts: 3}\n    model: o4-mini")
    asyncio.run(release(training.options, JOB, world=training.world))
    plan = training.plan()
    held = next(c for c in plan.changes if c.address == JOB)
    assert (held.reason, held.detail) == (Reason.CANCELLED_BY_HAND, f"{held.id} was cancelled from here")
    assert plan.drift == ()


def test_an_apply_that_waits_tells_a_pause_from_here_as_no_failure(long: Small) -> None:
    sleep = long.clock.sleep

    async def pause_meanwhile(seconds: float) -> None:
        long.clock.sleep = sleep  # type: ignore[method-assign]
        with ThreadPoolExecutor(1) as pool:
            pool.submit(one, long, Command.PAUSE).result()
        await sleep(seconds)

    long.clock.sleep = pause_meanwhile  # type: ignore[method-assign]
    told = long.results(wait=True)["job.review"]
    assert (told.outcome, told.detail) == (
        Outcome.DEFERRED,
        "it was paused from here while this waited for it; rftplan resume job.review lets it go on",
    )


def test_that_a_person_cancelled_it_outlives_an_apply_that_waits(long: Small) -> None:
    sleep = long.clock.sleep

    async def cancel_meanwhile(seconds: float) -> None:
        long.clock.sleep = sleep  # type: ignore[method-assign]
        with ThreadPoolExecutor(1) as pool:
            pool.submit(one, long, Command.CANCEL).result()
        await sleep(seconds)

    long.clock.sleep = cancel_meanwhile  # type: ignore[method-assign]
    assert long.results(wait=True)["job.review"].outcome is Outcome.FAILED
    asyncio.run(release(long.options, JOB, world=long.world))
    assert long.changes()["job.review"].reason is Reason.CANCELLED_BY_HAND


def test_a_hold_of_another_kind_is_no_pause_of_ours(long: Small) -> None:
    sleep = long.clock.sleep

    async def pause_meanwhile(seconds: float) -> None:
        long.clock.sleep = sleep  # type: ignore[method-assign]
        with ThreadPoolExecutor(1) as pool:
            pool.submit(hold, long.options, JOB, "legal has to look", world=long.world).result()
            pool.submit(by_hand, long, "pause").result()
        await sleep(seconds)

    long.clock.sleep = pause_meanwhile  # type: ignore[method-assign]
    assert long.results(wait=True)["job.review"].outcome is Outcome.HELD


def test_what_the_service_refuses_leaves_no_hold(small: Small) -> None:
    small.apply()
    done = one(small, Command.PAUSE, later=0)
    assert (done.before, done.outcome, done.held) == ("validating_files", Outcome.FAILED, False)
    assert "from its first step on" in str(done.hint)
    assert small.changes()["job.review"].reason is Reason.RUNNING


@pytest.mark.parametrize("command", [Command.PAUSE, Command.CANCEL])
def test_doing_it_again_changes_nothing(training: Small, command: Command) -> None:
    one(training, command)
    again = one(training, command)
    assert (again.outcome, again.held) == (Outcome.SKIPPED, True)
    assert len(training.lock().resources[JOB].holds) == 1


def test_a_job_that_has_ended_is_left_alone(training: Small) -> None:
    training.train()
    for command in Command:
        done = one(training, command)
        assert (done.outcome, done.held, done.detail) == (Outcome.SKIPPED, False, "it has ended: succeeded")


def test_a_no_does_nothing(training: Small) -> None:
    doing = intervene(training.options, Command.CANCEL, JOB, consent=lambda meant: False, world=training.world)
    assert asyncio.run(doing) is None
    assert status_of(training) == "running"


@pytest.mark.parametrize("target", [Address("job", "nix"), JobId("ftjob-nix"), Every()])
def test_nobody_being_meant_is_an_error(small: Small, target: Target) -> None:
    with pytest.raises(UserError) as told:
        act(small, Command.PAUSE, target)
    assert told.value.hint


def faulty(at: str, fault: Fault) -> Callable[[Any], Faulty]:
    return lambda inner: Faulty(inner, lambda m, path, n: fault if m == "POST" and path.endswith(at) else None)


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.ERROR_AFTER])
@pytest.mark.parametrize("command", [Command.PAUSE, Command.CANCEL])
def test_a_lost_reply_is_answered_by_looking_again(training: Small, command: Command, fault: Fault) -> None:
    training.wrap = faulty(f"/{command}", fault)
    done = one(training, command)
    training.wrap = lambda inner: inner
    assert (done.outcome, done.held) == (Outcome.DONE, True)
    training.apply()
    assert (status_of(training), training.changes()["job.review"].reason) == (
        "paused" if command is Command.PAUSE else "cancelled",
        Reason.HELD,
    )


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.ERROR_BEFORE])
def test_what_may_not_have_been_done_is_told_and_stays_held(training: Small, fault: Fault) -> None:
    training.wrap = faulty("/pause", fault)
    done = one(training, Command.PAUSE, later=0)
    training.wrap = lambda inner: inner
    assert (done.outcome, done.after, done.held) == (Outcome.FAILED, "running", True)
    assert done.hint == "run the command again: it looks first"
    assert one(training, Command.PAUSE).outcome is Outcome.DONE


class Died(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("command", [Command.PAUSE, Command.CANCEL])
@pytest.mark.parametrize("acted", [False, True])
def test_whoever_dies_at_the_call_has_held_the_next_apply(training: Small, command: Command, acted: bool) -> None:
    training.wrap = lambda inner: Dying(inner, f"/{command}", acted)
    with pytest.raises(Died):
        one(training, command)
    training.wrap = lambda inner: inner
    training.apply()
    goes_on = command is Command.PAUSE and not acted
    assert training.changes()["job.review"].reason is (Reason.GOES_ON_HELD if goes_on else Reason.HELD)
    done = one(training, command)
    assert done.outcome is (Outcome.SKIPPED if acted else Outcome.DONE)
    assert status_of(training) == ("paused" if command is Command.PAUSE else "cancelled")


class Dying:
    """Dies at one request, before or after the service acted."""

    def __init__(self, inner: Any, at: str, acted: bool) -> None:
        self.inner, self.at, self.acted = inner, at, acted

    async def handle_async_request(self, request: Any) -> Any:
        if request.method == "POST" and request.url.path.endswith(self.at):
            if self.acted:
                await self.inner.handle_async_request(request)
            raise Died
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


def test_a_pause_in_the_middle_of_a_pause_is_done(training: Small) -> None:
    id = training.lock().resources[JOB].id
    assert id is not None
    job = training.service(lambda port: port.pause_job(id))
    assert job.status is JobStatus.PAUSING
    assert one(training, Command.PAUSE).held


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.ERROR_BEFORE, Fault.LOST_AFTER, Fault.ERROR_AFTER])
def test_a_resume_without_an_answer_lifts_the_hold_only_if_the_job_goes_on(training: Small, fault: Fault) -> None:
    acted = fault in (Fault.LOST_AFTER, Fault.ERROR_AFTER)
    one(training, Command.PAUSE)
    training.wrap = faulty("/resume", fault)
    done = one(training, Command.RESUME, later=0)
    training.wrap = lambda inner: inner
    assert (done.outcome, done.held) == ((Outcome.DONE, False) if acted else (Outcome.FAILED, True))
    training.apply()
    assert (status_of(training) == "paused") is not acted


def test_whoever_dies_at_a_resume_leaves_the_hold(training: Small) -> None:
    one(training, Command.PAUSE)
    training.wrap = lambda inner: Dying(inner, "/resume", acted=False)
    with pytest.raises(Died):
        one(training, Command.RESUME)
    training.wrap = lambda inner: inner
    training.apply()
    assert (status_of(training), training.changes()["job.review"].reason) == ("paused", Reason.HELD)


def test_a_resume_lifts_the_hold_of_a_pause_and_no_other(training: Small) -> None:
    one(training, Command.PAUSE)
    lock = training.root / "rftplan.lock"
    document = json.loads(lock.read_text())
    document["resources"]["job.review"]["holds"].append({"code": "legal", "reason": "ask", "operator": True})
    lock.write_text(json.dumps(document))
    assert one(training, Command.RESUME).held
    assert [hold.code for hold in training.lock().resources[JOB].holds] == ["legal"]
