"""A large file goes in parts, and whoever uploads it dies between any two of them: one file, one job."""

from __future__ import annotations

import signal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.api import profiles
from tests.scenarios import dying
from tests.scenarios.dying import Point, apply_and_die
from tests.scenarios.test_dying import assert_the_next_apply_ends_well
from tests.world import Small

PARTS = profiles.PartSizes(above=100, size=400, at_once=1)
IN_PARTS = MappingProxyType({**profiles.PROFILES, "local": replace(profiles.PROFILES["local"], parts=PARTS)})
CALLS = 7
"""Of the first of the two files: announced, five parts, completed."""

POINTS = [Point("call", number, after) for number in range(1, CALLS + 1) for after in (False, True)]


def apply_in_parts(*rest: Any) -> None:
    """In the child, whose profiles are nobody else's."""
    profiles.PROFILES = IN_PARTS  # type: ignore[misc]
    dying._apply(*rest)


def test_the_first_file_has_as_many_calls(tmp_path: Path) -> None:
    Small.at(tmp_path)
    assert apply_and_die(tmp_path, None, work=apply_in_parts).counts["call"] > CALLS + 2
    assert apply_and_die(tmp_path, None, work=apply_in_parts).counts["call"] == 0


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_killed_between_parts_and_run_again(tmp_path: Path, point: Point, monkeypatch: pytest.MonkeyPatch) -> None:
    Small.at(tmp_path)
    death = apply_and_die(tmp_path, point, work=apply_in_parts)
    assert death.code == -signal.SIGKILL
    monkeypatch.setattr(profiles, "PROFILES", IN_PARTS)
    assert_the_next_apply_ends_well(tmp_path, death)
