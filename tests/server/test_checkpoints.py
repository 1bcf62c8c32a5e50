"""A pause leaves a checkpoint of the step that it came after, whether that step was validated or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.server.app import close_app
from rftplan.server.lifecycle import Command, Life, Verb, life_at, refusal, snapshots, time_of_command
from rftplan.server.trainer import TrainingRun, Trajectory

from .conftest import TrivialTrainer, World, create_job, raw

PER_STEP = 0.6  # five steps in three seconds


@dataclass
class SparseTrainer(TrivialTrainer):
    """Validates every other step only."""

    def train(self, run: TrainingRun) -> Trajectory:
        all_validated = super().train(run)
        steps = [one if one.number % 2 else replace(one, checkpoint=None, samples=()) for one in all_validated.steps]
        return replace(all_validated, steps=steps)


async def checkpoints(sdk: openai.AsyncOpenAI, job_id: str) -> dict[int, Mapping[str, Any]]:
    listed = raw(await sdk.fine_tuning.jobs.checkpoints.with_raw_response.list(job_id))
    return {one["step_number"]: one for one in listed["data"]}


async def paused_after(world: World, sdk: openai.AsyncOpenAI, steps: int) -> str:
    job_id: str = (await create_job(sdk))["id"]
    world.clock.forward(0.4 + 0.4 + 0.5 + PER_STEP * steps + 0.01)
    await sdk.fine_tuning.jobs.pause(job_id)
    assert steps not in await checkpoints(sdk, job_id) or steps % 2, "it is made when the job has paused"
    world.clock.forward(0.3)
    return job_id


@pytest.mark.anyio
async def test_a_pause_keeps_a_step_that_was_not_validated_with_the_figures_of_training(
    make_world: Callable[..., World],
) -> None:
    world = make_world(trainer=SparseTrainer())
    async with world.sdk() as sdk:
        job_id = await paused_after(world, sdk, 2)
        kept = await checkpoints(sdk, job_id)
        assert list(kept) == [2, 1]
        assert kept[2]["metrics"] == {"step": 2, "train_mean_reward": 0.5}
        assert kept[1]["metrics"] == {"step": 1, "full_valid_mean_reward": 0.1}
        assert kept[2]["created_at"] >= kept[1]["created_at"]

        model = kept[2]["fine_tuned_model_checkpoint"]
        assert model.endswith(":ckpt-step-2")
        assert (await sdk.models.retrieve(model)).id == model
        asked = await sdk.chat.completions.create(model=model, messages=[{"role": "user", "content": "?"}])
        assert asked.choices[0].message.content == "0.5 ?", "it answers from its own step"

        messages = [event.message async for event in sdk.fine_tuning.jobs.list_events(job_id)]
        assert messages[:2] == ["Fine-tuning job paused", "Checkpoint created at step 2"]
        assert messages[2] == "Pausing fine-tuning job"

        await sdk.fine_tuning.jobs.resume(job_id)
        world.clock.forward(100)
        assert list(await checkpoints(sdk, job_id)) == [5, 3, 2, 1], "the best three of 1, 3 and 5, and the snapshot"
        await sdk.models.delete(model)
        assert list(await checkpoints(sdk, job_id)) == [5, 3, 1]


@pytest.mark.anyio
async def test_a_pause_keeps_a_validated_step_that_is_not_among_the_best(make_world: Callable[..., World]) -> None:
    world = make_world(trainer=TrivialTrainer(rewards=(0.1, 0.5, 0.9, 0.6, 0.7)))
    async with world.sdk() as sdk:
        job_id = await paused_after(world, sdk, 1)
        await sdk.fine_tuning.jobs.resume(job_id)
        world.clock.forward(100)
        assert list(await checkpoints(sdk, job_id)) == [5, 4, 3, 1]
        messages = [event.message async for event in sdk.fine_tuning.jobs.list_events(job_id)]
        assert messages.count("Checkpoint created at step 1") == 1


@pytest.mark.anyio
async def test_a_job_that_is_cancelled_before_it_has_paused_leaves_no_snapshot(
    make_world: Callable[..., World],
) -> None:
    world = make_world(trainer=SparseTrainer())
    async with world.sdk() as sdk:
        job_id = (await create_job(sdk))["id"]
        world.clock.forward(0.4 + 0.4 + 0.5 + PER_STEP * 2 + 0.01)
        await sdk.fine_tuning.jobs.pause(job_id)
        await sdk.fine_tuning.jobs.cancel(job_id)
        world.clock.forward(100)
        assert list(await checkpoints(sdk, job_id)) == [1]


@given(
    steps=st.integers(1, 40),
    acts=st.lists(st.tuples(st.integers(0, 4_000_000), st.sampled_from([Verb.PAUSE, Verb.RESUME])), max_size=20),
)
def test_a_snapshot_is_of_the_last_step_that_was_done_and_never_taken_back(
    steps: int, acts: list[tuple[int, Verb]]
) -> None:
    life, now, seen = Life(0, 1.0, steps), 0, list[Any]()
    for wait, verb in acts:
        now += wait
        if refusal(life, verb, now) is None:
            life = replace(life, commands=(*life.commands, Command(time_of_command(life, now), verb)))
        found = snapshots(life, now)
        assert found[: len(seen)] == seen
        assert all(one.step == life_at(life, one.at).steps_done >= 1 for one in found)
        seen = found


def as_before_snapshots(path: Path) -> None:
    """The store as a version wrote it whose pauses kept nothing: only validated steps have a model."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM validations WHERE number IN (SELECT number FROM steps WHERE checkpoint IS NULL)")
        db.execute("DROP TABLE held")
        db.execute("DROP INDEX permissions_of_project")
        db.execute("ALTER TABLE jobs DROP COLUMN pauses_keep")
        db.execute("PRAGMA user_version=6")
        db.commit()


@pytest.mark.anyio
async def test_a_job_of_a_version_whose_pauses_kept_nothing_gets_no_checkpoint_without_a_model(
    make_world: Callable[..., World],
) -> None:
    world = make_world(trainer=SparseTrainer())
    async with world.sdk() as sdk:
        old = await paused_after(world, sdk, 2)
    close_app(world.app)
    as_before_snapshots(world.settings.store)
    later = make_world(trainer=SparseTrainer(), now=world.clock)
    async with later.sdk() as sdk:
        assert list(await checkpoints(sdk, old)) == [1]
        events = [event async for event in sdk.fine_tuning.jobs.list_events(old)]
        assert [event.message for event in events][:2] == ["Fine-tuning job paused", "Pausing fine-tuning job"]
        assert [int(event.id[-8:], 16) for event in events] == list(range(len(events)))[::-1]
        await sdk.fine_tuning.jobs.resume(old)
        later.clock = world.clock
        new = await paused_after(later, sdk, 2)
        assert list(await checkpoints(sdk, old)) == [5, 3, 1]
        assert list(await checkpoints(sdk, new)) == [2, 1]
        for model in [one.id async for one in sdk.models.list() if one.id.startswith("ft:")]:
            await sdk.chat.completions.create(model=model, messages=[{"role": "user", "content": "?"}])
