"""Somebody stops an apply: at any call of it, while it waits, reads, or asks for the lock. Calls in flight end, nothing
new begins, what was done is on record, and the next apply goes on. A second time it stops at once.

`RFTPLAN_LONG=1` stops every apply at every call, and not some of them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from rftplan import service_choice
from rftplan.errors import RftplanError
from rftplan.events import Event, Outcome, StepStarted, WaitStarted
from rftplan.journal import differs, read_state
from rftplan.promoted import state_paths
from rftplan.render.apply_text import apply_text
from rftplan.render.documents import apply_document
from rftplan.render.look import Look
from tests.scenarios.applies import DUE, Due, parted
from tests.scenarios.processes import Applying, project_at, served
from tests.scenarios.promised import SETTLED, House, assert_promise, house_at
from tests.scenarios.test_crash_matrix import at_due, difference, end_of, go_on, wanted_ends
from tests.tally import Tally
from tests.test_file_lock import another
from tests.world import Small, rows

LONG: Final = bool(os.environ.get("RFTPLAN_LONG"))
USUAL: Final = ("first", "replace beside", "grant and revoke", "delete files", "destroy")
STOPPED: Final = [due for due in DUE if LONG or due.name in USUAL]
MOMENTS: Final = ("before a step", "during a call", "after a call", "while waiting")


@pytest.fixture(params=STOPPED, ids=str)
def due(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Due:
    """Where its files go in parts, the profile says so of small ones."""
    found: Due = request.param
    if found.parts:
        monkeypatch.setattr(service_choice, "SERVED", parted(service_choice.SERVED))
    return found


class Stopping:
    """One apply that is stopped at a moment: the how manyth of its kind."""

    def __init__(self, house: House, moment: str, number: int) -> None:
        self.stop = asyncio.Event()
        self.counts = dict.fromkeys(MOMENTS, 0)
        self.late: list[Event] = []
        self._at = (moment, number)
        house.before = lambda _: self._reached("during a call")
        house.after = lambda _: self._reached("after a call")

    def _reached(self, moment: str) -> None:
        self.counts[moment] += 1
        if (moment, self.counts[moment]) == self._at:
            self.stop.set()

    def __call__(self, event: Event) -> None:
        if isinstance(event, StepStarted | WaitStarted):
            if self.stop.is_set():
                self.late.append(event)
            self._reached("before a step" if isinstance(event, StepStarted) else "while waiting")


def test_stopped_at_any_call_it_begins_nothing_more_and_the_next_apply_goes_on(
    due: Due, tmp_path: Path, tally: Tally
) -> None:
    ends = wanted_ends(due, tmp_path)
    start = at_due(due, tmp_path / "start")
    start.photograph(tmp_path / "due")
    calm = Stopping(start, "never", 0)
    start.small.apply(parallelism=1, stop=calm.stop, on_event=calm, **due.options)
    start.close()
    wrong = []
    points = [(moment, number) for moment in MOMENTS for number in range(1, calm.counts[moment] + 1)]
    for moment, number in points if LONG else points[::-2]:
        tally["stopped applies", moment] += 1
        shutil.copytree(tmp_path / "due", tmp_path / "now")
        house = house_at(tmp_path / "now", speed=due.speed)
        wrong += gone_wrong(f"{due}: {moment}, {number}", due, house, ends, Stopping(house, moment, number))
        shutil.rmtree(tmp_path / "now")
    assert not wrong, "\n".join(wrong)


def gone_wrong(name: str, due: Due, house: House, ends: list[dict[str, Any]], stopping: Stopping) -> Iterator[str]:
    """What does not hold after the stop, or of where it ends in the end."""
    try:
        applied = house.small.apply(parallelism=1, stop=stopping.stop, on_event=stopping, **due.options)
        assert applied is not None and applied.interrupted and applied.unsaved is None
        if stopping.late:
            yield f"{name}: began {stopping.late}"
        skipped = [result.detail for result in applied.results if result.outcome is Outcome.SKIPPED]
        if {*skipped} - {"apply was stopped"} and not any("is not done" in detail for detail in skipped):
            yield f"{name}: {skipped}"
        document = apply_document(
            applied.plan, applied.results, requests=applied.requests, interrupted=True, outputs={}
        )
        text = apply_text(document, Look())
        if "Interrupted:" not in text or not text.splitlines()[-1].startswith("Go on with: rftplan "):
            yield f"{name}: said {text!r}"
        yield from (f"{name}: {what}" for what in unsettled(house.small))
        go_on(due, house)
        if (end := end_of(due, house)) not in ends:
            yield f"{name}: ended elsewhere: {difference(end, ends[0])}"
    except (AssertionError, RftplanError) as error:
        yield f"{name}: {error}"
    finally:
        house.close()


def unsettled(small: Small) -> Iterator[str]:
    """What a stop in good order does not leave behind."""
    state, lock = read_state(state_paths(small.root), new_lineage=str)
    if state.intents:
        yield f"left open: {list(state.intents.values())}"
    if lock is not None and differs(state, lock):
        yield "the journal knows what the lock does not"


def said_by(applying: Applying, words: str) -> None:
    """Wait until it has said so."""
    for _ in range(6_000):
        if words in applying.said() or applying.ended(0.01) is not None:
            break
    assert words in applying.said()


def test_a_second_time_it_stops_at_once_and_the_next_apply_looks_up_what_was_in_flight(tmp_path: Path) -> None:
    """The answer to the launch comes in drops."""
    drops = "slow-body seconds=60 on=POST /v1/fine_tuning/jobs"
    with served(tmp_path / "service", speed=10, fault=drops) as url:
        small = project_at(tmp_path / "project", url, "twice")
        applying = Applying(small.root)
        said_by(applying, "job.review  launch …")
        for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGINT):  # a terminal that goes says so more than once
            assert applying.ended(0.2) is None
            applying.signal(number)
            said_by(applying, "Stopping when the calls in flight have ended; Ctrl-C again to stop at once.")
        ended = applying.ended()
        assert ended is not None and ended.code == 130 and "Traceback" not in ended.err
        assert ended.err.endswith(f"Go on with: rftplan -C {small.root} apply\n")
        (intent,) = read_state(state_paths(small.root), new_lineage=str)[0].intents.values()
        assert intent.verb == "launch"
        small.clock.time = time.time()
        told = small.results()["job.review"]
        assert (told.verb, told.outcome) in [("recover", Outcome.DONE), ("wait", Outcome.DEFERRED)]
        small.clock.time += SETTLED
        small.train()
        assert len(assert_promise(small).jobs) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_another_acts_it_waits_no_longer(small: Small, number: signal.Signals) -> None:
    with another(small.root):
        applying = Applying(small.root, ("apply", "--yes", "--lock-timeout", "1h"))
        said_by(applying, "Waiting for another to be done")
        applying.signal(number)
        ended = applying.ended()
    assert ended is not None and ended.code == 130
    assert ended.err.endswith("Interrupted.\n") and "Traceback" not in ended.err
    assert not (small.root / "rftplan.lock").exists()


def test_stopped_while_it_reads_a_large_file_it_reads_no_further_and_asks_no_service(small: Small) -> None:
    small.write("specs/data/train.jsonl", rows(200_000))
    with socket.create_server(("127.0.0.1", 0)) as service:
        url = f"http://127.0.0.1:{service.getsockname()[1]}/v1"
        small.edit("specs/main.yaml", "provider: local", f"provider: {{type: local, base_url: '{url}'}}")
        applying = Applying(small.root)
        assert applying.ended(0.3) is None
        applying.signal(signal.SIGINT)
        ended = applying.ended()
        service.setblocking(False)
        with pytest.raises(BlockingIOError):
            service.accept()
    assert ended is not None and ended.code == 130
    assert ended.err.endswith("Interrupted.\n") and "Traceback" not in ended.err
