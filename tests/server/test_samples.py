"""What was sampled to validate a step: revealed by the clock, in pages, the same as the metrics say."""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import fmean
from typing import Any

import httpx2
import openai
import pytest

from .conftest import World, create_job
from .inference import VALID, simulating, train

pytestmark = pytest.mark.anyio


async def listed(http: httpx2.AsyncClient, job_id: str, **query: Any) -> dict[str, Any]:
    reply = await http.get(f"/fine_tuning/jobs/{job_id}/samples", params=query)
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = reply.json()
    return body


async def test_every_validated_step_shows_what_its_figures_come_from(make_world: Callable[..., World]) -> None:
    async with simulating(make_world) as (world, sdk), world.http() as http:
        job_id = (await train(world, sdk)).job_id
        events = [event async for event in sdk.fine_tuning.jobs.list_events(job_id, limit=1_000)]
        metrics: list[Any] = [event.data for event in events if event.type == "metrics"]
        validated = [one for one in metrics if one["full_valid_mean_reward"] is not None]
        assert len(validated) >= 5
        for one in validated:
            rows = (await listed(http, job_id, step=one["step"]))["data"]
            assert [row["row"] for row in rows] == list(range(len(VALID)))
            assert [len(row["samples"]) for row in rows] == [3] * len(VALID)
            rewards = [sample["reward"] for row in rows for sample in row["samples"]]
            assert fmean(rewards) == pytest.approx(one["full_valid_mean_reward"])


async def test_a_row_has_its_prompt_its_item_and_the_graders_whole_replies(make_world: Callable[..., World]) -> None:
    async with simulating(make_world) as (world, sdk), world.http() as http:
        job_id = (await train(world, sdk)).job_id
        (checkpoint, *_) = (await sdk.fine_tuning.jobs.checkpoints.list(job_id)).data
        row = (await listed(http, job_id, step=checkpoint.step_number, limit=1))["data"][0]
    assert {key: row[key] for key in ("object", "fine_tuning_job_id", "step_number", "row", "messages", "item")} == {
        "object": "fine_tuning.job.sample",
        "fine_tuning_job_id": job_id,
        "step_number": checkpoint.step_number,
        "row": 0,
        "messages": VALID[0]["messages"],
        "item": {key: value for key, value in VALID[0].items() if key != "messages"},
    }
    assert row["simulation"]["trainer"] == "simulation"
    for sample in row["samples"]:
        assert sample["grader"]["reward"] == sample["reward"]
        assert set(sample["grader"]["sub_rewards"]) == {"compliant", "explanation"}
        assert set(sample["grader"]["metadata"]) >= {"name", "type", "errors", "execution_time"}
        assert sample["output_tools"] == []
        if sample["kind"] == "right":
            assert json.loads(sample["output_text"]) == row["item"]


async def test_pages_follow_one_another_without_gap(make_world: Callable[..., World]) -> None:
    async with simulating(make_world) as (world, sdk), world.http() as http:
        job_id = (await train(world, sdk)).job_id
        step = (await sdk.fine_tuning.jobs.checkpoints.list(job_id)).data[0].step_number
        whole = await listed(http, job_id, step=step)
        assert (whole["has_more"], whole["first_id"], whole["last_id"]) == (
            False, whole["data"][0]["id"], whole["data"][-1]["id"],
        )  # fmt: skip
        paged, after = [], {}
        while True:
            page = await listed(http, job_id, step=step, limit=3, **after)
            paged += page["data"]
            if not page["has_more"]:
                break
            after = {"after": page["last_id"]}
        assert paged == whole["data"]


async def test_the_clock_reveals_samples_step_by_step(world: World, sdk: openai.AsyncOpenAI) -> None:
    """With a trainer of the tests' own, which validates at each step with one sample a row."""
    job_id = (await create_job(sdk))["id"]
    async with world.http() as http:

        async def seen() -> list[int]:
            replies = [await http.get(f"/fine_tuning/jobs/{job_id}/samples?step={step}") for step in range(1, 7)]
            assert {reply.status_code for reply in replies} <= {200, 404}
            assert all(reply.json()["error"]["code"] == "samples_not_found" for reply in replies if reply.is_error)
            return [step for step, reply in enumerate(replies, start=1) if reply.is_success]

        assert await seen() == []
        world.clock.forward(0.8 + 0.5 + 1.3)
        assert await seen() == [1, 2]
        await sdk.fine_tuning.jobs.cancel(job_id)
        world.clock.forward(100)
        assert await seen() == [1, 2]
        row = (await listed(http, job_id, step=1))["data"][3]
        assert (row["item"], [sample["output_text"] for sample in row["samples"]]) == ({"answer": "yes"}, ["yes"])


async def test_a_deleted_validation_file_is_still_shown_and_a_lost_one_is_said_to_be(
    world: World, sdk: openai.AsyncOpenAI
) -> None:
    job = await create_job(sdk)
    world.clock.forward(100)
    await sdk.files.delete(job["validation_file"])
    async with world.http() as http:
        assert len((await listed(http, job["id"], step=1))["data"]) == 4
        (world.settings.store.with_name("service.sqlite-files") / job["validation_file"]).unlink()
        reply = await http.get(f"/fine_tuning/jobs/{job['id']}/samples?step=1")
        assert (reply.status_code, reply.json()["error"]["param"]) == (400, "step")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("", "step"),
        ("step=x", "step"),
        ("step=0", "step"),
        ("step=1&limit=101", "limit"),
        ("step=1&after=ftsample-1", "after"),
        ("step=1&order=asc", "order"),
    ],
)
async def test_a_wrong_query_is_refused(world: World, sdk: openai.AsyncOpenAI, query: str, param: str) -> None:
    job_id = (await create_job(sdk))["id"]
    world.clock.forward(100)
    async with world.http() as http:
        reply = await http.get(f"/fine_tuning/jobs/{job_id}/samples?{query}")
        assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)
        assert (await http.get("/fine_tuning/jobs/ftjob-nobody/samples?step=1")).status_code == 404
