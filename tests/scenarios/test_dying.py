"""The promise of DESIGN §4: however and whenever rftplan dies, running it again reaches the same end state."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.scenarios.dying import Death, Point, apply_and_die
from tests.world import Clock, Small

COUNTS = {"call": 4, "record": 11, "disk": 24}
POINTS = [
    Point(kind, number, after)
    for kind, count in COUNTS.items()
    for number in range(1, count + 1)
    for after in (False, True)
]
SHARED = [Point("disk", number, after) for number in range(1, 8) for after in (False, True)]
"""The syncs of the level that uploads two files at a time."""


def test_the_points_are_all_there_are(tmp_path: Path) -> None:
    """Otherwise the list above would quietly miss new effects."""
    Small.at(tmp_path)
    lived = apply_and_die(tmp_path, None)
    assert lived.code == 0
    assert lived.counts == COUNTS


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_killed_at_any_effect_and_run_again(tmp_path: Path, point: Point) -> None:
    Small.at(tmp_path)
    death = apply_and_die(tmp_path, point)
    assert death.code == -signal.SIGKILL
    assert_the_next_apply_ends_well(tmp_path, death)


@pytest.mark.parametrize("point", SHARED, ids=str)
def test_killed_while_two_uploads_share_a_sync(tmp_path: Path, point: Point) -> None:
    Small.at(tmp_path)
    death = apply_and_die(tmp_path, point, parallelism=10)
    assert death.code == -signal.SIGKILL
    assert_the_next_apply_ends_well(tmp_path, death)


def assert_the_next_apply_ends_well(root: Path, death: Death) -> None:
    """One job, one upload a file, everything on record: what an apply that nobody killed leaves behind."""
    again = Small(root, clock=Clock(death.time + 1))
    again.train()
    assert again.verbs() == {}
    assert len(again.jobs()) == 1
    assert len(again.files()) == 2
    entries = {str(address): entry for address, entry in again.lock().resources.items()}
    assert set(entries) == {"file.train", "file.test", "grader.match", "job.review", "deployment.reviewer"}
    assert {entry.origin for entry in entries.values()} == {"created"}
    assert len(entries["deployment.reviewer"].history) == 1
