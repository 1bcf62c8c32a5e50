"""Between rftplan and `rftplan serve` stands a proxy that drops, delays, truncates or repeats: the real SDK over real
sockets sends no second create for a slot whose first arrived, and the lock says nothing that is not so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rftplan.events import Outcome
from rftplan.kinds.job.launch import LAUNCH_KEY
from tests.scenarios.applies import DUE, Due
from tests.scenarios.promised import SERVED, SETTLED, House, assert_promise, changes, house_at
from tests.scenarios.proxy import Harm, Passed, Proxy, Served, served_through
from tests.tally import Tally

JOBS = "/v1/fine_tuning/jobs"
THROUGH = ("two jobs", "replace beside", "grant and revoke", "pause")
REPEATS = (Harm.REPEATED, Harm.REPEATED_LATE)


@pytest.fixture(scope="module")
def way() -> Iterator[tuple[Served, Proxy]]:
    with served_through() as (served, proxy):
        yield served, proxy


@pytest.mark.parametrize("due", [due for due in DUE if due.name in THROUGH], ids=str)
def test_a_proxy_of_bad_manners_never_makes_it_launch_twice_or_record_a_lie(
    due: Due, tmp_path: Path, way: tuple[Served, Proxy], tally: Tally
) -> None:
    served, proxy = way
    start = at_due(due, tmp_path / "start", proxy)
    start.photograph(tmp_path / "due")
    due.apply(start)
    start.close()
    wrong = []
    for call in start.calls:
        for harm in Harm:
            if harm in REPEATS and call.path == "/v1/files":
                continue  # a repeated upload leaves a second copy, which nobody uses
            tally["proxy", harm.value] += 1
            shutil.copytree(tmp_path / "due", tmp_path / "now")
            house = house_at(tmp_path / "now", speed=due.speed)
            try:
                apply_through(house, due, served, proxy, call.number, harm)
                assert_promise(house.small)
                assert_no_second_create(proxy.passed)
            except AssertionError as error:
                wrong.append(f"{call.method} {call.path}: {harm}: {error}")
            finally:
                house.close()
                shutil.rmtree(tmp_path / "now")
    assert not wrong, "\n".join(wrong)


def test_where_the_proxy_repeats_a_create_the_later_job_is_cancelled_and_named(
    tmp_path: Path, way: tuple[Served, Proxy]
) -> None:
    served, proxy = way
    due = next(due for due in DUE if due.name == "two jobs")
    house = at_due(due, tmp_path / "house", proxy)
    through(house, served, proxy, lambda method, path: Harm.REPEATED_LATE if (method, path) == ("POST", JOBS) else None)
    told = house.small.results()
    in_process(house, proxy)
    jobs = sorted(house.truth().jobs.values(), key=lambda job: (job.metadata[LAUNCH_KEY], job.created_at, job.id))
    house.close()
    assert len(jobs) == 4
    for first, second in (jobs[:2], jobs[2:]):
        assert (first.status.ended, str(second.status)) == (False, "cancelled")
        said = next(one for one in told.values() if one.id == first.id)
        assert said.outcome is Outcome.DONE
        assert f"it was launched twice: {second.id} was cancelled; {first.id} is older and stays" in said.detail


def at_due(due: Due, root: Path, proxy: Proxy) -> House:
    """A house where the apply is due, whose service is reached at the proxy's port, or in this process."""
    spec = SERVED.replace("http://127.0.0.1:9/v1", f"http://127.0.0.1:{proxy.port}/v1")
    house = House(root, spec, speed=due.speed)
    due.prepare(house)
    house.clock.time += 3
    house.calls.clear()
    return house


def through(house: House, served: Served, proxy: Proxy, harm_of: Any) -> None:
    """From now on over sockets, and this is what happens to requests there."""
    served.app = house.app
    proxy.harm_of = harm_of
    house.beside = house.small.wrap
    house.small.wrap = lambda network: network


def in_process(house: House, proxy: Proxy) -> None:
    """From now on without the proxy."""
    proxy.harm_of = lambda *_: None
    assert house.beside is not None
    house.small.wrap = house.beside


def apply_through(house: House, due: Due, served: Served, proxy: Proxy, at: int, harm: Harm) -> None:
    """One apply with the harm, then applies at once, after the settle time and after the jobs, without."""
    count = 0

    def harm_of(method: str, path: str) -> Harm | None:
        nonlocal count
        count += changes(method, path)
        return harm if changes(method, path) and count == at else None

    proxy.passed.clear()
    through(house, served, proxy, harm_of)
    due.apply(house)
    proxy.harm_of = lambda *_: None
    due.repeat(house)
    house.clock.time += SETTLED
    due.repeat(house)
    in_process(house, proxy)
    house.clock.time += 6 / house.speed
    due.repeat(house)


def assert_no_second_create(passed: list[Passed]) -> None:
    """A slot is launched into again only where no create had come through."""
    arrived = set()
    for one in passed:
        if (one.method, one.path) == ("POST", JOBS):
            slot = json.loads(one.body)["metadata"][LAUNCH_KEY]
            assert slot not in arrived, f"a second create was sent for {slot}"
            arrived |= {slot} if one.times else set()
