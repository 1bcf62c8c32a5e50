"""The promise of DESIGN §4: however and whenever rftplan dies, running it again reaches the same end state."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.scenarios.dying import Point, apply_and_die
from tests.world import Clock, Small

CALLS, DISK = 4, 29
POINTS = [
    Point(kind, number, after)
    for kind, count in (("call", CALLS), ("disk", DISK))
    for number in range(1, count + 1)
    for after in (False, True)
]


def test_the_points_are_all_there_are(tmp_path: Path) -> None:
    """Otherwise the list above would quietly miss new effects."""
    Small.at(tmp_path)
    lived = apply_and_die(tmp_path, None)
    assert lived.code == 0
    assert lived.counts == {"call": CALLS, "disk": DISK}


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_killed_at_any_effect_and_run_again(tmp_path: Path, point: Point) -> None:
    Small.at(tmp_path)
    death = apply_and_die(tmp_path, point)
    assert death.code == -signal.SIGKILL
    again = Small(tmp_path, clock=Clock(death.time + 1))
    again.train()
    assert again.verbs() == {}
    assert len(again.jobs()) == 1
    assert len(again.files()) == 2
    entries = {str(address): entry for address, entry in again.lock().resources.items()}
    assert set(entries) == {"file.train", "file.test", "grader.match", "job.review", "deployment.reviewer"}
    assert {entry.origin for entry in entries.values()} == {"created"}
    assert len(entries["deployment.reviewer"].history) == 1
