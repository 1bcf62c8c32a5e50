"""One store, several processes, and processes that die."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from rftplan.server.schema import SCHEMA_VERSION, SCHEMAS
from rftplan.server.store import Store, StoreError

from .acting import Promises, acting, assert_kept
from .conftest import World, create_job
from .uploading import announced

WRITER = """
import asyncio, sys
from pathlib import Path
from rftplan.grading import StandInJudge
from rftplan.server.settings import Settings, random_id
from tests.server.conftest import KEY, TrivialTrainer, World, create_job, upload
from rftplan.server.app import create_app

async def main(store, count):
    settings = Settings(store=Path(store), key=KEY, trainer=TrivialTrainer(), judge=StandInJudge())
    world = World(settings, None, settings.trainer, create_app(settings))
    async with world.sdk() as sdk:
        for _ in range(int(count)):
            print((await create_job(sdk))["id"], flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


def writer(store: Path, count: int) -> subprocess.Popen[str]:
    """A process that creates jobs, each with two uploads, and prints the id of each that was acknowledged."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(store), str(count)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


@pytest.mark.anyio
async def test_two_processes_share_a_store_from_its_first_moment(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    store = tmp_path / "local" / "service.sqlite"
    writers = [writer(store, 15) for _ in range(2)]
    ids = [line.strip() for process in writers for line in process.communicate()[0].splitlines()]
    assert [process.returncode for process in writers] == [0, 0]
    async with make_world().sdk() as sdk:
        assert {job.id async for job in sdk.fine_tuning.jobs.list()} == set(ids)
        assert len([file async for file in sdk.files.list()]) == 2 * len(ids) == 60


@pytest.mark.anyio
@pytest.mark.parametrize("acknowledged", [1, 4, 9])
async def test_a_killed_service_loses_nothing_that_it_acknowledged(
    make_world: Callable[..., World], tmp_path: Path, acknowledged: int
) -> None:
    process = writer(tmp_path / "local" / "service.sqlite", 1_000)
    with process:
        assert process.stdout is not None
        ids = [process.stdout.readline().strip() for _ in range(acknowledged)]
        process.kill()
    async with make_world().sdk() as sdk:
        assert set(ids) <= {job.id async for job in sdk.fine_tuning.jobs.list()}
        async for file in sdk.files.list():
            assert len((await sdk.files.content(file.id)).content) == file.bytes
        async for job in sdk.fine_tuning.jobs.list():
            assert len([event async for event in sdk.fine_tuning.jobs.list_events(job.id)]) >= 3
        await create_job(sdk)


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(int(os.environ.get("RFTPLAN_KILLS", "5"))))
async def test_a_process_killed_at_any_call_has_done_all_that_it_told_and_nothing_by_half(
    make_world: Callable[..., World], tmp_path: Path, seed: int
) -> None:
    """More seeds: RFTPLAN_KILLS."""
    promises = Promises()
    with acting(tmp_path / "local" / "service.sqlite", seed=seed, acts=60, dies_at=Random(seed).randint(1, 550)) as one:
        assert one.stdout is not None
        promises.take(one.stdout.readlines())
    assert one.returncode in (0, -signal.SIGKILL)
    await assert_kept(make_world, promises)


@pytest.mark.anyio
async def test_processes_that_do_everything_at_once_on_one_store_keep_each_others_promises(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    promises = Promises()
    together = [acting(tmp_path / "local" / "service.sqlite", seed=seed, acts=60) for seed in (1, 2)]
    for one in together:
        promises.take([f"{line}\n" for line in one.communicate()[0].splitlines()])
    assert [one.returncode for one in together] == [0, 0]
    await assert_kept(make_world, promises)


def test_a_newer_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "service.sqlite"
    with closing(Store(path)) as store:
        store.make()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match=f"store version {SCHEMA_VERSION + 1}, this one knows {SCHEMA_VERSION}"):
        Store(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION + 1,)


@pytest.mark.anyio
async def test_a_store_of_the_first_version_is_brought_up_to_date_with_all_that_is_in_it(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    path = tmp_path / "local" / "service.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMAS[0])
        db.execute("INSERT INTO files VALUES (1, 'file-a', 1790000000, 3, 'a.jsonl', 'fine-tune', NULL, NULL)")
        db.execute("PRAGMA user_version=1")
        db.commit()
    async with make_world().sdk() as sdk, make_world().sdk() as other:
        assert [file.id async for file in sdk.files.list()] == ["file-a"]
        begun = await announced(other, 3)
        part = await sdk.uploads.parts.create(begun.id, data=b"abc")
        assert (await other.uploads.complete(begun.id, part_ids=[part.id])).status == "completed"
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    text, folder, blocked = tmp_path / "text", tmp_path / "folder", tmp_path / "text" / "x" / "y"
    text.write_text("not a database, but long enough to be taken for one" * 100)
    folder.mkdir()
    for path in (text, folder, blocked):
        with pytest.raises(StoreError):
            Store(path).make()
    assert text.read_text().startswith("not a database")


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "s")) as store:
        with pytest.raises(ZeroDivisionError), store.write() as db:
            db.execute("INSERT INTO deleted_models VALUES ('a', 1)")
            raise ZeroDivisionError
        assert store.rows("SELECT * FROM deleted_models") == []


def test_who_only_reads_leaves_nothing_behind_and_sees_what_others_made(tmp_path: Path) -> None:
    path = tmp_path / "local" / "service.sqlite"
    with closing(Store(path)) as reader, closing(Store(path)) as writer:
        assert reader.rows("SELECT * FROM deleted_models") == []
        assert list(tmp_path.iterdir()) == []
        with writer.write() as db:
            db.execute("INSERT INTO deleted_models VALUES ('a', 1)")
        assert len(reader.rows("SELECT * FROM deleted_models")) == 1


def test_a_store_that_may_only_be_read_is_read(tmp_path: Path) -> None:
    path = tmp_path / "local" / "service.sqlite"
    with closing(Store(path)) as store, store.write() as db:
        db.execute("INSERT INTO deleted_models VALUES ('a', 1)")
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        with closing(Store(path)) as reader:
            assert len(reader.rows("SELECT * FROM deleted_models")) == 1
    finally:
        path.parent.chmod(0o700)
