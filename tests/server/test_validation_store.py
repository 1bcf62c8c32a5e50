"""Checkpoints and samples in the store: small, and nothing lost of what was there before them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import openai
import pytest

from rftplan.grading import Flag, Result
from rftplan.server.app import close_app
from rftplan.server.job_store import JobStore
from rftplan.server.schema import SCHEMA_VERSION, SCHEMAS
from rftplan.server.store import Store
from rftplan.server.stored_job import NewJob
from rftplan.server.trainer import Said, Step, ToolCall
from rftplan.server.validation_store import ValidationStore

from .conftest import World, create_job, raw

ROWS, STEPS, KINDS = 1_000, 100, ("right", "near", "wrong", "malformed", "constant", "verbose")


def new_job(steps: list[Step], answers: list[list[Said]]) -> NewJob:
    return NewJob(
        id="ftjob-1",
        created_at=0,
        speed=1.0,
        request={"training_file": "file-1", "validation_file": "file-2", "method": {"type": "reinforcement"}},
        metadata=None,
        fine_tuned_model="ft:m:local::1",
        simulation=None,
        steps=steps,
        hyperparameters={},
        trained_tokens=1,
        notes=(),
        failure=None,
        answers=answers,
    )


def test_a_thousand_rows_and_a_hundred_validations_are_a_few_megabytes(tmp_path: Path) -> None:
    reply = Result("g", "string_check", 0.5, {Flag.OTHER: "It went wrong."}).reply(execution_time=0.1)
    answers = [[Said(f"{kind} answer to row {row}. " * 8, kind, 0.5, reply) for kind in KINDS] for row in range(ROWS)]
    steps = [
        Step(number, "", {}, {}, {"logits": dict.fromkeys(KINDS, 1.0)}, [[0, 3, 5]] * ROWS)
        for number in range(1, STEPS + 1)
    ]
    path = tmp_path / "s.sqlite"
    with closing(Store(path)) as store:
        JobStore(store).add(new_job(steps, answers))
    assert path.stat().st_size < 4 * 2**20
    with closing(Store(path)) as store:
        found = ValidationStore(store)
        assert found.samples(1, 77) == [[0, 3, 5]] * ROWS
        assert found.model(1, 100) == steps[-1].model
        assert found.answers(1, range(998, 1_005)) == {998: answers[998], 999: answers[999]}


def test_what_has_no_samples_and_no_model_says_none(tmp_path: Path) -> None:
    steps = [Step(1, "", {}, None), Step(2, "", {}, {}, {"a": 1}), Step(3, "", {}, {}, None, [[0]])]
    said = Said("x", "right", 1.0, {}, (ToolCall("f", "{}"),))
    with closing(Store(tmp_path / "s.sqlite")) as store:
        JobStore(store).add(new_job(steps, [[said]]))
        found = ValidationStore(store)
        assert [found.model(1, number) for number in (1, 2, 3, 4)] == [None, {"a": 1}, None, None]
        assert [found.samples(1, number) for number in (1, 2, 3, 4)] == [None, None, [[0]], None]
        assert found.answers(1, range(9)) == {0: [said]}


def as_version_1(path: Path) -> None:
    """The store as the first version would have written it."""
    newer = path.rename(path.with_name("newer.sqlite"))
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMAS[0])
        db.execute("ATTACH ? AS newer", (str(newer),))
        tables = [name for (name,) in db.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")]
        db.execute("DELETE FROM newer.files WHERE result_of IS NOT NULL")
        for table in tables:
            names = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({table})"))
            db.execute(f"INSERT INTO main.{table} SELECT {names} FROM newer.{table}")
        db.execute("PRAGMA user_version=1")
        db.commit()


@pytest.mark.anyio
async def test_a_store_of_version_1_keeps_everything_and_its_models_cannot_answer(
    make_world: Callable[..., World],
) -> None:
    old = make_world()
    async with old.sdk() as sdk:
        job_id = (await create_job(sdk))["id"]
        old.clock.forward(100)
        await sdk.fine_tuning.jobs.cancel((await create_job(sdk))["id"])
        before = await everything(sdk)
    close_app(old.app)
    as_version_1(old.settings.store)

    new = make_world(now=old.clock)
    async with new.sdk() as sdk:
        assert await everything(sdk) == without_results(before)
        model = (await sdk.fine_tuning.jobs.retrieve(job_id)).fine_tuned_model
        assert model is not None
        with pytest.raises(openai.BadRequestError, match=r"cannot answer: when it was made.*created now"):
            await sdk.chat.completions.create(model=model, messages=[{"role": "user", "content": "?"}])
        await create_job(sdk)
    with closing(sqlite3.connect(new.settings.store)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def without_results(before: list[Any]) -> list[Any]:
    """Jobs of the first version left no file."""
    jobs, *others, files = before
    left = {file for job in jobs["data"] for file in job["result_files"]}
    assert len(left) == 1
    data = [file for file in files["data"] if file["id"] not in left]
    files |= {"data": data, "first_id": data[0]["id"]}
    return [{**jobs, "data": [{**job, "result_files": []} for job in jobs["data"]]}, *others, files]


async def everything(sdk: openai.AsyncOpenAI) -> list[Any]:
    jobs = raw(await sdk.fine_tuning.jobs.with_raw_response.list())
    of_jobs = [
        raw(reply)
        for job in jobs["data"]
        for reply in (
            await sdk.fine_tuning.jobs.with_raw_response.list_events(job["id"], limit=1_000),
            await sdk.fine_tuning.jobs.checkpoints.with_raw_response.list(job["id"]),
        )
    ]
    others = [raw(await sdk.models.with_raw_response.list()), raw(await sdk.files.with_raw_response.list())]
    return [jobs, *of_jobs, *others]
