"""`recover`: what a crash left open is looked up, and what is certain is written down. It launches nothing, ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from rftplan.address import Address
from rftplan.amending.recovering import Fate, Recovery, recover
from rftplan.changes import Reason
from rftplan.errors import BusyError
from rftplan.file_lock import acting_alone
from rftplan.promoted import state_paths
from tests.faults import Fault, once
from tests.scenarios.dying import Point, apply_and_die
from tests.scenarios.test_bad_luck import FILES, JOBS, PAID, PaidService
from tests.world import Clock, Small

JOB = Address("job", "review")


def recovered(small: Small) -> Recovery:
    return asyncio.run(recover(small.options, world=small.world))


@pytest.fixture
def paid(tmp_path: Path) -> Iterator[tuple[Small, PaidService]]:
    """A provider whose lists take a while to be believed."""
    clock = Clock()
    service = PaidService(tmp_path / "remote", clock)
    environ = {"OPENAI_API_KEY": "sk-test"}
    yield Small.at(tmp_path / "project", PAID, clock=clock, environ=environ, wrap=service.transport), service
    service.close()


def crash(small: Small, service: PaidService, path: str, fault: Fault) -> None:
    service.plan = once("POST", path, fault)
    small.apply()
    service.plan = lambda *_: None


def test_with_nothing_open_there_is_nothing_to_do(small: Small) -> None:
    assert recovered(small) == Recovery(())
    small.train()
    assert recovered(small) == Recovery(())


def test_a_launch_that_went_through_is_recorded_and_not_repeated(paid: tuple[Small, PaidService]) -> None:
    small, service = paid

    sent: list[str] = []

    def lost(method: str, path: str, count: int) -> Fault | None:
        """The reply to the launch, and of every look-up after it."""
        if (method, path) == ("POST", JOBS):
            sent.append(path)
            return Fault.LOST_AFTER
        return Fault.ERROR_BEFORE if sent else None

    service.plan = lost
    small.apply()
    service.plan = lambda *_: None
    assert small.lock().resources.get(JOB) is None
    (found,) = recovered(small).effects
    (job,) = small.jobs()
    assert (found.address, found.verb, found.fate, found.id) == (JOB, "launch", Fate.RECORDED, job.id)
    assert small.lock().resources[JOB].id == job.id
    assert recovered(small) == Recovery(())
    assert len(small.jobs()) == 1


def test_what_nobody_can_tell_yet_stays_open_and_says_for_how_long(paid: tuple[Small, PaidService]) -> None:
    small, service = paid
    crash(small, service, JOBS, Fault.LOST_BEFORE)
    (found,) = recovered(small).effects
    assert (found.fate, found.id) == (Fate.OPEN, None)
    assert found.settles_in is not None and 0 < found.settles_in <= 120
    assert small.changes()["job.review"].reason is Reason.FATE_UNKNOWN
    small.clock.time += found.settles_in
    (found,) = recovered(small).effects
    assert found.fate is Fate.NOT_DONE
    assert (recovered(small), small.jobs()) == (Recovery(()), [])
    assert small.verbs()["job.review"] == "create launch"


def test_an_upload_that_was_cut_off_is_told_too(paid: tuple[Small, PaidService]) -> None:
    small, service = paid
    crash(small, service, FILES, Fault.LOST_BEFORE)
    small.clock.time += 3600
    fates = {str(found.address): found.fate for found in recovered(small).effects}
    assert set(fates.values()) <= {Fate.NOT_DONE, Fate.RECORDED} and fates
    assert recovered(small) == Recovery(())


def test_with_broken_specs_it_only_lists(paid: tuple[Small, PaidService]) -> None:
    small, service = paid
    crash(small, service, JOBS, Fault.LOST_BEFORE)
    small.write("specs/main.yaml", "jobs: {")
    found = recovered(small)
    assert [one.fate for one in found.effects] == [Fate.OPEN]
    assert found.unasked is not None and found.unasked.diagnostics


def test_beside_an_apply_open_effects_are_not_taken_for_lost(paid: tuple[Small, PaidService]) -> None:
    small, service = paid
    crash(small, service, JOBS, Fault.LOST_BEFORE)
    with acting_alone(state_paths(small.root), "apply"), pytest.raises(BusyError, match="rftplan apply"):
        recovered(small)


@pytest.mark.parametrize("number", [1, 2, 4])
@pytest.mark.parametrize("after", [False, True])
def test_after_a_real_death_it_changes_nothing_at_the_service(tmp_path: Path, number: int, after: bool) -> None:
    """The uploads and the launch; what was validated leaves nothing open."""
    Small.at(tmp_path)
    death = apply_and_die(tmp_path, Point("call", number, after))
    small = Small(tmp_path, clock=Clock(death.time + 1))
    before = small.jobs(), small.files()
    found = recovered(small).effects
    assert [one.fate for one in found] == [Fate.RECORDED if after else Fate.NOT_DONE]
    assert (small.jobs(), small.files()) == before
    assert recovered(small) == Recovery(())
    small.train()
    assert (len(small.jobs()), len(small.files()), small.verbs()) == (1, 2, {})
