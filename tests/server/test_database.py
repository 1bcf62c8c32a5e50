"""Who reads a store changes nothing in it; who acts brings it up to date and closes it to other users."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from shutil import rmtree

import pytest

from rftplan.doctor import examine
from rftplan.doctor.signs import State
from rftplan.errors import UserError
from rftplan.server.app import make_store
from rftplan.server.database import DamagedError, StoreError
from rftplan.server.schema import SCHEMA_VERSION, SCHEMAS
from rftplan.server.store import Store
from tests.world import Small

from .conftest import START, World

FILE = "INSERT INTO files (id, created_at, bytes, filename, purpose) VALUES (?, 1790000000, 3, 'a.jsonl', 'fine-tune')"

AS_NOBODY = """
import asyncio, os, sys
import rftplan.server.fidelity, rftplan.server.outcome
from pathlib import Path
from rftplan.server.app import create_app
from rftplan.server.settings import Settings
from rftplan.server.store import StoreError
from tests.server.conftest import KEY, TrivialTrainer, World

async def main():
    settings = Settings(store=Path(sys.argv[1]), key=KEY, trainer=TrivialTrainer(), judge=None)
    async with World(settings, None, settings.trainer, create_app(settings)).http() as http:
        for path in ("/files", "/fine_tuning/jobs", "/models"):
            reply = await http.get(path)
            print(reply.status_code, *(one["id"] for one in reply.json()["data"] if path == "/files"))

if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    asyncio.run(main())
except StoreError as error:
    print(error)
"""


def of_version(version: int, path: Path) -> sqlite3.Connection:
    """A store as that version made it, with one file in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode=WAL")
    for script in SCHEMAS[:version]:
        db.executescript(script)
    db.execute(FILE, ("file-a",))
    db.execute(f"PRAGMA user_version={version}")
    db.commit()
    return db


def everything(folder: Path) -> Mapping[str, str]:
    """Each file below, with a digest of its bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.anyio
@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
async def test_a_store_of_any_version_is_read_and_stays_as_it_is_until_somebody_acts(
    make_world: Callable[..., World], version: int
) -> None:
    path = make_world().settings.store
    of_version(version, path).close()
    before = everything(path.parent)
    world = make_world()
    async with world.sdk() as sdk:
        assert [file.id async for file in sdk.files.list()] == ["file-a"]
        assert [job async for job in sdk.fine_tuning.jobs.list()] == []
        assert [one async for one in sdk.models.list()] != []
    world.app.state.service.store.close()
    assert everything(path.parent) == before
    with closing(Store(path)) as acting:
        acting.make()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert db.execute("SELECT id FROM files").fetchall() == [("file-a",)]


def test_who_reads_an_older_store_sees_what_older_and_newer_programs_do_to_it(tmp_path: Path) -> None:
    path = tmp_path / "local" / "service.sqlite"

    def seen() -> list[str]:
        return [row["id"] for row in reader.rows("SELECT id FROM files ORDER BY seq")]

    with closing(of_version(1, path)) as older, closing(Store(path)) as reader:
        assert seen() == ["file-a"]
        older.execute(FILE, ("file-b",))
        older.commit()
        assert seen() == ["file-a", "file-b"]
        with closing(Store(path)) as acting:
            with acting.write() as db:
                db.execute(FILE, ("file-c",))
            assert seen() == ["file-a", "file-b", "file-c"]


def test_a_plan_and_a_doctor_change_nothing_in_the_store_though_a_file_has_expired(tmp_path: Path) -> None:
    small = Small.at(tmp_path)
    small.apply()
    path = small.root / ".rftplan" / "local" / "service.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE files SET expires_at = ? WHERE seq = 1", (int(small.clock.time) + 3_600,))
        db.commit()
    before = everything(path.parent)
    small.clock.time += 7_200
    small.plan()
    assert everything(path.parent) == before
    asyncio.run(examine(small.options, small.world))
    assert everything(path.parent) == before


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that every user may look into: pytest's own are closed."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    rmtree(folder)


def read_as_nobody(path: Path) -> list[str]:
    """By somebody who may write nothing there."""
    path.parent.chmod(0o555)
    words = [sys.executable, "-c", AS_NOBODY, str(path)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("version", [1, 3, SCHEMA_VERSION])
def test_a_store_of_any_version_is_read_where_nothing_may_be_written(open_folder: Path, version: int) -> None:
    path = open_folder / "service.sqlite"
    of_version(version, path).close()
    path.chmod(0o444)
    assert read_as_nobody(path) == ["200 file-a", "200", "200"]


def test_what_is_not_in_the_store_yet_is_not_overlooked_where_nothing_may_be_written(open_folder: Path) -> None:
    """As a process leaves it that was killed, or a copy that was taken meanwhile."""
    path = open_folder / "service.sqlite"
    with closing(of_version(SCHEMA_VERSION, open_folder / "s")):
        for end in ("", "-wal"):
            (open_folder / f"service.sqlite{end}").write_bytes((open_folder / f"s{end}").read_bytes())
            (open_folder / f"service.sqlite{end}").chmod(0o444)
    (said,) = read_as_nobody(path)
    assert said.startswith(f"{path} cannot be read: service.sqlite-wal beside it has changes")
    assert said.endswith("copy the folder and read the copy.")


def test_a_store_that_is_closed_to_its_reader_is_said(open_folder: Path) -> None:
    path = open_folder / "local" / "service.sqlite"
    with closing(Store(path)) as store:
        store.make()
    if os.getuid() != 0:
        path.parent.chmod(0)
    said = read_as_nobody_below(path)
    path.parent.chmod(0o700)
    assert said == [f"{path} cannot be looked at: Permission denied. Ask whoever it belongs to."]


def read_as_nobody_below(path: Path) -> list[str]:
    words = [sys.executable, "-c", AS_NOBODY, str(path)]
    return subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parents[2]).stdout.splitlines()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_whoever_acts_closes_the_store_to_other_users(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "local" / "service.sqlite"
    before = os.umask(umask)
    try:
        with closing(Store(path)) as store, store.write() as db:
            db.execute(FILE, ("file-a",))
            assert rights(path) == {"": 0o700, "service.sqlite": 0o600, "service.sqlite-files": 0o700,
                                    "service.sqlite-shm": 0o600, "service.sqlite-wal": 0o600}  # fmt: skip
    finally:
        os.umask(before)


def test_an_open_store_is_closed_by_who_acts_and_not_by_who_reads(tmp_path: Path) -> None:
    path = tmp_path / "local" / "service.sqlite"
    with closing(Store(path)) as store:
        store.make()
    path.chmod(0o644)
    path.parent.chmod(0o755)
    (path.parent / "service.sqlite-files").chmod(0o755)
    open_rights = rights(path)
    with closing(Store(path)) as store:
        store.rows("SELECT * FROM files")
    assert rights(path) == open_rights
    with closing(Store(path)) as store:
        store.make()
    assert rights(path) == {"": 0o700, "service.sqlite": 0o600, "service.sqlite-files": 0o700}


def test_a_folder_that_holds_something_else_is_not_closed(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o755)
    (folder / "notes").write_text("not ours")
    with closing(Store(folder / "s")) as store:
        store.make()
    assert rights(folder / "s") | {"": 0} == {"": 0, "notes": 0o644, "s": 0o600, "s-files": 0o700}
    assert folder.stat().st_mode & 0o777 == 0o755


def rights(path: Path) -> dict[str, int]:
    """Of the store's folder, and of what is in it."""
    found = {one.name: one.stat().st_mode & 0o777 for one in path.parent.iterdir()}
    return {"": path.parent.stat().st_mode & 0o777, **found}


