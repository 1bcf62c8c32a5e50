"""Jobs in the store: a command is allowed by the state under the write lock, not by what the caller last saw."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
import pytest

from rftplan.server.job_store import CommandRefusedError, JobStore
from rftplan.server.lifecycle import Verb
from rftplan.server.store import Store
from rftplan.server.stored_job import StoredJob
from tests.server.conftest import START, World, create_job

MICRO = 1_000_000


@pytest.fixture
async def stored(world: World, sdk: openai.AsyncOpenAI) -> AsyncIterator[tuple[JobStore, StoredJob]]:
    made = await create_job(sdk, metadata={"team": "maths"})
    store = Store(world.settings.store)
    jobs = JobStore(store)
    job = jobs.get(made["id"])
    assert job is not None
    yield jobs, job
    store.close()


@pytest.mark.anyio
async def test_a_job_is_read_as_it_was_made(stored: tuple[JobStore, StoredJob]) -> None:
    jobs, job = stored
    assert job.method == "reinforcement"
    assert job.metadata == {"team": "maths"}
    assert jobs.by_model(job.fine_tuned_model) == job
    assert jobs.all() == [job]
    assert jobs.get("ftjob-nobody") is None


@pytest.mark.anyio
async def test_a_command_stands_in_the_job_and_a_second_cancel_is_refused(stored: tuple[JobStore, StoredJob]) -> None:
    jobs, job = stored
    now = int(START * MICRO) + 10
    cancelled = jobs.command(job, Verb.CANCEL, now)
    assert [command.verb for command in cancelled.life.commands] == [Verb.CANCEL]
    with pytest.raises(CommandRefusedError):
        jobs.command(job, Verb.CANCEL, now + 10)  # `job` is what the caller saw before the first one
    assert jobs.get(job.id) == cancelled


@pytest.mark.anyio
async def test_a_resume_of_what_is_not_paused_is_refused_and_leaves_no_trace(
    stored: tuple[JobStore, StoredJob],
) -> None:
    jobs, job = stored
    with pytest.raises(CommandRefusedError):
        jobs.command(job, Verb.RESUME, int(START * MICRO) + 10)
    assert jobs.get(job.id) == job
