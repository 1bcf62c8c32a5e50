"""The disk is full: at every write of a journal, a lock, what replaces one, and what lies beside them, with nothing or
half of it written. What is in the way is said, the lock is the old one or the new one whole, and once there is room the
next apply ends where it would have, without a second launch.

The disk is played below the buffers of Python's files, where the system's own would refuse. `RFTPLAN_LONG=1` fills it
at every write both ways, and not in turn.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from rftplan.cli.boundary import main
from rftplan.errors import LockError, RftplanError
from rftplan.journal import read_state
from rftplan.lockfile import read_lock
from rftplan.promoted import state_paths
from tests.scenarios.applies import S
from tests.scenarios.promised import SERVED, House, assert_promise
from tests.tally import Tally
from tests.world import Small, rows

LONG: Final = bool(os.environ.get("RFTPLAN_LONG"))
OPEN: Final = io.open


@dataclass
class Disk:
    """A disk on which the write number `full_at` finds no room, and none after it; of it `half` is written, or nothing.
    `read_only` are paths that nobody may write, nor anything in them."""

    root: Path
    full_at: int | None = None
    half: bool = False
    read_only: tuple[str, ...] = ()
    refused: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)

    def open(self, file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        path = Path(file) if isinstance(file, str | Path) else None
        if path is None or not {*mode} & {*"wax"} or self.root not in path.parents or "local" in path.parts:
            return OPEN(file, mode, *rest, **named)
        if {str(path.relative_to(self.root)), str(path.parent.relative_to(self.root))} & {*self.read_only}:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        raw = _File(self, path, mode.replace("b", "").replace("t", ""))
        stream = io.BufferedWriter(raw)
        return stream if "b" in mode else io.TextIOWrapper(stream, encoding="utf-8")

    def taken(self, path: Path, size: int) -> int:
        """How many of so many bytes find room; OSError if none."""
        self.writes.append(path.name)
        if self.full_at is None or len(self.writes) < self.full_at:
            return size
        if self.half and len(self.writes) == self.full_at:
            return size // 2
        self.refused.append(path.name)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


class _File(io.FileIO):
    def __init__(self, disk: Disk, path: Path, mode: str) -> None:
        super().__init__(path, mode)
        self._disk, self._path = disk, path

    def write(self, data: Any) -> int:
        found = memoryview(data).cast("B")
        return super().write(found[: self._disk.taken(self._path, len(found))])


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Callable[[Disk], None]:
    return lambda disk: monkeypatch.setattr(io, "open", disk.open)


def ready(root: Path) -> Small:
    """Launched once, and edited since: an apply uploads, launches, cancels and records."""
    small = Small.at(root)
    small.results(parallelism=1)
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    small.write("specs/data/train.jsonl", rows(start=500))
    return small


def test_a_disk_that_is_full_at_any_write_loses_nothing_and_launches_nothing_twice(
    tmp_path: Path, played: Callable[[Disk], None], tally: Tally
) -> None:
    first = ready(tmp_path / "ready")
    shutil.copytree(first.root, tmp_path / "calm")
    calm = Disk(tmp_path / "calm")
    played(calm)
    Small(tmp_path / "calm", clock=first.clock).apply(parallelism=1)
    played(Disk(tmp_path / "nowhere"))
    wrong = []
    for number in range(1, len(calm.writes) + 1):
        for half in (False, True) if LONG else (number % 2 == 0,):
            root = tmp_path / f"full-{number}-{half}"
            shutil.copytree(first.root, root)
            disk = Disk(root, full_at=number, half=half)
            tally["full disk", f"writes of {_kind(calm.writes[number - 1])}"] += 1
            played(disk)
            small = Small(root, clock=first.clock, ids=iter(range(1_000 * number, 1_000 * (number + 1))))
            name = f"write {number} of {calm.writes[number - 1]}, half={half}"
            wrong += [f"{name}: {what}" for what in gone_wrong(small, disk, lambda: played(Disk(tmp_path / "nowhere")))]
    assert not wrong, "\n".join(wrong)


def _kind(name: str) -> str:
    return "temporary files" if name.endswith(".tmp") else name


def gone_wrong(small: Small, disk: Disk, make_room: Callable[[], None]) -> Iterator[str]:
    """What does not hold when the disk fills up, and of the next apply."""
    lock = (small.root / "rftplan.lock").read_bytes()
    try:
        applied = small.apply(parallelism=1)
        refused = applied.unsaved if applied is not None else None
    except LockError as error:
        refused = error
    stopped = [name for name in disk.refused if "holder" not in name]
    if stopped and refused is None:
        yield f"nobody was told of {stopped}"
    if refused is not None and ("No space left" not in str(refused) or not _named(refused) or not refused.hint):
        yield f"said {refused} (hint: {refused.hint})"
    now = read_lock(small.root / "rftplan.lock")
    if now is None or ((small.root / "rftplan.lock").read_bytes() != lock and now.serial < 2):
        yield "the old lock is gone"
    try:
        read_state(state_paths(small.root), new_lineage=str)
        make_room()
        small.train()
        there = assert_promise(small)
        if len(there.jobs) != 2:
            yield f"{len(there.jobs)} jobs"
        left = sorted(path.name for path in small.root.rglob("*.tmp"))
        if left:
            yield f"left behind: {left}"
    except (AssertionError, RftplanError) as error:
        yield f"afterwards: {error}"


def _named(error: LockError) -> bool:
    return "rftplan.lock" in str(error) or ".rftplan/default/journal.jsonl" in str(error)


@pytest.mark.parametrize("read_only", ["rftplan.lock", ".", ".rftplan/default"])
def test_what_nobody_may_write_is_said_before_anything_is_done(
    tmp_path: Path, played: Callable[[Disk], None], read_only: str
) -> None:
    """The refusal is played, for the system refuses an administrator nothing."""
    small = ready(tmp_path / "project")
    before = sorted((path, path.read_bytes()) for path in small.root.rglob("*.lock"))
    there = len(small.files()), len(small.jobs())
    played(Disk(small.root, read_only=(read_only,)))
    with pytest.raises(LockError, match="cannot be written: Permission denied") as refused:
        small.apply()
    assert _named(refused.value) and "permissions" in str(refused.value.hint)
    played(Disk(tmp_path / "nowhere"))
    assert sorted((path, path.read_bytes()) for path in small.root.rglob("*.lock")) == before
    assert (len(small.files()), len(small.jobs())) == there
    small.train()
    assert_promise(small)


def test_a_folder_in_the_place_of_the_lock_and_a_file_in_that_of_the_journals_are_said_first(tmp_path: Path) -> None:
    small = Small.at(tmp_path / "project", spec=SERVED, environ={"RFTPLAN_LOCAL_KEY": "sk-nobody"})
    (small.root / "rftplan.lock").mkdir()
    with pytest.raises(LockError, match=r"rftplan\.lock is a directory") as refused:
        small.apply()
    assert refused.value.hint
    (small.root / "rftplan.lock").rmdir()
    house = House(tmp_path / "house", speed=0.01)
    (house.small.root / ".rftplan").write_text("a file")
    with pytest.raises(LockError, match="cannot be") as refused:
        house.small.apply()
    assert refused.value.hint
    assert house.calls == []
    (house.small.root / ".rftplan").unlink()
    house.small.apply()
    house.close()


def test_a_saved_plan_that_finds_no_room_is_said_and_the_old_one_stays(
    tmp_path: Path, played: Callable[[Disk], None], capsys: pytest.CaptureFixture[str]
) -> None:
    small = Small.at(tmp_path / "project")
    saved = small.root / "p.json"
    assert main(["-C", str(small.root), "plan", "--out", str(saved)]) == 0
    before = saved.read_bytes()
    for half in (False, True):
        played(Disk(small.root, full_at=1, half=half))
        assert main(["-C", str(small.root), "plan", "--out", str(saved)]) == 1
        assert "p.json cannot be written: No space left on device" in capsys.readouterr().err
        assert saved.read_bytes() == before
    assert [path.name for path in small.root.iterdir() if "p.json" in path.name] == ["p.json"]
