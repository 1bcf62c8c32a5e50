"""A real apply against a real service, killed or stopped at a moment that nobody chose, and run again to the end.

The moments of a run come from its seed, which its name says; `RFTPLAN_SEED=n` tries others. `RFTPLAN_LONG=1` doubles.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from rftplan.journal import read_state
from rftplan.promoted import state_paths
from tests.scenarios.processes import Applying, project_at, served
from tests.scenarios.promised import SETTLED, assert_promise
from tests.tally import Tally

FIRST: Final = int(os.environ.get("RFTPLAN_SEED", "0"))
SEEDS: Final = range(FIRST, FIRST + (20 if os.environ.get("RFTPLAN_LONG") else 10))
STOPPED: Final = range(FIRST, FIRST + (18 if os.environ.get("RFTPLAN_LONG") else 6))
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SPEED: Final = 10.0
SLOW: Final = "latency seconds=0.15 times=always on=POST /v1/fi*"
"""Uploads and launches take a while, so that a moment that nobody chose may lie in one."""


@dataclass(frozen=True)
class Place:
    """A service, and how long an apply to the end takes there, in seconds."""

    root: Path
    url: str
    whole: float


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("killed")
    with served(root / "service", speed=SPEED, fault=SLOW) as url:
        for name in ("warm", "calm"):  # the first pays for what is imported late
            ended = Applying(project_at(root / name, url, name).root).ended()
            assert ended is not None and ended.code == 0, ended
        yield Place(root, url, ended.seconds)


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_a_random_moment_and_run_again_to_the_end(seed: int, place: Place, tally: Tally) -> None:
    small = project_at(place.root / f"seed-{seed}", place.url, f"seed-{seed}")
    moment = random.Random(seed).uniform(0, place.whole)
    applying = Applying(small.root)
    if applying.ended(moment) is None:
        applying.process.kill()
    ended = applying.ended()
    assert ended is not None and ended.code in (-signal.SIGKILL, 0)
    tally["killed at random", f"{left_behind(small.root) if ended.code else 'not in time'}"] += 1
    small.clock.time = time.time()
    small.apply()
    small.clock.time = time.time() + SETTLED
    small.train()
    there = assert_promise(small)
    ours = [job for job in there.jobs.values() if job.metadata["rftplan_address"].startswith(f"seed-{seed}/")]
    assert [str(job.status) for job in ours] == ["succeeded"], f"seed {seed}, after {moment:.3f} s"


@pytest.mark.parametrize(("seed", "number"), [(seed, SIGNALS[seed % len(SIGNALS)]) for seed in STOPPED])
def test_stopped_at_a_random_moment_it_ends_in_good_order_and_says_how_to_go_on(
    seed: int, number: signal.Signals, place: Place, tally: Tally
) -> None:
    """What was in flight has ended, nothing is open, and who goes on finds all of it."""
    small = project_at(place.root / f"stop-{seed}", place.url, f"stop-{seed}")
    applying = Applying(small.root)
    if applying.ended(random.Random(seed).uniform(0, place.whole)) is None:
        applying.signal(number)
    ended = applying.ended()
    assert ended is not None
    assert ended.code in (0, 130), ended
    assert "Traceback" not in ended.err
    if ended.code:
        assert ended.err.endswith("Interrupted.\n") or ended.out.endswith(
            f"Go on with: rftplan -C {small.root} apply --wait\n"
        ), ended
    left = left_behind(small.root)
    tally["stopped at random", f"{number.name} {left if ended.code else 'not in time'}"] += 1
    assert "in the middle" not in left
    small.clock.time = time.time()
    small.train()
    there = assert_promise(small)
    ours = [job for job in there.jobs.values() if job.metadata["rftplan_address"].startswith(f"stop-{seed}/")]
    assert [str(job.status) for job in ours] == ["succeeded"]


def left_behind(root: Path) -> str:
    """Where it died, by what lies on the disk."""
    paths = state_paths(root)
    state, lock = read_state(paths, new_lineage=str)
    if state.new:
        return "before the first effect"
    if state.intents:
        return f"in the middle of {' and '.join(sorted({intent.verb for intent in state.intents.values()}))}"
    jobs = [entry for address, entry in state.entries.items() if address.kind == "job"]
    return "while the job ran" if jobs and lock is not None else "between two effects"
