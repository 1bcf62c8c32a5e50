"""What processes that died leave beside the database, and who removes it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest

from rftplan.server.app import make_store
from rftplan.server.contents import LONGEST_HELD, hold, let_go, sweep
from rftplan.server.file_store import FileStore
from rftplan.server.scoring import LONGEST
from rftplan.server.store import Store
from rftplan.server.trainer import RefusedRunError, TrainingRun, Trajectory

from .conftest import START, TrivialTrainer, World, rft_body, rft_rows, upload
from .jobs_made import made_job, steps_of
from .uploading import announced, on_disk


def left_over(path: Path, age: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    modified = path.stat().st_mtime - age
    os.utime(path, (modified, modified))


def test_only_abandoned_uploads_are_swept(tmp_path: Path, make_world: Callable[..., World]) -> None:
    for name, age in (("old", 4_000.0), ("fresh", 0.0)):
        left_over(tmp_path / "local" / "service.sqlite-files" / "incoming" / name, age)
    world = make_world()
    assert on_disk(world) == {"incoming/old", "incoming/fresh"}, "who only reads leaves it"
    make_store(world.app)
    assert on_disk(world) == {"incoming/fresh"}


@pytest.mark.anyio
async def test_bytes_without_a_row_are_swept_when_they_are_old(make_world: Callable[..., World]) -> None:
    """As a process leaves them that dies between the two."""
    world = make_world()
    async with world.sdk() as sdk:
        kept = await upload(sdk, b"{}\n")
        begun = await announced(sdk, 1)
        part = await sdk.uploads.parts.create(begun.id, data=b"x")
        contents = Path(f"{world.settings.store}-files")
        mine = {kept, f"parts/{begun.id}/{part.id}"}
        for name in (*mine, "incoming/a", "file-a", f"parts/{begun.id}/part_a", "parts/upload_gone/part_b", "notes"):
            left_over(contents / name, 4_000.0)
        for name in ("incoming/b", "file-b", f"parts/{begun.id}/part_c"):
            left_over(contents / name, 0.0)
        make_store(make_world().app)
        fresh = {"incoming/b", "file-b", f"parts/{begun.id}/part_c"}
        assert on_disk(world) == {*mine, *fresh, "notes"}, "what is not ours is left alone"
        for name in fresh:
            left_over(contents / name, 4_000.0)
        await announced(sdk, 1)
        assert on_disk(world) == {*mine, "notes"}, "a service that never stops sweeps, too"


@pytest.mark.anyio
async def test_what_has_expired_is_swept_for_good(make_world: Callable[..., World]) -> None:
    world = make_world()
    async with world.sdk() as sdk:
        expiry = {"anchor": "created_at", "seconds": 7_200}
        file = await sdk.files.create(file=("a.jsonl", b"{}"), purpose="fine-tune", expires_after=expiry)  # type: ignore[arg-type]
        begun = await announced(sdk, 1)
        await sdk.uploads.parts.create(begun.id, data=b"x")
        other = make_world(now=lambda: START + 3_600)
        make_store(other.app)
        assert on_disk(world) == {file.id}
        sweep(other.app.state.service.store, now=int(START) + 7_200)
        assert on_disk(world) == set()
        assert [one async for one in sdk.files.list()] == [], "though this service's clock is behind"
        with pytest.raises(Exception, match="is expired"):
            await sdk.uploads.cancel(begun.id)


@pytest.mark.anyio
async def test_whoever_may_only_read_leaves_it_to_others(make_world: Callable[..., World]) -> None:
    world = make_world()
    async with world.sdk() as sdk:
        await announced(sdk, 1)
        file_id = await upload(sdk, b"{}\n")
    folder = world.settings.store.parent
    left_over(Path(f"{world.settings.store}-files") / "file-a", 4_000.0)
    changed = [world.settings.store, *folder.rglob("*-files"), folder]
    for path in changed:
        path.chmod(0o500)
    try:
        async with make_world(now=lambda: START + 4_000).sdk() as sdk:
            assert [file.id async for file in sdk.files.list()] == [file_id]
    finally:
        for path in changed:
            path.chmod(0o700)


@pytest.mark.anyio
async def test_what_a_job_was_trained_from_stays_when_it_expires_and_nothing_else_does(
    make_world: Callable[..., World],
) -> None:
    world = make_world()
    async with world.sdk() as sdk:
        body = await rft_body(sdk)
        names = (body["training_file"], body["validation_file"])
        await sdk.fine_tuning.jobs.create(**body)
        unused = await upload(sdk, rft_rows(3))
    contents = world.settings.store.with_name("service.sqlite-files")
    with closing(Store(world.settings.store)) as store:
        with store.write() as db:
            db.execute("UPDATE files SET expires_at = 5")
        for path in contents.glob("file-*"):
            os.utime(path, (0, 0))
        sweep(store, now=10)
        sweep(store, now=10)
    assert unused not in names
    assert {path.name for path in contents.glob("file-*")} == set(names)


@dataclass
class Meanwhile(TrivialTrainer):
    """Somebody does something while it trains."""

    do: Callable[[], object] = lambda: None

    def train(self, run: TrainingRun) -> Trajectory:
        self.do()
        return super().train(run)


@pytest.mark.anyio
@pytest.mark.parametrize("meanwhile", ["deleted", "expired"])
async def test_what_a_job_is_being_trained_from_stays_when_it_is_gone_meanwhile(
    make_world: Callable[..., World], meanwhile: str
) -> None:
    trainer = Meanwhile()
    world = make_world(trainer=trainer)
    async with world.sdk() as sdk, world.http() as http:
        body = await rft_body(sdk)
        names = [body["training_file"], body["validation_file"]]
        another = make_world(now=lambda: START + 10)

        def delete() -> None:
            for name in names:
                FileStore(another.app.state.service.store).delete(name, now=int(START * 1e6))

        def expire() -> None:
            with another.app.state.service.store.write() as db:
                db.execute("UPDATE files SET expires_at = ?", (int(START) + 5,))
            sweep(another.app.state.service.store, now=int(START) + 10)

        trainer.do = {"deleted": delete, "expired": expire}[meanwhile]
        job = await sdk.fine_tuning.jobs.create(**body)
        world.clock.forward(100)
        assert [file.id async for file in sdk.files.list() if file.id in names] == []
        samples = await http.get(f"/fine_tuning/jobs/{job.id}/samples", params={"step": 1})
        assert samples.status_code == 200 and len(samples.json()["data"]) == 4
        sweep(world.app.state.service.store, now=int(world.clock.time))
        assert set(names) <= on_disk(world)


@pytest.mark.anyio
async def test_what_no_job_came_of_is_not_held_any_longer(make_world: Callable[..., World]) -> None:
    trainer = Meanwhile()
    world = make_world(trainer=trainer)
    async with world.sdk() as sdk:
        body = await rft_body(sdk)
        names = [body["training_file"], body["validation_file"]]

        def refuse() -> None:
            for name in names:
                FileStore(world.app.state.service.store).delete(name, now=int(START * 1e6))
            raise RefusedRunError("too much", param="method")

        trainer.do = refuse
        with pytest.raises(openai.BadRequestError, match="too much"):
            await sdk.fine_tuning.jobs.create(**body)
    assert on_disk(world) == set()


@pytest.mark.anyio
async def test_what_a_process_held_that_died_is_let_go_when_it_could_train_no_longer(
    make_world: Callable[..., World],
) -> None:
    assert LONGEST_HELD >= LONGEST + 120, "a grade that began in time may take so long"
    world = make_world()
    store = world.app.state.service.store
    async with world.sdk() as sdk:
        names = [await upload(sdk, b"{}\n") for _ in range(3)]
        now = time.time()
        with store.write() as db:
            for name, since in zip(names, (now - LONGEST_HELD - 1, now - 500, now + 5_000), strict=True):
                db.execute("INSERT INTO held VALUES (?, 'ftjob-of-a-dead-process', ?)", (name, since))
        for name in names:
            await sdk.files.delete(name)
    sweep(store, now=int(START))
    assert on_disk(world) == {names[1]}, "however young the bytes are, and if the machine's clock went back"


def lock(world: World) -> sqlite3.Connection:
    """Another process writes and does not end; who waits for it here gives up at once."""
    with world.app.state.service.store.write() as db:
        db.execute("PRAGMA busy_timeout=0")
    other = sqlite3.connect(world.settings.store, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other


@pytest.mark.anyio
async def test_a_refusal_stays_one_where_the_hold_cannot_be_given_back(make_world: Callable[..., World]) -> None:
    trainer = Meanwhile()
    world = make_world(trainer=trainer)
    others = []

    def refuse() -> None:
        others.append(lock(world))
        raise RefusedRunError("too much", param="method")

    trainer.do = refuse
    async with world.sdk() as sdk:
        body = await rft_body(sdk)
        with pytest.raises(openai.BadRequestError, match="too much"):
            await sdk.fine_tuning.jobs.create(**body)
        others[0].close()
        store = world.app.state.service.store
        assert len(store.rows("SELECT 1 FROM held")) == 2
        with store.write() as db:
            db.execute("UPDATE held SET since = 0")
        sweep(store, now=int(START))
        assert store.rows("SELECT 1 FROM held") == []


@pytest.mark.anyio
async def test_a_job_that_is_there_needs_no_further_write_to_let_go(world: World, sdk: openai.AsyncOpenAI) -> None:
    """Else its creation would be answered 500 where another process writes just then, and be asked for again."""
    file_id = await upload(sdk, b"{}\n")
    store = world.app.state.service.store
    hold(store, [file_id], holder="ftjob-another")
    made_job(store, "ftjob-another", steps=steps_of([0.5]))
    assert store.rows("SELECT 1 FROM held") == []
    await sdk.files.delete(file_id)
    with closing(lock(world)):
        let_go(store, [file_id], holder="ftjob-another")


@pytest.mark.anyio
async def test_a_creation_that_names_no_file_makes_no_store(world: World, sdk: openai.AsyncOpenAI) -> None:
    grader = {"type": "string_check", "name": "g", "input": "a", "reference": "a", "operation": "eq"}
    method = {"type": "reinforcement", "reinforcement": {"grader": grader}}
    with pytest.raises(openai.BadRequestError, match="no such File object"):
        await sdk.fine_tuning.jobs.create(
            model="o4-mini",
            training_file="file-a",
            validation_file="file-b",
            method=method,  # type: ignore[arg-type]
        )
    assert not world.settings.store.parent.exists()
