"""The ledger's promise to a machine that may lose power: nothing is done before the disk knows that it will be."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.address import Address
from rftplan.api.identity import ProviderIdentity
from rftplan.errors import LockError
from rftplan.journal import Paths, read_state
from rftplan.ledger import Ledger, open_ledger
from rftplan.lockfile import Entry

IDENTITY = ProviderIdentity("local", "http://local/v1")
ENTRY = Entry("v1:" + "a" * 64, {"sha256": "b"}, id="file-1")


class Disk:
    """What of the journal would be there after a loss of power: as much as it held when a sync began that ended."""

    def __init__(self) -> None:
        self.durable = 0
        self.syncs = 0
        self.full = False

    def sync(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        os.fsync(descriptor)
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.durable = size
        self.syncs += 1


def ledger_at(root: Path, disk: Disk) -> Ledger:
    paths = Paths(root / "rftplan.lock", root / ".rftplan" / "default" / "journal.jsonl")
    return open_ledger(paths, IDENTITY, now=lambda: 5.0, new_lineage=lambda: "lineage", sync=disk.sync)


def journal(root: Path) -> bytes:
    return (root / ".rftplan" / "default" / "journal.jsonl").read_bytes()


@given(turns=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_every_call_finds_its_intent_and_every_return_its_result_on_the_disk(
    tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[int, int]]
) -> None:
    root, disk = tmp_path_factory.mktemp("ledger"), Disk()
    ledger = ledger_at(root, disk)

    async def effect(number: int, before: int, during: int) -> None:
        for _ in range(before):
            await asyncio.sleep(0)
        intent = ledger.begin(Address("file", f"f{number}"), "upload", token=f"<{number}>")
        await ledger.synced()
        assert f"<{number}>".encode() in journal(root)[: disk.durable]
        for _ in range(during):
            await asyncio.sleep(0)
        ledger.finish(intent, ENTRY)
        written = len(journal(root))
        await ledger.synced()
        assert disk.durable >= written

    async def side_by_side() -> None:
        async with asyncio.TaskGroup() as group:
            for number, (before, during) in enumerate(turns):
                group.create_task(effect(number, before, during))

    asyncio.run(side_by_side())
    ledger.close()


def test_those_who_wait_at_the_same_time_share_a_sync(tmp_path: Path) -> None:
    disk = Disk()
    ledger = ledger_at(tmp_path, disk)

    async def begin(number: int) -> None:
        ledger.begin(Address("file", f"f{number}"), "upload", token="t")
        await ledger.synced()

    async def side_by_side() -> None:
        await asyncio.gather(*(begin(number) for number in range(10)))

    asyncio.run(side_by_side())
    ledger.close()
    assert disk.syncs == 2  # the new journal's header, and the ten intents


def test_what_is_written_while_a_sync_runs_waits_for_the_next(tmp_path: Path) -> None:
    disk, running, go_on = Disk(), threading.Event(), threading.Event()
    ledger = ledger_at(tmp_path, disk)
    ledger.record(Address("file", "first"), ENTRY)

    def slow(descriptor: int) -> None:
        disk.sync(descriptor)
        running.set()
        go_on.wait(10)

    ledger._sync = slow

    async def overlap() -> None:
        first = asyncio.ensure_future(ledger.synced())
        await asyncio.to_thread(running.wait, 10)
        ledger.record(Address("file", "second"), ENTRY)
        go_on.set()
        await asyncio.gather(first, ledger.synced())

    asyncio.run(overlap())
    ledger.close()
    assert disk.durable == len(journal(tmp_path))


def test_a_disk_that_failed_once_is_not_believed_again(tmp_path: Path) -> None:
    disk = Disk()
    ledger = ledger_at(tmp_path, disk)
    ledger.begin(Address("file", "a"), "upload", token="t")
    disk.full = True
    with pytest.raises(LockError, match="No space left"):
        asyncio.run(ledger.synced())
    disk.full = False
    ledger.record(Address("file", "b"), ENTRY)
    with pytest.raises(LockError, match="No space left"):
        asyncio.run(ledger.synced())
    ledger.close()
    (intent,) = read_state(ledger._paths, new_lineage=str)[0].intents.values()
    assert intent.token == "t"


def test_a_descriptor_that_cannot_be_had_is_told_and_leaves_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = ledger_at(tmp_path, Disk())
    ledger.begin(Address("file", "a"), "upload", token="t")

    def exhausted(descriptor: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "dup", exhausted)
    for _ in range(2):
        with pytest.raises(LockError, match="Too many open files"):
            asyncio.run(ledger.synced())
    ledger.close()
