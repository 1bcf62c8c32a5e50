"""A job from its files to its permissions: the real adapter and the real SDK against the local service."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
from msgspec.structs import replace

from rftplan.api.identity import ProviderSettings, identify
from rftplan.api.openai import OpenAIPort, connect
from rftplan.api.pacing import Patience
from rftplan.api.port import GraderRun, JobStatus, RemoteFile, RemoteModel, Upload
from rftplan.api.profiles import Capability, profile
from rftplan.errors import NotFoundError, RejectedError
from rftplan.server.app import close_app, create_app
from rftplan.server.settings import default_settings
from tests.api.wire import ask, no_time

T = TypeVar("T")
LOCAL = profile("local")
SLOT = {"rftplan_address": "acme/dev/job.a", "rftplan_launch": "v1:00:1"}
GRADER: dict[str, Any] = {
    "type": "multi",
    "name": "both",
    "graders": {
        "exact": {
            "type": "string_check",
            "name": "exact",
            "input": "{{sample.output_text}}",
            "reference": "{{item.answer}}",
            "operation": "eq",
        },
        "near": {
            "type": "text_similarity",
            "name": "near",
            "input": "{{sample.output_text}}",
            "reference": "{{item.answer}}",
            "evaluation_metric": "fuzzy_match",
        },
    },
    "calculate_output": "0.5 * exact + 0.5 * near",
}


class World:
    """One local service that outlives its clients, at a time that only the test moves."""

    def __init__(self, root: Path) -> None:
        self.now = 1_790_000_000.0
        self.root = root
        self.app = create_app(default_settings(root / "local.sqlite", "local-key", now=lambda: self.now))

    def ask(self, call: Callable[[OpenAIPort], Awaitable[T]], key: str = "local-key") -> T:
        identity = identify(ProviderSettings("local"), LOCAL)
        transport = httpx2.ASGITransport(app=self.app)
        return ask(connect(identity, LOCAL, key, transport=transport, patience=Patience(no_time, retries=0)), call)

    async def upload(self, port: OpenAIPort, name: str) -> RemoteFile:
        path = self.root / f"{name}.jsonl"
        rows = ({"messages": [{"role": "user", "content": f"{name} {n}"}], "answer": str(n)} for n in range(20))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        upload = Upload(path, f"acme.dev.{name}.jsonl", path.stat().st_size, "fine-tune")
        return await port.upload_file(upload, lambda *_: None)

    async def launch(self, port: OpenAIPort) -> str:
        train, valid = await self.upload(port, "train"), await self.upload(port, "valid")
        job = await port.create_job(
            {
                "model": "o4-mini-2025-04-16",
                "training_file": train.id,
                "validation_file": valid.id,
                "method": {"type": "reinforcement", "reinforcement": {"grader": GRADER}},
                "metadata": SLOT,
                "seed": 7,
            }
        )
        return job.id


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    close_app(world.app)


def test_a_job_lives_from_its_files_to_its_permissions(world: World) -> None:
    async def life(port: OpenAIPort) -> None:
        await port.validate_grader(GRADER)
        job_id = await world.launch(port)
        assert {file.filename for file in await port.list_files("fine-tune")} == {
            "acme.dev.train.jsonl",
            "acme.dev.valid.jsonl",
        }
        (found,) = await port.list_jobs(SLOT)
        assert (found.id, found.metadata, found.seed) == (job_id, SLOT, 7)
        assert found.body["method"]["reinforcement"]["grader"] == GRADER  # type: ignore[index, call-overload]
        assert not found.status.ended
        world.now += 3_600
        job = await port.get_job(job_id)
        assert job.status is JobStatus.SUCCEEDED
        assert job.simulation is not None
        assert job.error is None
        checkpoints = await port.list_checkpoints(job_id)
        assert [c.step for c in checkpoints] == sorted((c.step for c in checkpoints), reverse=True)
        assert all(0 <= c.metrics["valid_reward_mean"] <= 1 for c in checkpoints)
        events = await port.list_events(job_id)
        assert [e.created_at for e in events] == sorted((e.created_at for e in events), reverse=True)
        assert [e.id for e in await port.list_events(job_id, limit=3)] == [e.id for e in events[:3]]
        granted = await port.grant_permission(checkpoints[0].model, "proj_1")
        assert [p.id for p in await port.list_permissions(checkpoints[0].model)] == [granted.id]
        await port.revoke_permission(checkpoints[0].model, granted.id)
        assert await port.list_permissions(checkpoints[0].model) == []

    world.ask(life)


def test_what_a_step_was_validated_with_is_shown_row_by_row(world: World) -> None:
    async def look(port: OpenAIPort) -> None:
        job_id = await world.launch(port)
        with pytest.raises(NotFoundError):
            await port.list_samples(job_id, 1)
        world.now += 3_600
        (last, *_) = await port.list_checkpoints(job_id)
        rows = await port.list_samples(job_id, last.step)
        assert [row.row for row in rows] == list(range(len(rows)))
        answers = [answer for row in rows for answer in row.answers]
        mean = sum(answer.scored.reward or 0.0 for answer in answers) / len(answers)
        assert mean == pytest.approx(last.metrics["valid_reward_mean"])
        for row in rows:
            assert row.step == last.step and row.simulation is not None
            assert row.messages[-1]["role"] == "user"
            rights = [answer for answer in row.answers if answer.kind == "right"]
            assert all(answer.text == row.item["answer"] for answer in rights)
            assert all(answer.scored.reward == 1.0 and answer.grader["sub_rewards"] for answer in rights)
        with pytest.raises(NotFoundError):
            await port.list_samples(job_id, last.step + 1)

    world.ask(look)


def test_a_service_that_shows_no_samples_is_not_asked(world: World) -> None:
    identity = identify(ProviderSettings("local"), LOCAL)
    without = replace(LOCAL, capabilities=LOCAL.capabilities - {Capability.SAMPLES})
    port = connect(identity, without, "local-key", transport=httpx2.ASGITransport(app=world.app))

    async def refused(port: OpenAIPort) -> int:
        with pytest.raises(RejectedError, match="provider local shows none"):
            await port.list_samples("ftjob-1", 3)
        return port.requests

    assert ask(port, refused) == 0


def test_a_job_is_paused_resumed_and_cancelled(world: World) -> None:
    async def life(port: OpenAIPort) -> None:
        job_id = await world.launch(port)
        while (await port.get_job(job_id)).status is not JobStatus.RUNNING or not await _stepped(port, job_id):
            assert not (await port.get_job(job_id)).status.ended
            world.now += 0.1
        assert (await port.pause_job(job_id)).status in (JobStatus.PAUSING, JobStatus.PAUSED)
        world.now += 10
        assert (await port.get_job(job_id)).status is JobStatus.PAUSED
        assert not (await port.resume_job(job_id)).status.ended
        assert (await port.cancel_job(job_id)).status is JobStatus.CANCELLED
        with pytest.raises(RejectedError) as caught:
            await port.resume_job(job_id)
        assert caught.value.status == 400

    world.ask(life)


async def _stepped(port: OpenAIPort, job_id: str) -> bool:
    return any(event.type == "metrics" for event in await port.list_events(job_id))


def test_what_is_not_there_is_not_found(world: World) -> None:
    async def look(port: OpenAIPort) -> None:
        with pytest.raises(NotFoundError, match="ftjob-gone"):
            await port.get_job("ftjob-gone")
        with pytest.raises(NotFoundError, match="file-gone"):
            await port.delete_file("file-gone")
        with pytest.raises(NotFoundError, match="ft:gone"):
            await port.delete_model("ft:gone")

    world.ask(look)


def test_a_wrong_key_is_refused_with_its_variable(world: World) -> None:
    with pytest.raises(RejectedError, match="Incorrect API key") as caught:
        world.ask(lambda port: port.list_jobs(), key="sk-wrong-key")
    assert caught.value.hint is not None
    assert "RFTPLAN_LOCAL_KEY" in caught.value.hint
    assert "sk-wrong-key" not in str(caught.value)


def test_a_grader_that_the_service_refuses_says_why(world: World) -> None:
    with pytest.raises(RejectedError) as caught:
        world.ask(lambda port: port.validate_grader({**GRADER, "graders": [GRADER]}))
    assert caught.value.status == 400


def test_more_jobs_than_a_page_are_all_listed(world: World) -> None:
    async def many(port: OpenAIPort) -> None:
        first = await port.get_job(await world.launch(port))
        for seed in range(104):
            await port.create_job(
                {
                    "model": first.model,
                    "training_file": first.training_file,
                    "validation_file": first.validation_file,
                    "method": {"type": "reinforcement", "reinforcement": {"grader": GRADER}},
                    "seed": seed,
                }
            )
        assert len({job.id for job in await port.list_jobs()}) == 105
        assert [job.id for job in await port.list_jobs(SLOT)] == [first.id]

    world.ask(many)


def test_a_grader_is_run_on_one_answer(world: World) -> None:
    async def graded(port: OpenAIPort) -> list[GraderRun]:
        item = {"answer": "four"}
        return [await port.run_grader(GRADER, model_sample=text, item=item) for text in ("four", "five")]

    right, wrong = world.ask(graded)
    assert (right.reward, right.errors) == (1.0, {})
    assert wrong.reward is not None and wrong.reward < 1


def test_a_grader_that_fails_is_a_run_with_its_flags(world: World) -> None:
    run = world.ask(lambda port: port.run_grader(GRADER, model_sample="four", item={}))
    assert run.reward == 0
    assert list(run.errors) == ["invalid_variable_error"]
    assert "answer" in run.errors["invalid_variable_error"]


def test_models_are_listed_and_looked_up(world: World) -> None:
    assert RemoteModel("o4-mini-2025-04-16") in world.ask(lambda port: port.list_models())
    assert world.ask(lambda port: port.get_model("gpt-4o-2024-08-06")) == RemoteModel("gpt-4o-2024-08-06")
    with pytest.raises(NotFoundError, match="does not exist"):
        world.ask(lambda port: port.get_model("ft:o4-mini-2025-04-16:local::abc:ckpt-step-3"))
