"""How long a run goes on, and whether it stands still."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.port import JobStatus
from rftplan.monitor.pace import Basis, Remaining, Stall
from tests.monitor.runs import STARTED, facts, job, rewards, step


def test_the_services_own_word_comes_first_and_the_pace_when_that_is_over() -> None:
    told = rewards([0.1] * 10, seconds=60)
    said = job(estimated_finish=STARTED + 900)
    assert facts(said, told, after=630).remaining == Remaining(270, Basis.SERVICE)
    assert facts(said, told, after=1000).remaining == Remaining(10 * 60 - 400, Basis.PACE, 9)


def test_a_pause_says_nothing_of_the_pace() -> None:
    told = [step(n, n * 60 + (50_000 if n > 5 else 0)) for n in range(10, 0, -1)]
    assert facts(job(), told, after=50_600).remaining == Remaining(600, Basis.PACE, 8)


@pytest.mark.parametrize("status", [one for one in JobStatus if one is not JobStatus.RUNNING])
def test_what_does_not_run_has_no_time_left(status: JobStatus) -> None:
    assert facts(job(status), rewards([0.1] * 5), after=400).remaining is None


def test_nobody_guesses_from_one_step_or_after_the_last() -> None:
    assert facts(job(), rewards([0.1]), after=70).remaining is None
    assert facts(job(), rewards([0.1] * 20), after=1300).remaining is None


def test_nothing_heard_for_three_times_the_slowest_step_is_a_stall() -> None:
    told = rewards([0.1] * 5, seconds=600)
    assert facts(job(), told, after=3000 + 1800).stall is None
    assert facts(job(), told, after=3000 + 1801).stall == Stall(1801, 1800, 600)
    fast = rewards([0.1] * 5, seconds=1)
    assert facts(job(), fast, after=605).stall is None
    assert facts(job(), fast, after=606).stall == Stall(601, 600, 1)


@pytest.mark.parametrize(
    ("status", "events", "allowed"),
    [
        (JobStatus.RUNNING, [], 3600),
        (JobStatus.VALIDATING_FILES, [], 7200),
        (JobStatus.RUNNING, [step(20, 0)], 7200),
        (JobStatus.QUEUED, [], None),
        (JobStatus.PAUSED, [step(3, 0)], None),
        (JobStatus.SUCCEEDED, [step(20, 0)], None),
    ],
)
def test_setting_up_and_the_last_checks_take_long_and_who_waits_says_nothing(
    status: JobStatus, events: list[object], allowed: float | None
) -> None:
    quiet = [facts(job(status), events, after=after).stall for after in (allowed or 0, (allowed or 10**6) + 1)]  # type: ignore[arg-type]
    assert quiet[0] is None
    assert (quiet[1] is None) is (allowed is None)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=60), st.integers(0, 10**7))
def test_the_time_left_is_never_negative(gaps: list[int], after: int) -> None:
    at, told = 0, []
    for number, gap in enumerate(gaps, 1):
        at += gap
        told.append(step(number, at, total=100))
    left = facts(job(), told[::-1], after=at + after).remaining
    assert left is None or left.seconds >= 0
