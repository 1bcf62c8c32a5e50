"""What is looked at without a service: specs, lock, journal, folder, disk, Python graders."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from rftplan.address import Address
from rftplan.doctor import About, State, examine
from rftplan.doctor.machine import LOOKS, ROOM, Machine
from rftplan.grading import PythonWorker
from rftplan.subject import read_subject
from rftplan.wiring import kept_in
from tests.doctor.test_doctor import sign, wrong
from tests.test_ledger import Disk, ledger_at
from tests.world import Small

PYTHON = """\
graders:
  counted:
    type: python
    source: "def grade(sample, item):\\n    return 1.0\\n"
"""


class NotKeptIn(PythonWorker):
    """A runner on a machine that cannot keep graders in."""

    @property
    def refusal(self) -> str | None:
        return "This machine lacks Landlock."

    def close(self) -> None:
        pass


def found(small: Small, about: About, **machine: Any) -> tuple[State, str]:
    here = Machine(**{"new_runner": kept_in, **machine})
    sign = LOOKS[about](read_subject(small.options, small.world.today()), here)
    return sign.state, sign.found


def test_a_lock_that_cannot_be_read_is_wrong(small: Small) -> None:
    small.apply()
    assert found(small, About.LOCK)[0] is State.OK
    small.write("rftplan.lock", "<<<<<<< HEAD\n")
    state, said = found(small, About.LOCK)
    assert (state, "rftplan.lock" in said) == (State.WRONG, True)
    assert found(small, About.JOURNAL)[0] is State.NOT_ASKED


def test_an_effect_whose_end_nobody_saw_is_named_and_a_lock_is_missed_then(small: Small) -> None:
    ledger = ledger_at(small.root, Disk())
    ledger.begin(Address("job", "review"), "launch", token="token")
    ledger.close()
    state, said = found(small, About.JOURNAL)
    assert (state, said) == (State.WRONG, "nobody saw the end of what was done to job.review")
    assert found(small, About.LOCK) == (State.WRONG, "there is no rftplan.lock, and a journal that needs one")


def test_a_file_in_the_folders_place_is_wrong(small: Small) -> None:
    small.write(".rftplan", "no folder")
    assert found(small, About.FOLDER) == (State.WRONG, f"{small.root / '.rftplan'} is no folder")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_folder_that_may_not_be_written_is_wrong(small: Small) -> None:
    small.root.chmod(0o500)
    try:
        assert found(small, About.FOLDER) == (State.WRONG, f"{small.root} may not be written")
    finally:
        small.root.chmod(0o700)


def test_a_folder_that_cannot_be_flushed_is_wrong(small: Small) -> None:
    def refuse(_: Path) -> None:
        raise OSError(22, "Invalid argument")

    said = f"{small.root} cannot be flushed to disk: Invalid argument"
    assert found(small, About.FOLDER, flush=refuse) == (State.WRONG, said)


@pytest.mark.parametrize("free", [ROOM - 1, ROOM])
def test_too_little_room_is_wrong(small: Small, free: int) -> None:
    assert found(small, About.DISK, free=lambda _: free)[0] is (State.OK if free >= ROOM else State.WRONG)


def test_a_machine_that_cannot_keep_graders_in_is_wrong_only_for_who_has_some(small: Small) -> None:
    assert found(small, About.PYTHON, new_runner=NotKeptIn)[0] is State.NOT_ASKED
    small.write("specs/python.yaml", PYTHON)
    said = "This machine lacks Landlock. grader.counted cannot be tried here"
    assert found(small, About.PYTHON, new_runner=NotKeptIn) == (State.WRONG, said)


def test_a_look_that_fails_is_told_and_hides_no_other(small: Small) -> None:
    def refuse(folder: Path) -> int:
        raise OSError(5, "Input/output error", str(folder))

    seen = asyncio.run(examine(small.options, small.world, machine=Machine(kept_in, free=refuse)))
    assert wrong(seen) == {"disk": f"{small.root} cannot be looked at: Input/output error"}
    assert sign(seen, About.VERSIONS).state is State.OK
