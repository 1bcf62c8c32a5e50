"""Two clones of one repository apply at the same moment, their calls interleaved in any way: at most one launch keeps
running, or both clones say that two do; and the next plan of each says what is there.

`RFTPLAN_CASES=1000` asks for more interleavings than a test run does by itself.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rftplan import service_choice
from rftplan.address import Address
from rftplan.changes import Action, Reason
from tests.scenarios.applies import bare as without_metadata
from tests.scenarios.promised import SETTLED
from tests.scenarios.twins import Turns, Twins
from tests.world import Small

CASES: Final = int(os.environ.get("RFTPLAN_CASES", "24"))
JOB: Final = Address("job", "review")
UNSURE: Final = (Reason.DUPLICATE, Reason.FOREIGN_LINEAGE, Reason.AMBIGUOUS, Reason.MAY_BE_OURS)
"""Why a person is asked where there are two, or where it cannot be known whose one is."""


def assert_says_the_truth(small: Small, live: list[str]) -> None:
    """The clone's job is the one that runs, or a person is asked, about one that does."""
    entry, change = small.lock().resources.get(JOB), small.changes()["job.review"]
    said = (str(change.action), str(change.reason), change.detail)
    if change.action is Action.HOLD:
        assert change.reason in UNSURE and any(id in change.detail for id in live), said
    else:
        assert len(live) == 1 and entry is not None and entry.id == live[0], (said, entry and entry.id, live)
        assert change.action is Action.NOOP, said


def play(root: Path, runs: list[int], *, shared: bool, behind: bool, bare: bool, tick: float) -> None:
    with pytest.MonkeyPatch.context() as patching:
        if bare:
            patching.setattr(service_choice, "SERVED", without_metadata(service_choice.SERVED))
        twins = Twins(root, shared_lock=shared, bare=bare)
        house = twins.house

        def passes() -> None:
            house.clock.time += tick

        if behind:
            house.lag()
        twins.together(Turns(runs, passes))
        house.catch_up()
        house.clock.time += SETTLED
        for _ in range(2):
            twins.second.apply()
            twins.first.apply()
        live = [job.id for job in twins.live()]
        assert live
        assert len(live) == 1 or tick > 0, f"two run, and the later could have been cancelled for nothing: {live}"
        if len(live) > 1:
            reasons = [small.changes()["job.review"].reason for small in (twins.first, twins.second)]
            assert set(reasons) <= set(UNSURE), (reasons, runs, shared, behind, bare, tick)
        for small in (twins.first, twins.second):
            assert_says_the_truth(small, live)
        house.close()


@settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(runs=[9, 9, 1, 1, 1, 1, 1, 1], shared=False, behind=True, bare=True, tick=0.0)
@given(
    runs=st.lists(st.integers(0, 12), max_size=10),
    shared=st.booleans(),
    behind=st.booleans(),
    bare=st.booleans(),
    tick=st.sampled_from([0.0, 0.0, 0.5, 20.0]),
)
def test_of_two_clones_that_apply_at_once_at_most_one_launch_goes_on_or_both_say_so(
    runs: list[int], shared: bool, behind: bool, bare: bool, tick: float
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        play(Path(folder), runs, shared=shared, behind=behind, bare=bare, tick=tick)


@pytest.mark.parametrize("bare", [False, True], ids=["metadata", "no metadata"])
@pytest.mark.parametrize("shared", [False, True], ids=["no lock yet", "one lock"])
def test_call_by_call_in_turn(tmp_path: Path, shared: bool, bare: bool) -> None:
    play(tmp_path, [1] * 200, shared=shared, behind=False, bare=bare, tick=0.0)
