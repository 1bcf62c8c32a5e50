"""What a death, or a disk that promised too much, leaves of a journal. Whatever was torn off, the next apply launches
nothing twice, and ends in the same state where every effect was on the disk; what was damaged in its middle is refused.

`RFTPLAN_LONG=1` tears the journals of every apply at every line, and not of some of them at some.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from rftplan import service_choice
from rftplan.amending.recovering import recover
from rftplan.errors import LockError, RftplanError
from rftplan.journal import read_state
from rftplan.promoted import state_paths
from tests.scenarios.applies import DUE, Due, parted
from tests.scenarios.promised import SETTLED, House, assert_one_of_each, assert_promise, end_state, house_at
from tests.scenarios.test_crash_matrix import difference, go_on, photographs, wanted_ends
from tests.tally import Tally

LONG: Final = bool(os.environ.get("RFTPLAN_LONG"))
USUAL: Final = ("two jobs", "relaunch after our cancel", "new bytes", "grant and revoke", "delete files", "--replace")
TORN: Final = [due for due in DUE if LONG or due.name in USUAL]
JOURNAL: Final = ".rftplan/default/journal.jsonl"


@pytest.fixture(params=TORN, ids=str)
def due(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Due:
    """Where its files go in parts, the profile says so of small ones."""
    found: Due = request.param
    if found.parts:
        monkeypatch.setattr(service_choice, "SERVED", parted(service_choice.SERVED))
    return found


def test_whatever_is_torn_off_a_journal_the_next_apply_launches_nothing_twice(
    due: Due, tmp_path: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = wanted_ends(due, tmp_path)
    full = [photo for what, photo in photographs(due, tmp_path, monkeypatch) if what == "before the fold"]
    wrong = []
    for number, photo in enumerate(full):
        whole = (photo / "project" / JOURNAL).read_bytes()
        tally["torn journals", "bytes read"] += each_byte_of_the_last_line_is_all_of_it(photo / "project", whole)
        for cut in cuts(whole, number):
            there = photo.with_name(f"{photo.name}-{cut}")
            shutil.copytree(photo, there)
            (there / "project" / JOURNAL).write_bytes(whole[:cut])
            synced = b'"record":"intent"' not in whole[cut:]
            tally["torn journals", "behind the last intent" if synced else "before an intent"] += 1
            name = f"{due}, {photo.name}, {cut} of {len(whole)} bytes"
            wrong += gone_wrong(name, due, house_at(there, speed=due.speed), ends, synced=synced)
    assert not wrong, "\n".join(wrong)


def each_byte_of_the_last_line_is_all_of_it(project: Path, whole: bytes) -> int:
    """Without any of its bytes the last line never happened; how many there were."""
    paths = state_paths(project)
    start = whole[:-1].rindex(b"\n") + 1
    paths.journal.write_bytes(whole[:start])
    without, _ = read_state(paths, new_lineage=str)
    for end in range(start + 1, len(whole)):
        paths.journal.write_bytes(whole[:end])
        assert read_state(paths, new_lineage=str)[0] == without, f"{end} of {len(whole)} bytes"
    paths.journal.write_bytes(whole)
    return len(whole) - start


def cuts(whole: bytes, number: int) -> list[int]:
    """Where it is torn: in the middle of its last line, and at the ends of lines, nothing left included."""
    lines = [at for at in range(len(whole)) if at == 0 or whole[at - 1 : at] == b"\n"]
    some = lines if LONG else [lines[0], lines[-1 - number % len(lines)]]
    return sorted({*some, (lines[-1] + len(whole)) // 2})


def gone_wrong(name: str, due: Due, house: House, ends: list[dict[str, Any]], *, synced: bool) -> Iterator[str]:
    """What does not hold. An intent that was lost is one that a disk had promised to keep: then somebody may be asked,
    and what was made from here may count as found, but nothing is made twice."""
    try:
        go_on(due, house)
        if synced:
            end = end_state(house.small, assert_promise(house.small, held=due.held, **due.selection))
            if end not in ends:
                yield f"{name}: ended elsewhere: {difference(end, ends[0])}"
        there = house.truth()
        assert_one_of_each(there)
        launched = sorted(job.metadata.get("rftplan_launch", "") for job in there.jobs.values())
        if launched not in [[slot for slot, _ in end["jobs"]] for end in ends]:
            yield f"{name}: launched {launched}, not {ends[0]['jobs']}"
    except (AssertionError, RftplanError) as error:
        yield f"{name}: {error}"
    finally:
        house.close()


def damaged(tmp_path: Path) -> House:
    """A house that died after it had launched, and a digit of whose journal the disk got wrong since."""
    house = House(tmp_path / "house", speed=0.01)
    house.after = lambda call: house.photograph(tmp_path / "photo") if call.path.endswith("/jobs") else None
    house.small.apply(parallelism=1)
    house.close()
    journal = tmp_path / "photo/project" / JOURNAL
    first, *rest = journal.read_bytes().split(b"\n")
    rest[0] = rest[0].replace(b":1800000000", b":1800000001", 1).replace(b'"attempt":1', b'"attempt":2', 1)
    journal.write_bytes(b"\n".join([first, *rest]))
    return house_at(tmp_path / "photo", speed=0.01)


COMMANDS: Final[dict[str, Callable[[House], Any]]] = {
    "plan": lambda house: house.small.plan(),
    "apply": lambda house: house.small.apply(),
    "recover": lambda house: asyncio.run(recover(house.small.options, world=house.small.world)),
}


def test_a_journal_that_is_damaged_in_its_middle_is_refused_and_moved_away_nothing_is_made_twice(
    tmp_path: Path,
) -> None:
    house = damaged(tmp_path)
    journal = house.small.root / JOURNAL
    before = journal.read_bytes()
    for command in COMMANDS.values():
        with pytest.raises(LockError, match=rf"^journal {JOURNAL} is damaged in line 2 of \d: its checksum") as refused:
            command(house)
        assert f"mv {JOURNAL} {JOURNAL}.damaged" in str(refused.value.hint)
    assert journal.read_bytes() == before
    journal.rename(journal.with_name("journal.jsonl.damaged"))
    house.clock.time += SETTLED
    house.small.apply()
    house.clock.time += 600
    house.small.apply()
    there = assert_promise(house.small, held=True)
    assert (len(there.jobs), len(there.files)) == (1, 2)
    house.close()
