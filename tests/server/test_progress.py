"""Events and checkpoints, as the clock reveals them."""

from __future__ import annotations

from typing import Any

import httpx2
import openai
import pytest

from rftplan.server.trainer import TrainingFailedError

from .conftest import World, create_job, jsonl, raw, upload

pytestmark = pytest.mark.anyio


async def messages(sdk: openai.AsyncOpenAI, job_id: str, **query: Any) -> list[str]:
    """Oldest first, however small the pages."""
    return [event.message async for event in sdk.fine_tuning.jobs.list_events(job_id, **query)][::-1]


async def test_the_events_of_a_whole_life(world: World, sdk: openai.AsyncOpenAI) -> None:
    world.trainer.rewards = (0.1, 0.2)
    world.trainer.notes = ("A note about the run.",)
    job = await create_job(sdk)
    world.clock.forward(10)
    model = (await sdk.fine_tuning.jobs.retrieve(job["id"])).fine_tuned_model
    assert await messages(sdk, job["id"], limit=3) == [
        "Created fine-tuning job",
        "SIMULATED: no model is trained, the trainer is 'trivial'",
        f"Validating training file: {job['training_file']} and validation file: {job['validation_file']}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
        "A note about the run.",
        "Step 1/2",
        "Checkpoint created at step 1",
        "Step 2/2",
        "Checkpoint created at step 2",
        f"New fine-tuned model created: {model}",
        "Fine tuning job successfully completed",
    ]


async def test_a_step_is_an_event_of_metrics(world: World, sdk: openai.AsyncOpenAI) -> None:
    job = await create_job(sdk)
    world.clock.forward(10)
    events = [event async for event in sdk.fine_tuning.jobs.list_events(job["id"])]
    metrics = [event for event in events if event.type == "metrics"]
    assert [event.data for event in metrics][-1] == {"step": 1, "train_mean_reward": 0.1}
    others = [event for event in events if event.type == "message"]
    assert all(event.data == {"simulation": {"trainer": "trivial"}} for event in others), "whatever the text says"
    assert {event.level for event in others} == {"info", "warn"}


async def test_the_events_of_a_pause_a_cancel_and_a_failure(world: World, sdk: openai.AsyncOpenAI) -> None:
    jobs = sdk.fine_tuning.jobs
    job_id = (await create_job(sdk))["id"]
    world.clock.forward(2)
    await jobs.pause(job_id)
    world.clock.forward(2)
    await jobs.resume(job_id)
    world.clock.forward(0.5)
    await jobs.cancel(job_id)
    assert (await messages(sdk, job_id))[-5:] == [
        "Pausing fine-tuning job",
        "Fine-tuning job paused",
        "Fine-tuning job resumed, moving job to queued state",
        "Fine-tuning job continues",
        "Fine-tuning job cancelled",
    ]
    world.trainer.failure = TrainingFailedError("It went wrong.", code="x")
    failing = (await create_job(sdk))["id"]
    world.clock.forward(10)
    assert (await messages(sdk, failing))[-1] == "It went wrong."
    last = (await jobs.list_events(failing, limit=1)).data[0]
    assert last.level == "error"


async def test_events_keep_their_ids_while_more_come(world: World, sdk: openai.AsyncOpenAI) -> None:
    job_id = (await create_job(sdk))["id"]
    seen: dict[str, str] = {}
    for _ in range(8):
        world.clock.forward(0.7)
        events = [event async for event in sdk.fine_tuning.jobs.list_events(job_id, limit=7)]
        now = {event.id: event.message for event in events}
        assert seen.items() <= now.items()
        assert len(now) == len(events)
        seen = now


async def test_pages_of_events_are_twenty_newest_first(world: World, sdk: openai.AsyncOpenAI) -> None:
    world.trainer.rewards = (0.5,) * 30
    job_id = (await create_job(sdk))["id"]
    world.clock.forward(100)
    page = await sdk.fine_tuning.jobs.list_events(job_id)
    assert (len(page.data), page.has_more) == (20, True)
    assert page.data[0].message == "Fine tuning job successfully completed"
    everything = [event.id async for event in page]
    assert len(everything) == len(set(everything)) == 4 + 1 + 60 + 2


@pytest.mark.parametrize("after", ["ftevent-nope", "ftevent-00000000000000000000ffff", "ftckpt_nope"])
@pytest.mark.parametrize("what", ["events", "checkpoints"])
async def test_an_unknown_cursor_is_refused(
    sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient, what: str, after: str
) -> None:
    job_id = (await create_job(sdk))["id"]
    reply = await http.get(f"/fine_tuning/jobs/{job_id}/{what}?after={after}")
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "after")


async def steps(sdk: openai.AsyncOpenAI, job_id: str) -> list[int]:
    return [one.step_number async for one in sdk.fine_tuning.jobs.checkpoints.list(job_id, limit=2)]


async def test_the_best_three_checkpoints_and_the_final_one_are_kept(world: World, sdk: openai.AsyncOpenAI) -> None:
    world.trainer.rewards = (0.7, 0.9, 0.8, 0.5, 0.7, 0.1)
    job_id = (await create_job(sdk))["id"]
    assert await steps(sdk, job_id) == []
    world.clock.forward(0.8 + 0.5 + 2.0)
    assert await steps(sdk, job_id) == [3, 2, 1]
    world.clock.forward(10)
    assert await steps(sdk, job_id) == [6, 5, 3, 2]


async def test_a_checkpoint_names_its_model_and_the_final_one_is_the_jobs(
    world: World, sdk: openai.AsyncOpenAI
) -> None:
    job_id = (await create_job(sdk))["id"]
    world.clock.forward(10)
    model = (await sdk.fine_tuning.jobs.retrieve(job_id)).fine_tuned_model
    reply = raw(await sdk.fine_tuning.jobs.checkpoints.with_raw_response.list(job_id))
    assert [one["fine_tuned_model_checkpoint"] for one in reply["data"]] == [
        model,
        f"{model}:ckpt-step-3",
        f"{model}:ckpt-step-2",
    ]
    assert reply["data"][0] == {
        "object": "fine_tuning.job.checkpoint",
        "id": reply["first_id"],
        "created_at": reply["data"][0]["created_at"],
        "fine_tuned_model_checkpoint": model,
        "fine_tuning_job_id": job_id,
        "metrics": {"step": 5, "full_valid_mean_reward": 0.6},
        "step_number": 5,
        "simulation": {"trainer": "trivial", "judge": None},
    }
    assert (reply["has_more"], reply["last_id"]) == (False, reply["data"][-1]["id"])


async def test_a_cancelled_job_keeps_what_it_had(world: World, sdk: openai.AsyncOpenAI) -> None:
    job_id = (await create_job(sdk))["id"]
    world.clock.forward(0.8 + 0.5 + 1.3)
    await sdk.fine_tuning.jobs.cancel(job_id)
    world.clock.forward(100)
    assert await steps(sdk, job_id) == [2, 1]


async def test_other_methods_keep_the_last_three(world: World, sdk: openai.AsyncOpenAI) -> None:
    row = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    training_file = await upload(sdk, jsonl(*[row] * 10))
    job = await sdk.fine_tuning.jobs.create(model="gpt-4o", training_file=training_file)
    world.clock.forward(10)
    assert await steps(sdk, job.id) == [5, 4, 3]
