"""Every operation is fuzzed from its schema: nothing fails inside, nothing is answered outside of the contract.

Schemathesis makes the requests, right ones and wrong ones; tests/contract/plugin.py judges what is answered. Each
example has the same store to itself, in which there is one of everything, a job in every state. More of it, with
another seed: `RFTPLAN_FUZZ=1000 pytest tests/contract/test_fuzz.py --hypothesis-seed 7`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from starlette.applications import Starlette
from starlette.testclient import TestClient

from rftplan.grading import StandInJudge
from rftplan.server.app import close_app, create_app
from rftplan.server.settings import Settings
from rftplan.server.simulate import SimulatingTrainer
from rftplan.server.trainer import Trainer
from tests.contract.document import BASE, own_document
from tests.contract.watching import Watch
from tests.server.conftest import KEY, Clock, CountingIds, TrivialTrainer, World, create_job, upload

MORE = "RFTPLAN_FUZZ"
EXAMPLES = int(os.environ.get(MORE, "8"))
OPERATIONS = {
    found.ok().definition.raw["operationId"]: found.ok()
    for found in schemathesis.openapi.from_dict(dict(own_document())).get_all_operations()
}
STRANGE_MODELS = ("ft:", "ft:a:ckpt-step-0", "ft:a:ckpt-step-" + "9" * 5_000, "ft:a:ckpt-step-\u0663")


@dataclass(frozen=True)
class Template:
    """A store to start every example from, and what is in it by the names that paths and queries have for it."""

    folder: Path
    time: float
    known: Mapping[str, tuple[str, ...]]

    def app(self, folder: Path, trainer: Trainer) -> Starlette:
        shutil.copytree(self.folder, folder)
        return create_app(_settings(folder, Clock(self.time), CountingIds(iter(range(1_000, 10_000))), trainer))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder = tmp_path_factory.mktemp("template")
    clock = Clock()
    app = create_app(_settings(folder, clock, CountingIds(), SimulatingTrainer()))
    try:
        known = asyncio.run(_fill(app, clock))
    finally:
        close_app(app)
    return Template(folder, clock.time, known)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", list(OPERATIONS))
def test_whatever_is_sent_the_answer_is_within_the_contract(
    template: Template, contract_watch: Watch, tmp_path: Path, name: str, mode: GenerationMode
) -> None:
    operation = OPERATIONS[name]
    # How long a job of any hyperparameters takes to simulate is no question of its contract.
    trainer = TrivialTrainer() if name == "createJob" else SimulatingTrainer()

    @settings(
        max_examples=EXAMPLES,
        derandomize=MORE not in os.environ,
        database=None,
        # A failure is said with the request that showed it; to find a smaller one can take many minutes.
        phases=[Phase.generate, *([Phase.shrink] if MORE in os.environ else [])],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data(), operation.as_strategy(generation_mode=mode))
    def holds(data: st.DataObject, case: Any) -> None:
        _make_known(case, template, data)
        folder = tmp_path / "one"
        app = template.app(folder, trainer)
        try:
            reply = case.call(app=app, base_url=f"http://local{BASE}", headers={"authorization": f"Bearer {KEY}"})
            assert reply.status_code < 500, reply.text
            assert contract_watch.take() == []
        finally:
            close_app(app)
            shutil.rmtree(folder)

    holds()


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_a_query_parameter_that_is_nowhere_is_refused_everywhere(template: Template, tmp_path: Path, name: str) -> None:
    operation = OPERATIONS[name]
    path = {key: names[0] for key, names in template.known.items() if f"{{{key}}}" in operation.path}
    app = template.app(tmp_path / "one", TrivialTrainer())
    try:
        reply = TestClient(app, f"http://local{BASE}").request(
            operation.method.upper(),
            operation.path.format(**path).removeprefix("/"),
            params={"surprise": "1"},
            headers={"authorization": f"Bearer {KEY}"},
        )
    finally:
        close_app(app)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "surprise")


def _make_known(case: Any, template: Template, data: st.DataObject) -> None:
    """Most of what names something names what is there: a made-up id would only ever be 404."""
    for values in (case.path_parameters, case.query, case.body):
        if isinstance(values, dict):
            for key in values:
                if (names := template.known.get(key)) and data.draw(st.integers(0, 9)):
                    values[key] = data.draw(st.sampled_from(names))
                elif key == "model" and data.draw(st.booleans()):
                    values[key] = data.draw(st.sampled_from(STRANGE_MODELS))
    part_ids = template.known["part_ids"]
    if isinstance(case.body, dict) and "part_ids" in case.body and data.draw(st.booleans()):
        case.body["part_ids"] = list(part_ids)


def _settings(folder: Path, clock: Clock, ids: CountingIds, trainer: Trainer) -> Settings:
    return Settings(
        store=folder / "service.sqlite",
        key=KEY,
        trainer=trainer,
        judge=StandInJudge(),
        now=clock,
        new_id=ids,
        largest_part=2**16,
    )


async def _fill(app: Starlette, clock: Clock) -> dict[str, tuple[str, ...]]:
    """One of everything; the youngest job is still in its queue."""
    world = World(None, clock, TrivialTrainer(), app)  # type: ignore[arg-type]
    async with world.sdk() as sdk:
        succeeded = await create_job(sdk, suffix="done", metadata={"a": "b"})
        failed = await create_job(sdk, training_file=await upload(sdk, b"no json\n"))
        paused = await create_job(sdk)
        clock.forward(2)
        await sdk.fine_tuning.jobs.pause(paused["id"])
        cancelled = await create_job(sdk)
        await sdk.fine_tuning.jobs.cancel(cancelled["id"])
        clock.forward(20)
        running = await create_job(sdk)
        clock.forward(2)
        queued = await create_job(sdk)
        jobs = [succeeded, failed, paused, cancelled, running, queued]
        model = (await sdk.fine_tuning.jobs.retrieve(succeeded["id"])).fine_tuned_model
        assert model is not None
        checkpoints = (await sdk.fine_tuning.jobs.checkpoints.list(succeeded["id"])).data
        granted = await sdk.fine_tuning.checkpoints.permissions.create(model, project_ids=["proj_1"])
        pending = await sdk.uploads.create(filename="a.jsonl", purpose="fine-tune", bytes=4, mime_type="text/jsonl")
        parts = [(await sdk.uploads.parts.create(pending.id, data=b"{}")).id for _ in range(2)]
        files = [file.id for file in (await sdk.files.list()).data]
        events = (await sdk.fine_tuning.jobs.list_events(succeeded["id"])).data
    return {
        "file_id": tuple(files),
        "training_file": tuple(files),
        "validation_file": tuple(files),
        "upload_id": (pending.id,),
        "part_ids": tuple(parts),
        "job_id": tuple(job["id"] for job in jobs),
        "step": tuple(str(checkpoint.step_number) for checkpoint in checkpoints),
        "model": (model, checkpoints[-1].fine_tuned_model_checkpoint, "o4-mini", "gpt-4.1-mini"),
        "fault_id": ("fault_1",),
        "permission_id": tuple(one.id for one in granted.data),
        "after": (files[0], jobs[0]["id"], events[0].id, checkpoints[0].id, granted.data[0].id),
    }
