"""The seam: a trainer is called once a job, never on a read, and nothing but what it says of itself is known of it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rftplan.grading import StandInJudge
from rftplan.server.app import create_app
from rftplan.server.settings import Settings
from tests.server.conftest import KEY, TrivialTrainer, World, create_job, raw
from tests.server.inference import VALID, simulating, train

SOURCES = Path(__file__).parents[2] / "rftplan"
PROCESSES, EACH = 2, 3


async def everything(world: World, job: str, model: str) -> dict[str, Any]:
    """What each route that reads says of a job that has ended, by its path."""
    routes = [route.path for route in world.app.routes if "GET" in (getattr(route, "methods", None) or ())]
    paths = [path.replace("{job_id}", job).replace("{model:path}", model).removeprefix("/v1/") for path in routes]
    said = {}
    async with world.http() as http:
        files = (await http.get("files")).json()["data"]
        for path in paths:
            path = path.replace("{file_id}", files[0]["id"]).replace("{checkpoint}", model)
            reply = await http.get(path, params={"step": "2"} if path.endswith("samples") else {})
            said[path] = reply.text if path.endswith("content") else reply.json()
    return said


@pytest.mark.anyio
async def test_reading_never_trains(make_world: Callable[..., World]) -> None:
    """Every route that reads, again and again, while it runs, when it has ended, and by a service started again."""
    world = make_world()
    async with world.sdk() as sdk:
        job = await create_job(sdk)
        for _ in range(4):
            world.clock.forward(1.5)
            model = (await sdk.fine_tuning.jobs.retrieve(job["id"])).fine_tuned_model
            said = await everything(world, job["id"], model or "o4-mini")
            assert len(said) >= 10
        assert model is not None
        await sdk.chat.completions.create(model=model, messages=[{"role": "user", "content": "?"}])
        await sdk.responses.create(model=model, input="?")
    assert len(world.trainer.runs) == 1
    later = make_world(now=world.clock)
    await everything(later, job["id"], model)
    assert later.trainer.runs == []


@pytest.mark.anyio
async def test_whatever_a_service_says_of_training_says_that_it_is_simulated(make_world: Callable[..., World]) -> None:
    async with simulating(make_world) as (world, sdk):
        trained = await train(world, sdk)
        said = await everything(world, trained.job_id, trained.model)
        asked: dict[str, Any] = {"model": trained.model, "messages": VALID[0]["messages"]}
        chat = raw(await sdk.chat.completions.with_raw_response.create(**asked))
        reply = raw(await sdk.responses.with_raw_response.create(model=trained.model, input=VALID[0]["messages"]))
    jobs = [path for path in said if path.startswith("fine_tuning/jobs")]
    assert {path.rpartition("/")[2] for path in jobs} == {"jobs", trained.job_id, "events", "checkpoints", "samples"}
    objects = [chat, reply, said[f"fine_tuning/jobs/{trained.job_id}"]]
    for path in jobs:
        if not path.endswith("events"):
            objects += said[path].get("data", [])
    assert all(one["simulation"]["trainer"] == "simulation" for one in objects)
    events = said[f"fine_tuning/jobs/{trained.job_id}/events"]["data"]
    steps = [event for event in events if event["type"] == "metrics"]
    assert steps and all(event["message"].startswith("[SIMULATED] ") for event in steps)
    assert all(event["data"]["simulation"]["trainer"] == "simulation" for event in steps)


def test_one_place_names_the_trainer_that_simulates() -> None:
    """The product's own is a default of the settings; the rest of the service would not notice another one."""
    naming = [path for path in SOURCES.rglob("*.py") if "server.simulate" in path.read_text()]
    assert [path.relative_to(SOURCES).as_posix() for path in naming] == ["server/settings.py"]


class WritingTrainer(TrivialTrainer):
    """Writes a line for every run, so that processes can be counted together."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def train(self, run: Any) -> Any:
        with self._path.open("a") as lines:
            lines.write(f"{run.job_id}\n")
        return super().train(run)


def jobs_made(folder: Path) -> list[str]:
    """Create some jobs in the store of this folder, and read all of them."""
    settings = Settings(
        store=folder / "service.sqlite", key=KEY, trainer=WritingTrainer(folder / "runs"), judge=StandInJudge()
    )
    world = World(settings, None, None, create_app(settings))  # type: ignore[arg-type]

    async def life() -> list[str]:
        async with world.sdk() as sdk:
            made = [(await create_job(sdk))["id"] for _ in range(EACH)]
            for job in (await sdk.fine_tuning.jobs.list()).data:
                await sdk.fine_tuning.jobs.list_events(job.id)
                await sdk.fine_tuning.jobs.checkpoints.list(job.id)
            return made

    return asyncio.run(life())


def test_two_processes_on_one_store_compute_each_trajectory_once(tmp_path: Path) -> None:
    code = (
        "import json, sys; from pathlib import Path; from tests.server.test_trainer import jobs_made;"
        " print(json.dumps(jobs_made(Path(sys.argv[1]))))"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=SOURCES.parent
        )
        for _ in range(PROCESSES)
    ]
    made = [job for process in running for job in json.loads(process.communicate()[0])]
    assert len(set(made)) == PROCESSES * EACH
    assert sorted((tmp_path / "runs").read_text().split()) == sorted(made)
