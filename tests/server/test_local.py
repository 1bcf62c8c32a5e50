"""The routes of our own: faults as objects, and a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from rftplan.server.app import close_app, make_store
from rftplan.server.clock import LAST, ClockMode, EndOfTimeError, ManualClock
from rftplan.server.store import Store

from .conftest import START, World, create_job, upload

pytestmark = pytest.mark.anyio


@pytest.fixture
def manual(make_world: Callable[..., World]) -> Callable[[], World]:
    return lambda: make_world(clock=ClockMode.MANUAL)


async def advance(http: httpx2.AsyncClient, seconds: float) -> dict[str, Any]:
    reply = await http.post("/local/clock", json={"advance": seconds})
    body: dict[str, Any] = reply.json()
    assert reply.status_code == 200, body
    return body


async def test_faults_are_made_listed_and_taken_back(http: httpx2.AsyncClient) -> None:
    made = [(await http.post("/local/faults", json={"fault": line})).json() for line in ("429  times=2", "lockout")]
    assert made[0] == {
        "object": "local.fault", "id": made[0]["id"], "fault": "429 times=2", "met": 0, "struck": 0, "left": 2,
    }  # fmt: skip
    await http.get("/files")
    listed = (await http.get("/local/faults")).json()["data"]
    assert [(one["fault"], one["met"], one["left"]) for one in listed] == [("429 times=2", 1, 1), ("lockout", 0, None)]
    assert (await http.delete(f"/local/faults/{made[0]['id']}")).json()["deleted"] is True
    assert (await http.delete(f"/local/faults/{made[0]['id']}")).status_code == 404
    assert [one["fault"] for one in (await http.delete("/local/faults")).json()["data"]] == ["lockout"]
    assert (await http.get("/local/faults")).json()["data"] == []


@pytest.mark.parametrize("body", [{}, {"fault": 3}, {"fault": "498"}, {"fault": "429", "more": 1}, []])
async def test_what_says_no_fault_is_refused(http: httpx2.AsyncClient, body: object) -> None:
    reply = await http.post("/local/faults", json=body)
    assert reply.status_code == 400
    assert (await http.get("/local/faults")).json()["data"] == []


async def test_a_job_is_stepped_through_its_life_by_hand(manual: Callable[[], World]) -> None:
    world = manual()
    async with world.sdk() as sdk, world.http() as http:
        job = (await create_job(sdk))["id"]
        seen = []
        for _ in range(8):
            seen.append((await sdk.fine_tuning.jobs.retrieve(job)).status)
            world.clock.forward(1_000)  # what the machine's clock says is nothing to it
            await advance(http, 0.5)
        assert seen == ["validating_files", "queued"] + ["running"] * 6
        assert (await advance(http, 1))["now"] == START + 5
        assert (await http.get("/local/clock")).json()["mode"] == "manual"
        assert (await sdk.fine_tuning.jobs.retrieve(job)).finished_at == START + 4


async def test_a_clock_by_hand_stands_where_it_stood_after_a_restart(
    manual: Callable[[], World], make_world: Callable[..., World]
) -> None:
    world = manual()
    async with world.http() as http:
        assert (await advance(http, 100))["now"] == START + 100
    close_app(world.app)
    async with manual().http() as http:
        assert (await http.get("/local/clock")).json()["now"] == START + 100
    running = make_world()
    async with running.http() as http:
        assert (await http.get("/local/clock")).json() == {
            "object": "local.clock", "mode": "running", "now": START, "date": "2026-09-21T14:13:20+00:00",
        }  # fmt: skip


async def test_it_begins_no_earlier_than_what_the_store_has_seen(
    make_world: Callable[..., World], manual: Callable[[], World], sdk: openai.AsyncOpenAI
) -> None:
    later = make_world()
    later.clock.forward(500)
    async with later.sdk() as sdk:
        await create_job(sdk)
    async with manual().http() as http:
        assert (await http.get("/local/clock")).json()["now"] == START + 500


@pytest.mark.parametrize("seconds", [0, -1, None, "5", 1e12, True])
async def test_time_goes_forward_by_some_seconds(manual: Callable[[], World], seconds: object) -> None:
    async with manual().http() as http:
        assert (await http.post("/local/clock", json={"advance": seconds})).status_code == 400


async def test_going_back_is_refused_as_that(manual: Callable[[], World]) -> None:
    async with manual().http() as http:
        back = (await http.post("/local/clock", json={"advance": -5})).json()["error"]
        far = (await http.post("/local/clock", json={"advance": 1e12})).json()["error"]
    assert back["message"] == "Invalid 'advance': a clock only goes forward, by 0.000001 to 31622400 seconds."
    assert far["message"] == "Invalid 'advance': a clock goes forward at once by at most 31622400 seconds."
    assert back["code"] == far["code"] == "invalid_value"


async def test_a_running_clock_is_not_moved(http: httpx2.AsyncClient) -> None:
    reply = await http.post("/local/clock", json={"advance": 5})
    assert (reply.status_code, reply.json()["error"]["message"]) == (
        400,
        "This clock runs by itself. Start the service with --clock manual.",
    )


async def test_two_clocks_by_hand_on_one_store_are_one_and_never_go_back(make_world: Callable[..., World]) -> None:
    """Started at different times, the first of them before anything was written."""
    one = make_world(clock=ClockMode.MANUAL)
    other = make_world(clock=ClockMode.MANUAL, now=lambda: START + 1_000)
    make_store(one.app)
    make_store(other.app)
    async with one.http() as here, other.http() as there, other.sdk() as sdk:
        assert (await there.get("/local/clock")).json()["now"] == START
        job = await create_job(sdk)
        assert job["created_at"] == START
        await advance(here, 5)
        assert (await there.get("/local/clock")).json()["now"] == START + 5
        assert (await sdk.fine_tuning.jobs.retrieve(job["id"])).status == "succeeded"


async def test_a_clock_by_hand_stands_no_earlier_than_what_was_made_by_the_running_one(
    manual: Callable[[], World], make_world: Callable[..., World]
) -> None:
    make_store(manual().app)
    async with make_world(now=lambda: START + 500).sdk() as sdk:
        await upload(sdk, b"{}\n")
    later = manual()
    async with later.http() as http:
        assert (await http.get("/local/clock")).json()["now"] == START + 500
        make_store(later.app)
        assert (await advance(http, 1))["now"] == START + 501


async def test_a_clock_by_hand_never_goes_back_before_what_a_process_has_shown(
    make_world: Callable[..., World],
) -> None:
    """Nothing is written before both have shown their time."""
    one = make_world(clock=ClockMode.MANUAL)
    other = make_world(clock=ClockMode.MANUAL, now=lambda: START + 1_000)
    async with one.http() as here, one.sdk() as sdk, other.http() as there, other.sdk() as others:
        assert (await there.get("/local/clock")).json()["now"] == START + 1_000
        await upload(sdk, b"{}\n")
        assert (await there.get("/local/clock")).json()["now"] == START + 1_000
        assert (await here.get("/local/clock")).json()["now"] == START
        await upload(others, b"{}\n")
        assert (await here.get("/local/clock")).json()["now"] == START + 1_000
        assert (await advance(here, 1))["now"] == START + 1_001
        assert (await there.get("/local/clock")).json()["now"] == START + 1_001


async def test_a_clock_by_hand_stops_before_the_year_10000(make_world: Callable[..., World]) -> None:
    last = 253_402_300_799
    world = make_world(clock=ClockMode.MANUAL, now=lambda: last - 500)
    async with world.http() as http, world.sdk() as sdk:
        job = await create_job(sdk)
        reply = await http.post("/local/clock", json={"advance": 501})
        assert (reply.status_code, reply.json()["error"]["message"]) == (
            400,
            "Invalid 'advance': a clock goes no further than the year 9999.",
        )
        assert (await advance(http, 500))["date"] == "9999-12-31T23:59:59+00:00"
        assert (await http.post("/local/faults", json={"fault": "retired model=o4-mini"})).status_code == 200
        for path in ("/local/clock", "/files", "/models", f"/fine_tuning/jobs/{job['id']}"):
            assert (await http.get(path)).status_code == 200


def test_a_clock_that_cannot_go_on_stands_still(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    clock = ManualClock(store, begin=LAST - 1)
    with pytest.raises(EndOfTimeError):
        clock.advance(2)
    assert clock.now() == LAST - 1
    clock.advance(1)
    assert clock.now() == LAST
    store.close()
