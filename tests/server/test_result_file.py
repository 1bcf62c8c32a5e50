"""The file of figures that a job leaves: it is there when the job has succeeded, and in every list of files."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftplan.server.result_file import FILENAME, RESULTS, result_csv
from rftplan.server.trainer import Step

from .conftest import START, Clock, World, create_job, jsonl, upload

FIGURES = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
NESTED = st.lists(st.integers(), max_size=2) | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
METRICS = st.dictionaries(st.sampled_from(["train_loss", "valid_loss", "usage", 'odd, "name"\n']), FIGURES | NESTED)


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


@given(st.lists(METRICS, max_size=6))
def test_every_figure_of_every_step_stands_under_its_name(steps: Sequence[Mapping[str, Any]]) -> None:
    content = result_csv(
        [Step(n, "", {"step": n, "total_steps": 9, **metrics}, None) for n, metrics in enumerate(steps, start=1)],
        trainer="simulation",
    )
    for number, (line, metrics) in enumerate(zip(read(content), steps, strict=True), start=1):
        assert (line.pop("step"), line.pop("simulation")) == (str(number), "simulation")
        figures = {name: value for name, value in metrics.items() if isinstance(value, int | float)}
        assert {name: float(text) for name, text in line.items() if text} == figures


def test_a_trained_model_needs_no_word_about_simulation() -> None:
    assert result_csv([Step(1, "", {"step": 1, "train_loss": 0.5}, None)], trainer=None) == b"step,train_loss\n1,0.5\n"


@pytest.mark.anyio
async def test_a_succeeded_job_leaves_its_figures(world: World, sdk: openai.AsyncOpenAI) -> None:
    job = await create_job(sdk)
    assert [file.purpose async for file in sdk.files.list()] == ["fine-tune", "fine-tune"]
    world.clock.forward(100)
    done = await sdk.fine_tuning.jobs.retrieve(job["id"])
    (result,) = [file async for file in sdk.files.list(purpose=RESULTS)]
    assert [result.id] == done.result_files
    assert (result.filename, result.purpose, result.created_at) == (FILENAME, RESULTS, done.finished_at)
    assert await sdk.files.retrieve(result.id) == result
    content = (await sdk.files.content(result.id)).content
    assert len(content) == result.bytes
    assert [line["train_mean_reward"] for line in read(content)] == ["0.1", "0.5", "0.9", "0.4", "0.6"]
    assert {line["simulation"] for line in read(content)} == {"trivial"}

    await sdk.files.delete(result.id)
    assert [file async for file in sdk.files.list(purpose=RESULTS)] == []
    with pytest.raises(openai.NotFoundError):
        await sdk.files.content(result.id)
    assert (await sdk.fine_tuning.jobs.retrieve(job["id"])).result_files == [result.id], "as the job is never changed"


@pytest.mark.anyio
async def test_who_has_not_succeeded_leaves_nothing(world: World, sdk: openai.AsyncOpenAI) -> None:
    paused, cancelled = await create_job(sdk), await create_job(sdk)
    failed = await create_job(sdk, training_file=await upload(sdk, b"not JSON\n"))
    world.clock.forward(3)
    await sdk.fine_tuning.jobs.pause(paused["id"])
    await sdk.fine_tuning.jobs.cancel(cancelled["id"])
    world.clock.forward(1_000)
    for job in (paused, cancelled, failed):
        assert (await sdk.fine_tuning.jobs.retrieve(job["id"])).result_files == []
    assert [file async for file in sdk.files.list(purpose=RESULTS)] == []
    await sdk.fine_tuning.jobs.resume(paused["id"])
    assert [file async for file in sdk.files.list(purpose=RESULTS)] == []
    world.clock.forward(1_000)
    (result,) = [file async for file in sdk.files.list(purpose=RESULTS)]
    done = await sdk.fine_tuning.jobs.retrieve(paused["id"])
    assert (done.result_files, done.finished_at) == ([result.id], result.created_at)
    left = {path.name for path in world.settings.store.with_name("service.sqlite-files").glob("file-*")}
    assert left == {file.id async for file in sdk.files.list()}, "and a cancelled job leaves no bytes either"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(
    acts=st.lists(st.sampled_from(["job", "upload", "page", "pause", "resume", "back", "wait", "delete"]), max_size=25)
)
@pytest.mark.anyio
async def test_who_pages_through_files_while_jobs_end_misses_none_and_sees_none_twice(
    make_world: Callable[..., World], acts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Oldest first, so that what appears while somebody pages comes at the end."""
    clock = Clock()
    world = make_world(store=tmp_path_factory.mktemp("store") / "service.sqlite", now=clock)
    async with world.sdk() as sdk:
        train = await upload(sdk, jsonl({"messages": [{"role": "user", "content": "?"}], "answer": "yes"}))
        jobs: list[str] = []
        seen: list[str] = []
        deleted: set[str] = set()
        async for _ in _acted(sdk, clock, acts, train, jobs, seen, deleted):
            clock.forward(0.3)
        clock.time = max(clock.time, START) + 1_000
        seen += [file.id async for file in sdk.files.list(order="asc", after=seen[-1] if seen else openai.omit)]
        there = [file.id async for file in sdk.files.list(order="asc")]
        assert [one for one in seen if one not in deleted] == there
        assert len(set(seen)) == len(seen)
        assert there[::-1] == [file.id async for file in sdk.files.list(limit=2)]


async def _acted(
    sdk: openai.AsyncOpenAI,
    clock: Clock,
    acts: Sequence[str],
    train: str,
    jobs: list[str],
    seen: list[str],
    deleted: set[str],
) -> AsyncIterator[None]:
    for act in acts:
        match act:
            case "job":
                jobs.append((await create_job(sdk, training_file=train, validation_file=train))["id"])
            case "upload":
                await upload(sdk, b"{}\n")
            case "page":
                page = await sdk.files.list(order="asc", limit=2, after=seen[-1] if seen else openai.omit)
                seen += [file.id for file in page.data]
            case "pause" | "resume" if jobs:
                call = sdk.fine_tuning.jobs.pause if act == "pause" else sdk.fine_tuning.jobs.resume
                with contextlib.suppress(openai.BadRequestError):
                    await call(jobs[len(jobs) // 2])
            case "back":
                clock.forward(-0.2)
            case "wait":
                clock.forward(2.5)
            case "delete" if seen and seen[-1] not in deleted and seen[-1] != train:
                await sdk.files.delete(seen[-1])
                deleted.add(seen[-1])
        yield
