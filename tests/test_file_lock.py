"""One process at a time acts: who is second is told who is first, and nobody is in a dead one's way."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from rftplan.errors import BusyError, LockError, UserError
from rftplan.events import Event, LockAwaited, StepStarted
from rftplan.file_lock import Holder, acting_alone, break_lock, lock_standing
from rftplan.journal import Paths
from rftplan.promoted import state_paths
from tests.world import Small

HOLDER = """
import sys
from pathlib import Path
from rftplan.file_lock import acting_alone
from rftplan.promoted import state_paths
with acting_alone(state_paths(Path(sys.argv[1])), "apply"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another(root: Path) -> Iterator[subprocess.Popen[str]]:
    """A real process that holds the lock until its input ends, or it is killed."""
    command = [sys.executable, "-c", HOLDER, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        try:
            yield other
        finally:
            other.kill()


def killed(root: Path) -> int:
    """A process died while it held the lock; its number."""
    with another(root) as other:
        other.kill()
        other.wait()
        return other.pid


def paths(root: Path) -> Paths:
    return state_paths(root)


def test_a_second_process_is_told_who_acts_where_and_since_when(tmp_path: Path) -> None:
    with another(tmp_path) as other:
        named = (
            rf"another rftplan is acting in \S+\.rftplan/default: rftplan apply, process {other.pid} of "
            rf"{getpass.getuser()} on {socket.gethostname()}, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
        )
        with pytest.raises(BusyError, match=named) as caught, acting_alone(paths(tmp_path), "apply"):
            raise AssertionError("two processes act at once")
        assert "--lock-timeout" in str(caught.value.hint)


def test_a_holder_that_was_killed_is_in_nobodys_way(tmp_path: Path) -> None:
    process = killed(tmp_path)
    standing = lock_standing(paths(tmp_path))
    assert not standing.held and standing.holder is not None and standing.holder.process == process
    with acting_alone(paths(tmp_path), "apply"):
        pass
    assert lock_standing(paths(tmp_path)).holder is None, "whoever lets go leaves no name behind"


def test_whoever_failed_while_acting_has_let_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), acting_alone(paths(tmp_path), "apply"):
        raise ZeroDivisionError
    with acting_alone(paths(tmp_path), "apply"):
        pass


def test_a_place_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / ".rftplan").write_text("a file in the way")
    with pytest.raises(LockError, match="cannot be used"), acting_alone(paths(tmp_path), "apply"):
        pass


def test_looking_at_a_lock_makes_no_folder(tmp_path: Path) -> None:
    standing = lock_standing(paths(tmp_path))
    assert (standing.held, standing.holder, list(tmp_path.iterdir())) == (False, None, [])


@pytest.mark.parametrize("written", ["", "{", "[]", '{"command": 3}', "process 12 since 10:00:00", "\udcff"])
def test_a_holder_that_is_not_written_down_is_somebody(tmp_path: Path, written: str) -> None:
    with another(tmp_path):
        (tmp_path / ".rftplan/default/holder").write_bytes(written.encode(errors="surrogateescape"))
        with pytest.raises(BusyError, match="who it is was not written down"), acting_alone(paths(tmp_path), "apply"):
            pass
        with pytest.raises(UserError, match="nobody can be named as dead"):
            break_lock(lock_standing(paths(tmp_path)), "host/1")


def test_a_lock_that_is_held_on_this_machine_is_never_broken(tmp_path: Path) -> None:
    with another(tmp_path) as other:
        standing = lock_standing(paths(tmp_path))
        assert standing.holder is not None and standing.holder.here
        with pytest.raises(UserError, match="is alive") as caught:
            break_lock(standing, f"{socket.gethostname()}/{other.pid}")
        assert f"kill {other.pid}" in str(caught.value.hint)
        assert lock_standing(paths(tmp_path)).held


def test_the_lock_of_a_machine_that_is_gone_is_taken_only_from_whom_a_person_names(tmp_path: Path) -> None:
    """As after the crash of a client of a file server: here a process stands for its lock, and says another host."""
    gone = Holder("apply", "sven", "build-7", 4711, "2026-11-23 06:51:47")
    with another(tmp_path):
        said = {"command": "apply", "user": "sven", "host": "build-7", "process": 4711, "since": gone.since}
        (tmp_path / ".rftplan/default/holder").write_text(json.dumps(said))
        standing = lock_standing(paths(tmp_path))
        assert standing.holder == gone and not gone.here
        with pytest.raises(UserError, match="held by build-7/4711, not by build-7/4712"):
            break_lock(standing, "build-7/4712")
        break_lock(standing, "build-7/4711")
        with acting_alone(paths(tmp_path), "apply"):
            assert lock_standing(paths(tmp_path)).held


def waiting_for(small: Small, other: subprocess.Popen[str], looks: int, told: list[Event]) -> None:
    """Apply with patience; the other lets go, or dies, after so many looks."""
    sleep, count = small.clock.sleep, iter(range(10_000))

    async def sleeping(seconds: float) -> None:
        if next(count) == looks:
            other.kill()
            other.wait()
        await sleep(seconds)

    small.clock.sleep = sleeping  # type: ignore[method-assign]
    small.results(on_event=told.append, lock_timeout=60)


def test_who_has_patience_waits_and_plans_on_what_the_other_left(small: Small) -> None:
    told: list[Event] = []
    with another(small.root) as other:
        waiting_for(small, other, 3, told)
        waits = [event for event in told if isinstance(event, LockAwaited)]
        assert len(waits) == 1 and f"process {other.pid}" in waits[0].holder
    assert told.index(waits[0]) < next(i for i, event in enumerate(told) if isinstance(event, StepStarted))
    assert len(small.jobs()) == 1


def test_patience_ends(small: Small) -> None:
    with another(small.root), pytest.raises(BusyError, match="another rftplan is acting"):
        small.apply(lock_timeout=60)
    assert small.jobs() == []


def test_who_waits_can_be_stopped(small: Small) -> None:
    stop = asyncio.Event()
    stop.set()
    with another(small.root), pytest.raises(KeyboardInterrupt):
        small.apply(lock_timeout=60, stop=stop)


def test_what_was_planned_before_another_acted_is_planned_anew(small: Small) -> None:
    """The other comes between the plan and the act: who has patience looks again, and launches nothing twice."""
    asked: list[int] = []

    def consent(plan: object) -> bool:
        if not asked:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(Small(small.root, clock=small.clock, ids=small.ids).apply).result()
        asked.append(1)
        return True

    small.apply(consent=consent, lock_timeout=60)
    assert len(small.jobs()) == 1


def test_of_two_real_applies_at_once_one_acts_and_the_other_waits(small: Small) -> None:
    """Both start while a third holds the lock, so that neither is first by luck."""
    command = [sys.executable, "-m", "rftplan", "-C", str(small.root), "apply", "--yes", "--lock-timeout", "2m"]
    environ = {**os.environ, "RFTPLAN_LOCAL_SPEED": "100000"}
    with another(small.root) as third:
        pipe = subprocess.PIPE
        both = [subprocess.Popen(command, stderr=pipe, stdout=pipe, text=True, env=environ) for _ in range(2)]
        for one in both:
            assert one.stderr is not None
            assert f"Waiting for another to be done: rftplan apply, process {third.pid}" in one.stderr.readline()
        third.kill()
    ends = [(one.communicate(), one.returncode) for one in both]
    assert [code for _, code in ends] == [0, 0], ends
    assert len(small.jobs()) == 1
