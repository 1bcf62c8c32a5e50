"""An attempt counts from when it ended, not from when it began: an upload takes its time, and a call waits for its turn
while the service asks for it. Whoever dies at the end of it, and comes again before lists show what came of it, sends
nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from rftplan import service_choice
from rftplan.changes import Reason
from tests.faults import Fault
from tests.scenarios.applies import parted
from tests.scenarios.promised import SETTLED, Call, House, assert_promise, house_at

SLOW = 60.0
"""Seconds, more than a call may act after we lost it and lists may be behind, together."""


class Photographer:
    """A house, photographed as the answer comes to the first call to such a path that has no fault: what is there when
    the process is killed then."""

    def __init__(self, root: Path, path: str) -> None:
        self.house, self.path, self.photo = House(root / "house", speed=0.01), path, root / "photo"
        self.house.after = self._after

    def _after(self, call: Call) -> None:
        if call.path.endswith(self.path) and self.house.fault_of(call) is None and not self.photo.exists():
            self.house.photograph(self.photo)

    def developed(self) -> House:
        """The house after that death, with lists that are behind."""
        self.house.small.apply(parallelism=1)
        self.house.close()
        there = house_at(self.photo, speed=0.01)
        there.lag()
        return there


def assert_waits_and_recovers(house: House, address: str) -> None:
    change = house.small.changes()[address]
    assert change.reason is Reason.FATE_UNKNOWN, (change.action, change.reason, change.detail)
    house.small.apply(parallelism=1)
    house.clock.time += SETTLED
    house.catch_up()
    for _ in range(2):
        house.small.apply(parallelism=1)
    there = assert_promise(house.small)
    assert (len(there.files), len(there.jobs)) == (2, 1)
    house.close()


def test_an_upload_in_parts_counts_from_its_last_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_choice, "SERVED", parted(service_choice.SERVED))
    taking = Photographer(tmp_path, "/complete")

    def slow(call: Call) -> None:
        taking.house.clock.time += SLOW if call.path.endswith("/parts") else 0.0

    taking.house.before = slow
    assert_waits_and_recovers(taking.developed(), "file.test")


@pytest.mark.parametrize(("path", "address"), [("/files", "file.test"), ("/jobs", "job.review")])
def test_a_call_that_waited_for_its_turn_counts_from_when_it_went_out(tmp_path: Path, path: str, address: str) -> None:
    taking = Photographer(tmp_path, path)
    asked: list[Call] = []

    def busy(call: Call) -> Fault | None:
        if call.path.endswith(path) and len(asked) < 4 and call not in asked:
            asked.append(call)
        return Fault.TOO_MANY if call in asked else None

    taking.house.fault_of = busy
    assert_waits_and_recovers(taking.developed(), address)
