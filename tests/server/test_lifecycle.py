"""The life of a job, without storage and without HTTP."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.server.history import Happening, history
from rftplan.server.lifecycle import (
    ENDED,
    MICROSECONDS,
    Command,
    Life,
    Status,
    Verb,
    life_at,
    refusal,
    snapshots,
    step_times,
    time_of_command,
    timeline,
)

ALLOWED = {
    Status.VALIDATING_FILES: {Status.QUEUED, Status.FAILED, Status.CANCELLED},
    Status.QUEUED: {Status.RUNNING, Status.CANCELLED},
    Status.RUNNING: {Status.SUCCEEDED, Status.FAILED, Status.PAUSING, Status.CANCELLED},
    Status.PAUSING: {Status.PAUSED, Status.CANCELLED},
    Status.PAUSED: {Status.QUEUED, Status.CANCELLED},
    Status.SUCCEEDED: set(),
    Status.FAILED: set(),
    Status.CANCELLED: set(),
}

lives = st.builds(
    Life,
    created_at=st.integers(0, 10**16),
    speed=st.floats(0.1, 1e9),
    steps=st.integers(1, 60),
    fails_in=st.just(None),
) | st.builds(
    Life,
    created_at=st.integers(0, 10**16),
    speed=st.floats(0.1, 1e9),
    steps=st.just(0),
    fails_in=st.sampled_from([Status.VALIDATING_FILES, Status.RUNNING]),
)
pauses = st.integers(0, 3 * MICROSECONDS)
acts = st.lists(st.tuples(pauses, st.sampled_from([None, *Verb])), max_size=30)


def at(life: Life, seconds: float) -> int:
    return life.created_at + round(seconds * MICROSECONDS)


@given(lives, acts)
def test_whatever_is_commanded_nothing_seen_is_ever_unseen(life: Life, acts: list[tuple[int, Verb | None]]) -> None:
    now, steps, entries = life.created_at, 0, []
    for pause, verb in acts:
        now += pause
        if verb is not None and refusal(life, verb, now) is None:
            life = replace(life, commands=(*life.commands, Command(time_of_command(life, now), verb)))
        moment = life_at(life, now)
        happened = history(life, now, checkpointed=[1, 5], notes=2)
        seen = happened.between(0, len(happened))
        assert [one for place in range(len(happened)) for one in happened.between(place, place + 1)] == seen
        assert happened.between(2, len(happened) - 2) == seen[2:-2]
        assert moment.steps_done >= steps
        assert seen[: len(entries)] == entries
        assert moment.steps_done == sum(entry.happening is Happening.STEP for entry in seen)
        assert all(earlier.at <= later.at for earlier, later in pairwise(seen))
        steps, entries = moment.steps_done, seen


@given(lives, acts)
def test_states_follow_the_state_machine_without_gaps(life: Life, acts: list[tuple[int, Verb | None]]) -> None:
    now = life.created_at
    for pause, verb in acts:
        now += pause
        if verb is not None and refusal(life, verb, now) is None:
            life = replace(life, commands=(*life.commands, Command(now, verb)))
    spans = timeline(life)
    assert spans[0].status is Status.VALIDATING_FILES
    assert spans[-1].status in ENDED or spans[-1].status is Status.PAUSED
    for before, after in pairwise(spans):
        assert after.status in ALLOWED[before.status]
        assert before.end == after.start >= before.start


@given(lives, acts)
def test_pauses_lose_no_work(life: Life, acts: list[tuple[int, Verb | None]]) -> None:
    """A job that is left to end has run exactly as long as one that was never disturbed."""
    undisturbed, now = life, life.created_at
    for pause, verb in acts:
        now += pause
        if verb not in (None, Verb.CANCEL) and refusal(life, verb, now) is None:
            life = replace(life, commands=(*life.commands, Command(now, verb)))
    if timeline(life)[-1].status is Status.PAUSED:
        later = timeline(life)[-1].start
        life = replace(life, commands=(*life.commands, Command(later, Verb.RESUME)))

    def running(one: Life) -> int:
        return sum((span.end or span.start) - span.start for span in timeline(one) if span.status is Status.RUNNING)

    assert running(life) == running(undisturbed)
    assert len(step_times(life, range(1, life.steps + 1))) == undisturbed.steps
    assert timeline(life)[-1].status is timeline(undisturbed)[-1].status


def test_a_job_at_usual_speed_validates_queues_warms_up_and_trains() -> None:
    life = Life(created_at=0, speed=1.0, steps=20)
    states = [life_at(life, at(life, seconds)).status for seconds in (0, 0.39, 0.4, 0.79, 0.8, 7.29, 7.3)]
    assert states == [
        Status.VALIDATING_FILES,
        Status.VALIDATING_FILES,
        Status.QUEUED,
        Status.QUEUED,
        Status.RUNNING,
        Status.RUNNING,
        Status.SUCCEEDED,
    ]
    assert step_times(life, [1]) == [at(life, 1.6)]


@pytest.mark.parametrize(("steps", "seconds"), [(1, 3.0), (10, 3.0), (100, 30.0), (5_000, 40.0)])
def test_training_takes_three_to_forty_seconds(steps: int, seconds: float) -> None:
    life = Life(created_at=0, speed=1.0, steps=steps)
    assert timeline(life)[-1].start == at(life, 0.4 + 0.4 + 0.5 + seconds)


def test_speed_divides_every_duration() -> None:
    slow, fast = Life(0, 1.0, 10), Life(0, 10.0, 10)
    assert [span.start for span in timeline(slow)] == [span.start * 10 for span in timeline(fast)]


def test_a_pause_needs_a_finished_step() -> None:
    life = Life(created_at=0, speed=1.0, steps=10)
    assert refusal(life, Verb.PAUSE, at(life, 0)) == "only a running job can be paused, and it is validating_files"
    assert refusal(life, Verb.PAUSE, at(life, 1.0)) == "it has not finished its first step"
    assert refusal(life, Verb.PAUSE, at(life, 1.6)) is None


def test_a_clock_that_goes_backwards_does_not_reorder_commands() -> None:
    life = Life(created_at=at(Life(0, 1.0, 1), 100), speed=1.0, steps=10)
    assert time_of_command(life, 0) == life.created_at
    assert life_at(life, 0).status is Status.VALIDATING_FILES


class Counted(int):
    """A time that counts how often it is compared."""

    compared = 0

    def __lt__(self, other: int) -> bool:
        Counted.compared += 1
        return super().__lt__(other)

    def __gt__(self, other: int) -> bool:
        Counted.compared += 1
        return super().__gt__(other)

    def __le__(self, other: int) -> bool:
        Counted.compared += 1
        return super().__le__(other)

    def __ge__(self, other: int) -> bool:
        Counted.compared += 1
        return super().__ge__(other)


def comparisons(cycles: int) -> int:
    """What all that is asked of a job takes that was so often paused and resumed."""
    life = Life(created_at=0, speed=1.0, steps=2_000)
    times = [(at(life, 2 + 1.5 * cycle), verb) for cycle in range(cycles) for verb in (Verb.PAUSE, Verb.RESUME)]
    later = {Verb.PAUSE: 0, Verb.RESUME: MICROSECONDS * 104 // 100}
    life = replace(life, commands=tuple(Command(Counted(time + later[verb]), verb) for time, verb in times))
    now = Counted(at(life, 2 + 1.5 * cycles))
    Counted.compared = 0
    assert len(snapshots(life, now)) == cycles
    assert len(history(life, now, checkpointed=[1, 5], notes=2))
    assert refusal(life, Verb.PAUSE, now) is None
    step_times(life, range(1, life_at(life, now).steps_done + 1))
    return Counted.compared


def test_what_is_asked_of_a_job_grows_no_faster_than_its_pauses() -> None:
    few = comparisons(100)
    assert 0 < few < 100 * 100
    assert comparisons(400) < 6 * few
