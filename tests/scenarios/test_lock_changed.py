"""The lock is changed by somebody else while an apply acts: a pull, an editor, a merge. What they put there stays,
and once it is put right the next apply adds what was done, which is in the journal, and sends nothing twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from rftplan.cli.boundary import main
from rftplan.errors import LockError
from rftplan.lock_on_disk import LockOnDisk
from tests.scenarios.applies import S
from tests.scenarios.promised import SETTLED, Call, House, assert_one_of_each, assert_promise
from tests.world import Small, rows

Change = Callable[[bytes], bytes | None]


def edited(change: Callable[[dict[str, Any]], None]) -> Change:
    def change_of(raw: bytes) -> bytes:
        document = json.loads(raw)
        change(document)
        return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()

    return change_of


def _pulled(document: dict[str, Any]) -> None:
    document["serial"] += 1
    document["resources"]["file.train"]["attempt"] = 2


CHANGES: Final[dict[str, tuple[Change, str]]] = {
    "pulled": (edited(_pulled), "it is at serial {now} now, not {was}"),
    "edited": (edited(lambda lock: lock["resources"].pop("file.train")), "file.train differs"),
    "of another lineage": (edited(lambda lock: lock.update(lineage="x")), "it is of lineage x now, not id-0"),
    "deleted": (lambda _: None, "it is gone"),
    "in conflict": (lambda raw: b"<<<<<<< HEAD\n" + raw + b"=======\n>>>>>>> theirs\n", "has merge-conflict markers"),
    "cut off": (lambda raw: raw[: len(raw) // 2], "is damaged"),
    "no text": (lambda raw: raw + b"\xff\n", "it is no text any more"),
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Launched once, and edited since: an apply uploads, launches and cancels."""
    made = House(tmp_path / "house", speed=0.01)
    made.small.apply(parallelism=1)
    made.small.edit(S, "n_epochs: 2", "n_epochs: 3")
    made.small.write("specs/data/train.jsonl", rows(start=500))
    made.clock.time += 3
    made.calls.clear()
    yield made
    made.close()


def lock_of(house: House) -> Path:
    return house.small.root / "rftplan.lock"


def put(house: House, raw: bytes | None) -> None:
    if raw is None:
        lock_of(house).unlink()
    else:
        lock_of(house).write_bytes(raw)


def change_before(house: House, number: int, change: Change) -> list[bytes]:
    """Just before the call of that number somebody changes the lock; what it was before that, and after."""
    was: list[bytes] = []

    def before(call: Call) -> None:
        if call.number == number:
            was.append(lock_of(house).read_bytes())
            put(house, change(was[0]))

    house.before = before
    return was


def refused(house: House) -> LockError:
    applied = house.small.apply(parallelism=1)
    house.before = lambda _: None
    assert applied is not None and applied.unsaved is not None
    return applied.unsaved


@pytest.mark.parametrize("number", [1, 2, 3], ids=["upload", "launch", "cancel"])
@pytest.mark.parametrize("how", CHANGES)
def test_what_somebody_put_there_stays_and_nothing_is_lost(house: House, how: str, number: int) -> None:
    change, said = CHANGES[how]
    was = change_before(house, number, change)
    error = refused(house)
    serial = json.loads(was[0])["serial"]
    assert "rftplan.lock was changed by somebody else meanwhile: " in error.message
    assert said.format(now=serial + 1, was=serial) in error.message
    assert "what was done is in journal .rftplan/default/journal.jsonl" in (error.hint or "")
    assert (lock_of(house).read_bytes() if lock_of(house).exists() else None) == change(was[0])
    if how != "edited":  # an edit is kept, and what was done is added to it
        put(house, was[0])
    assert_one_of_each(house.truth())
    house.clock.time += SETTLED
    for _ in range(2):
        house.small.apply(parallelism=1)
    there = assert_promise(house.small)
    assert len(there.jobs) == 2


@pytest.mark.parametrize("how", ["pulled", "of another lineage", "in conflict", "cut off", "no text"])
def test_until_it_is_put_right_every_command_says_so(house: House, how: str) -> None:
    was = change_before(house, 2, CHANGES[how][0])
    refused(house)
    for command in (house.small.apply, house.small.plan):
        with pytest.raises(LockError) as caught:
            command()
        assert caught.value.hint
    put(house, was[0])
    assert len(house.truth().jobs) == 2


def test_a_lock_that_is_gone_for_good_is_taken_up_again_from_journal_and_service(house: House) -> None:
    change_before(house, 2, CHANGES["deleted"][0])
    refused(house)
    house.clock.time += SETTLED
    for _ in range(2):
        house.small.apply(parallelism=1)
    assert len(assert_promise(house.small, held=True).jobs) == 2


def test_white_space_and_line_endings_are_no_change(house: House) -> None:
    change_before(house, 2, lambda raw: raw.replace(b"\n", b"\r\n"))
    applied = house.small.apply(parallelism=1)
    assert applied is not None and applied.unsaved is None


def test_a_lock_that_appears_where_there_was_none_stays(tmp_path: Path) -> None:
    house = House(tmp_path / "house", speed=0.01)
    other = House(tmp_path / "other", speed=0.01)
    other.small.apply()
    theirs = lock_of(other).read_bytes().replace(b'"id-', b'"other-')
    house.before = lambda call: put(house, theirs) if call.number == 1 else None
    error = refused(house)
    assert "there was none, and it is of lineage other-" in error.message
    assert lock_of(house).read_bytes() == theirs
    house.close()
    other.close()


@pytest.mark.parametrize("how", ["deleted", "of another lineage"])
def test_a_lock_that_is_replaced_while_an_apply_waits_is_not_made_anew(tmp_path: Path, how: str) -> None:
    house = House(tmp_path / "house")
    put_there: list[bytes | None] = []
    sleep = house.clock.sleep

    async def meanwhile(seconds: float) -> None:
        if not put_there:
            put_there.append(CHANGES[how][0](lock_of(house).read_bytes()))
            put(house, put_there[0])
        await sleep(seconds)

    house.clock.sleep = meanwhile  # type: ignore[method-assign]  # somebody acts while nobody looks
    applied = house.small.apply(wait=True)
    assert applied is not None and applied.unsaved is not None
    assert CHANGES[how][1] in applied.unsaved.message
    assert (lock_of(house).read_bytes() if lock_of(house).exists() else None) == put_there[0]
    house.close()


def test_the_command_tells_what_was_done_and_then_what_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = Small.at(tmp_path)
    small.apply()
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    lock = small.root / "rftplan.lock"
    require_same = LockOnDisk.require_same

    def meanwhile(self: LockOnDisk) -> None:
        lock.write_bytes(b"<<<<<<< HEAD\n" + lock.read_bytes())
        require_same(self)

    monkeypatch.setattr(LockOnDisk, "require_same", meanwhile)  # watched, not replaced
    assert main(["-C", str(small.root), "apply", "--yes", "--allow", "cancel-active"]) == 1
    out, err = capsys.readouterr()
    assert "job.review" in out and "1 done" in out
    assert "rftplan.lock was changed by somebody else meanwhile: it has merge-conflict markers" in err
