"""Jobs watched until they end, by a clock that only sleep moves: at the local service, on good days and bad ones."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.profiles import PROFILES
from rftplan.errors import LockError, UserError
from rftplan.events import AskedToWait, Event
from rftplan.intervening import Command, intervene
from rftplan.monitor import News
from rftplan.monitor.ending import End
from rftplan.watching import Every, JobId, Target, Watched, watch
from tests.faults import Fault, Faulty
from tests.intervening.test_intervening import SECOND
from tests.world import Small

JOB = Address("job", "review")
JOBS = "/v1/fine_tuning/jobs"


def watched(small: Small, *targets: Target, **rest: Any) -> list[Sequence[Watched]]:
    """Everything that was shown, in its order."""
    shown: list[Sequence[Watched]] = []
    asyncio.run(watch(small.options, targets, show=shown.append, world=small.world, **rest))
    return shown


def news(shown: Sequence[Sequence[Watched]], at: int = 0) -> list[News]:
    return [one for jobs in shown for one in jobs[at].news]


@pytest.fixture
def training(small: Small) -> Small:
    small.launch_until_step()
    return small


def test_a_job_is_watched_from_its_first_step_to_its_last(training: Small) -> None:
    shown = watched(training)
    last = shown[-1][0]
    assert last.ending is not None and last.ending.end is End.SUCCEEDED
    assert last.facts.step == last.facts.total_steps == len(last.facts.points)
    assert news(shown).count(News.STEP) >= 2 and News.VALIDATED in news(shown) and News.CHECKPOINT in news(shown)
    assert [jobs[0].ending for jobs in shown[:-1]] == [None] * (len(shown) - 1)
    figures = [[point.step for point in jobs[0].facts.points] for jobs in shown]
    assert all(earlier == later[: len(earlier)] for earlier, later in pairwise(figures))
    assert last.facts.money.usd == 0 and last.facts.guarded_by is None


def test_watching_changes_nothing(training: Small) -> None:
    def ours() -> dict[str, bytes]:
        files = [path for path in training.root.rglob("*") if path.is_file() and "local" not in path.parts]
        return {str(path): path.read_bytes() for path in files}

    before = ours()
    watched(training)
    assert ours() == before


def test_without_an_address_every_job_that_is_active_is_watched_each_to_its_own_end(training: Small) -> None:
    training.edit("specs/main.yaml", "deployments:", SECOND + "deployments:")
    training.launch_until_step("job.second")
    shown = watched(training)
    assert sorted(str(one.facts.address) for one in shown[-1]) == ["job.review", "job.second"]
    assert {one.ending.end for one in shown[-1] if one.ending} == {End.SUCCEEDED}
    assert watched(training) == [()]  # nothing is active any more
    assert watched(training, Every()) == [()]


def test_a_job_that_has_ended_is_shown_once_and_one_that_is_named_twice_is_one(training: Small) -> None:
    id = training.lock().resources[JOB].id
    watched(training)
    (shown,) = watched(training, JOB, JobId(str(id)))
    assert [one.facts.job.id for one in shown] == [id]


@pytest.mark.parametrize("broken", ["jobs: {", "project: 3", "jbos: {}", "files: {train: {path: gone.jsonl}}"])
def test_broken_specs_do_not_matter(training: Small, broken: str) -> None:
    training.write("specs/main.yaml", broken)
    (last,) = watched(training, JOB)[-1]
    assert last.ending is not None and last.ending.end is End.SUCCEEDED


def test_without_a_lock_the_job_is_found_by_its_name(training: Small) -> None:
    (training.root / "rftplan.lock").unlink()
    shutil.rmtree(training.root / ".rftplan" / "default")
    assert str(watched(training)[-1][0].facts.address) == "job.review"


def test_who_means_no_job_is_told(small: Small) -> None:
    with pytest.raises(UserError, match=r"no launch of job\.review is known"):
        watched(small, JOB)


def test_the_locks_service_is_asked_where_the_specs_name_another_and_that_is_told(training: Small) -> None:
    training.edit("specs/main.yaml", "provider: local", "provider: {type: local, base_url: 'http://127.0.0.1:9/v1'}")
    why: list[str] = []
    (last,) = watched(training, JOB, tell=why.append)[-1]
    assert last.ending is not None and last.ending.end is End.SUCCEEDED
    assert len(why) == 1 and "another account" in why[0]


def test_a_lock_of_another_provider_than_the_options_name_is_an_error(training: Small) -> None:
    training.options = replace(training.options, provider="openai")
    with pytest.raises(LockError):
        watched(training, JOB)


@pytest.mark.parametrize("command", [Command.PAUSE, Command.CANCEL])
def test_what_was_stopped_from_here_needs_nobody_and_what_another_stopped_does(
    training: Small, command: Command
) -> None:
    asyncio.run(intervene(training.options, command, JOB, world=training.world))
    (last,) = watched(training, JOB)[-1]
    assert last.ending is not None
    assert (last.ending.end, last.ending.ours) == (End.PAUSED if command is Command.PAUSE else End.CANCELLED, True)


@pytest.mark.parametrize("call", ["pause_job", "cancel_job"])
def test_what_somebody_else_stopped_needs_a_person(training: Small, call: str) -> None:
    id = training.lock().resources[JOB].id
    training.service(lambda port: getattr(port, call)(id))
    (last,) = watched(training, JOB)[-1]
    assert last.ending is not None and last.ending.needs_a_person and not last.ending.ours


def test_what_a_plan_paused_was_paused_from_here(training: Small) -> None:
    training.edit("specs/main.yaml", "    model: o4", "    run: paused\n    model: o4")
    training.apply()
    (last,) = watched(training, JOB)[-1]
    assert last.ending is not None and (last.ending.end, last.ending.ours) == (End.PAUSED, True)


FAULTS = [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.ERROR_BEFORE, Fault.TOO_MANY, Fault.NOT_CONNECTED]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_service_that_does_not_answer_is_asked_again_and_nothing_is_lost(training: Small, fault: Fault) -> None:
    """The third to tenth look at the job, and then at its events: more than a call is repeated by itself."""
    told: list[Event] = []

    def struck(method: str, path: str, times: int) -> Fault | None:
        return fault if method == "GET" and path.startswith(f"{JOBS}/ftjob-") and 3 <= times <= 10 else None

    training.wrap = lambda inner: Faulty(inner, struck)
    shown = watched(training, JOB, on_event=told.append)
    errors = [jobs[0].unanswered for jobs in shown if jobs[0].unanswered is not None]
    assert errors or any(isinstance(one, AskedToWait) for one in told)
    last = shown[-1][0]
    assert last.ending is not None and last.ending.end is End.SUCCEEDED and last.unanswered is None
    assert [point.step for point in last.facts.points] == list(range(1, len(last.facts.points) + 1))


@pytest.mark.parametrize("fault", [Fault.NOT_FOUND, Fault.UNAUTHORIZED])
def test_a_service_that_refuses_ends_it_with_what_it_said(training: Small, fault: Fault) -> None:
    training.wrap = lambda inner: Faulty(
        inner, lambda m, path, n: fault if path.startswith(f"{JOBS}/ftjob-") and n > 2 else None
    )
    last = watched(training, JOB)[-1][0]
    assert last.ending is not None and last.ending.end is End.LOST and last.ending.detail
    assert last.ending.needs_a_person


def test_a_look_at_a_job_of_which_there_is_no_news_is_two_requests(training: Small) -> None:
    seen: list[str] = []

    class Counting(Faulty):
        async def handle_async_request(self, request: Any) -> Any:
            seen.append(request.url.path)
            return await super().handle_async_request(request)

    training.wrap = lambda inner: Counting(inner, lambda *_: None)
    looks = len(watched(training, JOB))
    asked = [path for path in seen if path.endswith("/checkpoints")]
    assert len(asked) <= looks and seen.count(JOBS) == 1
    assert len(seen) - len(asked) <= 2 * looks + 1


def test_what_is_shown_between_two_looks_grows_older(training: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = replace(PROFILES["local"], poll_seconds=3.0)
    monkeypatch.setattr("rftplan.service_choice.profile", lambda _name: slow)
    shown = watched(training, JOB, tick=1.0)
    ages = [jobs[0].facts.elapsed for jobs in shown[:3]]
    assert ages == [ages[0], ages[0] + 1, ages[0] + 2]
    assert [jobs[0].news for jobs in shown[1:3]] == [(), ()]
