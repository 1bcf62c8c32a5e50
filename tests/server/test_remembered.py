"""What is remembered of a list is what the store says, whatever other services and clocks do to it."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import httpx2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftplan.grading import StandInJudge
from rftplan.server.app import close_app, create_app
from rftplan.server.remembered import Remembered
from rftplan.server.settings import Settings

from .conftest import KEY, Clock, CountingIds, TrivialTrainer, World, create_job, upload

LISTS = (
    "/fine_tuning/jobs?limit=1000",
    "/fine_tuning/jobs?limit=2",
    "/models",
    "/files",
    "/files?limit=3&order=asc",
    "/files?purpose=fine-tune-results",
)
ACTS = ("job", "job", "pause", "resume", "cancel", "delete file", "delete model", "stale", "retired", "none")
PAUSES = (0, 0.5, 1, 2, 5, -2)  # seconds


def service(folder: str, clock: Clock, ids: CountingIds) -> World:
    kept = Settings(
        store=Path(folder) / "s", key=KEY, trainer=TrivialTrainer(), judge=StandInJudge(), now=clock, new_id=ids
    )
    return World(kept, clock, TrivialTrainer(), create_app(kept))


async def act(world: World, what: str, at: int) -> None:
    async with world.http() as http, world.sdk() as sdk:
        jobs = (await http.get("/fine_tuning/jobs?limit=1000")).json()["data"]
        models = [one["id"] for one in (await http.get("/models")).json()["data"] if one["id"].startswith("ft:")]
        match what:
            case "job":
                await create_job(sdk)
            case "pause" | "resume" | "cancel" if jobs:
                await http.post(f"/fine_tuning/jobs/{jobs[at % len(jobs)]['id']}/{what}")
            case "delete file":
                await http.delete(f"/files/{await upload(sdk, b'{}')}")
            case "delete model" if models:
                await http.delete(f"/models/{models[at % len(models)]}")


async def struck(world: World, fault: str | None) -> None:
    async with world.http() as http:
        await http.delete("/local/faults")
        if fault is not None:
            await http.post("/local/faults", json={"fault": fault})


async def listed(world: World) -> list[httpx2.Response]:
    async with world.http() as http:
        return [await http.get(path) for path in LISTS]


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 9), st.sampled_from(PAUSES)), max_size=14))
def test_a_service_that_remembers_lists_what_one_that_just_started_does(acts: list[tuple[str, int, float]]) -> None:
    """What is done is done by another service. The clock may go back, too."""
    with tempfile.TemporaryDirectory() as folder:
        clock, ids = Clock(), CountingIds()
        old, other = service(folder, clock, ids), service(folder, clock, ids)
        for what, at, seconds in acts:
            fault = {"stale": "stale seconds=2", "retired": "retired model=*"}.get(what)
            asyncio.run(act(other, what, at))
            new = service(folder, clock, ids)
            for world in (old, new):
                asyncio.run(struck(world, fault))
            for before, after in zip(asyncio.run(listed(old)), asyncio.run(listed(new)), strict=True):
                assert (before.status_code, before.json()) == (200, after.json())
            close_app(new.app)
            clock.forward(seconds)
        close_app(old.app)
        close_app(other.app)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 12)), max_size=60))
def test_no_more_is_remembered_than_there_is_room_for_and_nothing_else(kept: list[tuple[int, int]]) -> None:
    memory, lengths = Remembered[int, str](20), dict[int, int]()
    for key, length in kept:
        lengths[key] = lengths.get(key, length)
        memory.keep(key, str(key), characters=lengths[key])
        known = [one for one in range(21) if memory.get(one) is not None]
        assert sum(lengths[one] for one in known) <= 20
        assert all(memory.get(one) == str(one) for one in known)
        assert key in known
    large = Remembered[int, str](20)
    large.keep(1, "x", characters=21)
    assert large.get(1) is None