def test_what_has_expired_is_gone_for_who_only_reads(make_world: Callable[..., World]) -> None:
    world = make_world()
    make_store(world.app)
    with closing(sqlite3.connect(world.settings.store)) as db:
        db.execute(FILE, ("file-a",))
        db.execute("UPDATE files SET expires_at = ?", (int(START) + 10,))
        db.commit()

    async def listed(now: float) -> list[str]:
        async with make_world(now=lambda: now).sdk() as sdk:
            return [file.id async for file in sdk.files.list()]

    assert asyncio.run(listed(START + 9)) == ["file-a"]
    assert asyncio.run(listed(START + 10)) == []


def pages(path: Path) -> int:
    """How many there are, with nothing beside the file."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(db.execute("PRAGMA page_count").fetchone()[0])


def damage(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(18)[16:], "big")
        file.seek(page * size)
        file.write(b"\xa7" * size)


@pytest.mark.parametrize("acts", [False, True])
def test_a_store_that_is_damaged_anywhere_is_refused_as_damaged_or_serves(
    make_world: Callable[..., World], acts: bool
) -> None:
    """Whatever page is overwritten: never an error of SQLite's own, in a reply neither a path nor its words."""
    path = make_world().settings.store
    path.parent.mkdir(parents=True, exist_ok=True)
    small = Small.at(path.parent / "project")
    small.apply()
    whole = small.root / ".rftplan" / "local" / "service.sqlite"
    codes, refused = set[str | None](), 0
    for page in range(1, pages(whole)):
        path.write_bytes(whole.read_bytes())
        damage(path, page)
        try:
            world = make_world()
            if acts:
                make_store(world.app)
        except DamagedError as error:
            assert str(error).startswith(f"{path} is damaged: ")
            refused += 1
            continue
        codes |= asyncio.run(answered(world))
        world.app.state.service.store.close()
    assert refused > 10
    assert codes <= {None, "store_damaged"}


async def answered(world: World) -> set[str | None]:
    found = set[str | None]()
    async with world.http() as http:
        for path in ("/files", "/fine_tuning/jobs", "/models"):
            reply = await http.get(path)
            assert str(world.settings.store) not in reply.text
            found.add(reply.json()["error"]["code"] if reply.status_code == 500 else None)
    return found


def test_a_plan_over_a_damaged_store_says_what_to_do_and_a_doctor_looks_at_the_rest(tmp_path: Path) -> None:
    small = Small.at(tmp_path)
    small.apply()
    path = small.root / ".rftplan" / "local" / "service.sqlite"
    for page in range(1, pages(path)):
        damage(path, page)
    with pytest.raises(UserError, match=r"service\.sqlite is damaged: .* rftplan\.lock still names them") as caught:
        small.plan()
    assert caught.value.hint is not None and "move .rftplan/local away" in caught.value.hint
    found = {sign.about.value: sign.state for sign in asyncio.run(examine(small.options, small.world)).signs}
    assert (found["store"], found["lock"]) == (State.WRONG, State.OK)


def test_nothing_of_a_store_is_read_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "service.sqlite"
    path.write_text("not a database, but long enough to be taken for one" * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        Store(path)
