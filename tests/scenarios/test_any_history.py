"""Whatever happens to a project, in whatever order: afterwards the promise of DESIGN §4 holds.

`RFTPLAN_CASES=10000` asks for more histories than a test run does by itself.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults import Fault
from tests.scenarios.history import Apply, ByHand, Edit, Event, Pass, play

CASES = int(os.environ.get("RFTPLAN_CASES", "200"))

VALUES = {
    "rows": (12, 13),
    "operation": ("eq", "ne"),
    "epochs": (2, 3),
    "run": ("running", "paused", "cancelled"),
    "retry": (None, 2),
    "retain": (True, False),
    "projects": ((), ("p1",), ("p1", "p2"), ("p2",)),
    "name": ("review", "renamed"),
    "moved": (True, False),
    "job": (True, False),
    "second": (True, False),
    "deployment": (True, False),
}
EDITS = st.sampled_from([Edit(name, value) for name, values in VALUES.items() for value in values])
PASSING = st.sampled_from([Pass(seconds) for seconds in (1, 5, 12, 40)])
BY_HAND = st.sampled_from(
    [
        ByHand(what)
        for what in (
            "cancels a job",
            "pauses a job",
            "deletes a file",
            "revokes a grant",
            "loses the journal",
            "loses lock and journal",
        )
    ]
)
FAULTS = (Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.ERROR_BEFORE, Fault.ERROR_AFTER, Fault.TOO_MANY)
DEATHS = ("before the call", "after the call", "before the fold", "in the fold")

PARTS = tuple((option, kind) for option in ("target", "exclude") for kind in ("job", "deployment", "file"))


@st.composite
def applies(draw: st.DrawFn) -> Apply:
    befalls = draw(st.sampled_from(["nothing", "fault", "death"]))
    return Apply(
        wait=draw(st.sampled_from([False, False, True])),
        behind=draw(st.booleans()),
        fault=draw(st.sampled_from(FAULTS)) if befalls == "fault" else None,
        death=draw(st.sampled_from(DEATHS)) if befalls == "death" else None,
        at=draw(st.integers(1, 4)) if befalls != "nothing" else 1,
        replace=draw(st.sampled_from([False, False, False, True])),
        part=draw(st.sampled_from([None, *PARTS])),
    )


EVENTS = st.one_of(applies(), EDITS, applies(), PASSING, EDITS, BY_HAND)


@settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(events=st.lists(EVENTS, min_size=2, max_size=9))
def test_after_any_history_lock_and_service_agree_and_nothing_is_there_twice(events: list[Event]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        play(events, Path(folder))
