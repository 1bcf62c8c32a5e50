"""Data files as a job starts with them: what of a file is held, and what is read again."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rftplan.server.datafile import DataRole, FileRows, read_again, read_rows
from rftplan.server.file_store import FileStore
from rftplan.server.job_request import Method
from rftplan.server.trainer import TrainingRun, Trajectory

from .conftest import TrivialTrainer, World, jsonl, upload

SAID = [{"role": "user", "content": "q"}]
ANSWER = [{"role": "assistant", "content": "a"}]
ROWS: dict[Method, dict[str, Any]] = {
    Method.SUPERVISED: {"messages": [*SAID, *ANSWER]},
    Method.DPO: {"input": {"messages": SAID}, "preferred_output": ANSWER, "non_preferred_output": ANSWER},
}


@pytest.mark.parametrize("method", ROWS)
def test_the_rows_of_a_large_file_are_gone_through_and_not_held(tmp_path: Path, method: Method) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [{**ROWS[method], "number": number} for number in range(20_000)]
    path.write_bytes(jsonl(*rows))
    tracemalloc.start()
    try:
        read = read_rows(path, role=DataRole.TRAINING, method=method)
        length = sum(len(json.dumps(row)) for row in read)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(read), length) == (20_000, sum(len(json.dumps(row)) for row in rows))
    assert peak < path.stat().st_size / 4
    assert list(read) == list(read) == rows


@pytest.mark.parametrize("method", Method)
def test_a_file_that_was_checked_is_read_again_as_it_was(tmp_path: Path, method: Method) -> None:
    path = tmp_path / "rows.jsonl"
    row = ROWS.get(method, {"messages": SAID})
    path.write_bytes(b"\n" + jsonl(*[row] * 12) + b"\n \n")
    first = read_rows(path, role=DataRole.TRAINING, method=method)
    again = read_again(path, role=DataRole.TRAINING, method=method)
    assert (list(first), len(first)) == (list(again), len(again)) == ([row] * 12, 12)
    assert isinstance(first, FileRows) is (method is not Method.REINFORCEMENT)


@pytest.mark.anyio
async def test_a_file_that_is_deleted_while_a_job_is_made_of_it_is_read_to_its_end(
    make_world: Callable[..., World],
) -> None:
    class Deleting(TrivialTrainer):
        def train(self, run: TrainingRun) -> Trajectory:
            service = world.app.state.service
            FileStore(service.store).delete(file, now=service.now())
            assert len(list(run.train)) == 12
            return super().train(run)

    world = make_world(trainer=Deleting())
    async with world.sdk() as sdk:
        file = await upload(sdk, jsonl(*[ROWS[Method.SUPERVISED]] * 12))
        job = await sdk.fine_tuning.jobs.create(
            model="gpt-4.1-mini", training_file=file, method={"type": "supervised", "supervised": {}}
        )
        world.clock.forward(100)
        assert (await sdk.fine_tuning.jobs.retrieve(job.id)).status == "succeeded"
        assert [one.id async for one in sdk.files.list() if one.id == file] == []
