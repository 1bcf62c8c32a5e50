"""What the service does by itself: pausing a job, losing a file."""

from __future__ import annotations

import httpx2
import openai
import pytest

from .conftest import World, create_job, rft_rows, upload
from .test_striking import struck_by

pytestmark = pytest.mark.anyio


async def test_a_running_job_is_paused_at_once_and_its_events_say_by_whom(
    world: World, sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient
) -> None:
    job = (await create_job(sdk))["id"]
    world.clock.forward(2.5)
    assert (await struck_by(http, "pause"))["left"] == 0
    assert (await sdk.fine_tuning.jobs.retrieve(job)).status == "pausing"
    world.clock.forward(1)
    assert (await sdk.fine_tuning.jobs.retrieve(job)).status == "paused"
    events = (await sdk.fine_tuning.jobs.list_events(job)).data
    assert [(event.level, event.message) for event in events[:2]] == [
        ("info", "Fine-tuning job paused"),
        ("warn", "The service is pausing the fine-tuning job by itself; resume it to go on"),
    ]
    await sdk.fine_tuning.jobs.resume(job)
    world.clock.forward(30)
    assert (await sdk.fine_tuning.jobs.retrieve(job)).status == "succeeded"


async def test_a_pause_waits_for_a_job_that_can_be_paused(
    world: World, sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient
) -> None:
    assert (await struck_by(http, "pause job=ftjob-*"))["left"] == 1
    jobs = [(await create_job(sdk))["id"] for _ in range(2)]
    assert [(await sdk.fine_tuning.jobs.retrieve(job)).status for job in jobs] == ["validating_files"] * 2
    world.clock.forward(2.5)
    assert [(await sdk.fine_tuning.jobs.retrieve(job)).status for job in jobs] == ["running", "pausing"]
    await struck_by(http, f"pause job={jobs[0]} on=GET */events")
    assert (await sdk.fine_tuning.jobs.retrieve(jobs[0])).status == "running"
    await sdk.fine_tuning.jobs.list_events(jobs[1])
    assert (await sdk.fine_tuning.jobs.retrieve(jobs[0])).status == "pausing"


@pytest.mark.parametrize("named", ["train.jsonl", "*rain*", "file-*"])
async def test_a_file_disappears_by_its_name_or_id(
    sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient, named: str
) -> None:
    kept = await upload(sdk, rft_rows(1), "kept.jsonl")
    gone = await upload(sdk, rft_rows(1))
    assert (await struck_by(http, f"file-gone file={named}"))["struck"] == 1
    assert [file.id async for file in sdk.files.list()] == [kept]
    with pytest.raises(openai.NotFoundError, match="No such File object"):
        await sdk.files.content(gone)


async def test_a_file_can_disappear_just_before_it_is_needed(sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient) -> None:
    await struck_by(http, "file-gone on=POST /v1/fine_tuning/jobs")
    with pytest.raises(openai.BadRequestError, match="no such File object"):
        await create_job(sdk)
