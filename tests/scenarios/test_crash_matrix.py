"""The promise of DESIGN §4, point by point: every effect of every apply, and every way in which it can go wrong.

Each point is one apply that goes wrong there, a second at once, and a third once a look-up proves something. Then it
must be as if nothing had happened: the same end state, one of each, and lock and service agree.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from rftplan import lock_on_disk, service_choice
from rftplan.errors import RftplanError
from tests.faults import Fault
from tests.scenarios.applies import BARE, DUE, Due, bare, parted
from tests.scenarios.promised import LAG, SETTLED, Call, House, assert_one_of_each, assert_promise, end_state, house_at
from tests.tally import Tally

LONG: Final = bool(os.environ.get("RFTPLAN_LONG"))
"""Every point with lists that are behind and with lists that are not, and not with one of the two."""

FAULTS: Final = (
    Fault.LOST_BEFORE,
    Fault.LOST_AFTER,
    Fault.ERROR_BEFORE,
    Fault.ERROR_AFTER,
    Fault.NOT_CONNECTED,
    Fault.TOO_MANY,
)


@pytest.fixture(params=(*DUE, *(BARE if LONG else BARE[:4])), ids=str)
def due(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Due:
    """Where its files go in parts, the profile says so of small ones."""
    found: Due = request.param
    if found.parts:
        monkeypatch.setattr(service_choice, "SERVED", parted(service_choice.SERVED))
    if found.bare:
        monkeypatch.setattr(service_choice, "SERVED", bare(service_choice.SERVED))
    return found


def test_a_process_dies_at_any_point_and_is_run_again(
    due: Due, tmp_path: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = wanted_ends(due, tmp_path)
    wrong = []
    for number, (what, photo) in enumerate(photographs(due, tmp_path, monkeypatch)):
        for behind in lists_behind(number):
            tally["crash matrix", f"deaths {what}"] += 1
            there = tmp_path / f"{photo.name}-{behind}"
            shutil.copytree(photo, there)
            wrong += gone_wrong(
                f"died {what}, {photo.name}", due, house_at(there, speed=due.speed), ends, behind=behind
            )
    assert not wrong, "\n".join(wrong)


def test_an_answer_goes_wrong_at_any_call_and_apply_is_run_again(due: Due, tmp_path: Path, tally: Tally) -> None:
    ends = wanted_ends(due, tmp_path)
    start = at_due(due, tmp_path / "start")
    start.photograph(tmp_path / "due")
    due.apply(start)
    start.close()
    wrong = []
    points = [(call, fault) for call in start.calls if not staged(call) for fault in FAULTS]
    for number, (call, fault) in enumerate(points):
        for behind in lists_behind(number):
            tally["crash matrix", f"answers {fault}"] += 1
            shutil.copytree(tmp_path / "due", tmp_path / "now")
            house = house_at(tmp_path / "now", speed=due.speed)
            if behind:
                house.lag()
            house.fault_of = lambda now, at=call.number, fault=fault: fault if now.number == at else None
            due.apply(house)
            house.fault_of = lambda _: None
            wrong += gone_wrong(f"{fault} at {call}", due, house, ends, behind=behind)
            shutil.rmtree(tmp_path / "now")
    assert not wrong, "\n".join(wrong)


def staged(call: Call) -> bool:
    """A part of a file: nothing comes of it, and the SDK repeats it after a while."""
    return call.path.endswith(("/parts", "/uploads"))


def lists_behind(number: int) -> tuple[bool, ...]:
    return (False, True) if LONG else (number % 2 == 0,)


def at_due(due: Due, root: Path) -> House:
    """A new house where the apply is due, with nothing in it so new that lists could not show it."""
    house = House(root, speed=due.speed, bare=due.bare)
    due.prepare(house)
    house.clock.time += LAG + 0.1
    house.calls.clear()
    return house


def photographs(due: Due, root: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    """What the apply would leave behind at each of its points, in their order."""
    house = at_due(due, root / "photographed")
    taken: list[tuple[str, Path]] = []

    def take(what: str) -> None:
        photo = root / f"point-{len(taken):02}"
        house.photograph(photo)
        taken.append((what, photo))

    house.before = lambda _: take("before the call")
    house.after = lambda _: take("before its result")
    write_lock = lock_on_disk.write_lock

    def watched(path: Path, lock: Any) -> None:
        take("before the fold")
        write_lock(path, lock)
        take("between lock and journal")

    with monkeypatch.context() as watching:
        watching.setattr(lock_on_disk, "write_lock", watched)
        due.apply(house)
    house.close()
    return taken


def wanted_ends(due: Due, root: Path) -> list[dict[str, Any]]:
    """Where it ends if nothing goes wrong; where it was asked for once, also where it ends if it was never asked."""
    ends = []
    for number, first in enumerate((due.apply, due.repeat) if due.once else (due.apply,)):
        house = at_due(due, root / f"calm-{number}")
        first(house)
        go_on(due, house)
        ends.append(end_of(due, house))
        house.close()
    return ends


def gone_wrong(name: str, due: Due, house: House, ends: list[dict[str, Any]], *, behind: bool) -> Iterator[str]:
    """What does not hold of the promise after this point."""
    try:
        if behind:
            house.lag()
        go_on(due, house)
        end = end_of(due, house)
        if end not in ends:
            yield f"{due}: {name}, behind={behind}: ended elsewhere: {difference(end, ends[0])}"
    except (AssertionError, RftplanError) as error:
        yield f"{due}: {name}, behind={behind}: {error}"
    finally:
        house.close()


def go_on(due: Due, house: House) -> None:
    """The second apply at once, and the third after the settle time; then lists show everything, and jobs end."""
    assert_one_of_each(house.truth(), by_hand=house.strangers)
    due.repeat(house)
    assert_one_of_each(house.truth(), by_hand=house.strangers)
    house.clock.time += SETTLED
    due.repeat(house)
    house.catch_up()
    house.clock.time += 6 / house.speed
    due.repeat(house)


def end_of(due: Due, house: House) -> dict[str, Any]:
    shown = house.truth(grants=True) if house.bare else None
    there = assert_promise(house.small, by_hand=house.strangers, held=due.held, there=shown, **due.selection)
    return end_state(house.small, there)


def difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """Only what differs, a level deep."""
    said = []
    for key in one:
        if isinstance(one[key], dict):
            names = sorted({*one[key], *other[key]})
            said += [
                f"{n}: {one[key].get(n)}, not {other[key].get(n)}"
                for n in names
                if one[key].get(n) != other[key].get(n)
            ]
        elif one[key] != other[key]:
            said.append(f"{key}: {one[key]}, not {other[key]}")
    return "; ".join(said)
