"""What the events of a job say: its newest figures, and how long its steps took."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.port import JobEvent
from rftplan.kinds.job.progress import Progress, newest_figures, seconds_of_steps


def metrics(**data: Any) -> JobEvent:
    return JobEvent("e", 0, "info", "", "metrics", data)


def test_the_newest_figure_of_each_counts_and_validation_may_be_older() -> None:
    events = [
        JobEvent("e", 0, "info", "Step 4", "message"),
        metrics(step=4, total_steps=9, train_mean_reward=0.4),
        metrics(step=3, total_steps=9, train_mean_reward=0.3, full_valid_mean_reward=0.35),
    ]
    assert newest_figures(events) == Progress(4, 9, 0.4, 0.35)


def test_the_services_newer_names_are_read_first_and_nonsense_not_at_all() -> None:
    event = metrics(step=True, total_steps="9", scores={"train_reward_mean": 0.7}, train_mean_reward=0.1)
    assert newest_figures([event]) == Progress(None, None, 0.7, None)
    assert newest_figures([metrics(step=1, scores=[1])]) == Progress(1)
    assert newest_figures([]) == Progress()


def test_losses_are_read_where_there_are_no_rewards_and_of_a_validation_the_full_one_first() -> None:
    older = metrics(step=2, total_steps=9, train_loss=0.9, valid_loss=1.1, full_valid_loss=1.0)
    newer = metrics(step=3, total_steps=9, train_loss=0.8)
    assert newest_figures([newer, older]) == Progress(3, 9, train_loss=0.8, valid_loss=1.0)
    assert newest_figures([metrics(step=3, train_loss=0.8, valid_loss=0.9), older]).valid_loss == 0.9


def timed(step: int, seconds: Any) -> JobEvent:
    return metrics(step=step, timing={"step": {"full_iteration": seconds, "eval": 1.0}})


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=20))
def test_the_time_of_a_run_is_that_of_all_its_steps(seconds: list[float]) -> None:
    events = [timed(number, one) for number, one in enumerate(seconds, 1)]
    message = JobEvent("e", 0, "info", "Step 1", "message", {"step": 1})
    assert seconds_of_steps([message, *reversed(events)]) == pytest.approx(sum(seconds))


@given(st.lists(st.floats(0, 1e5), min_size=2, max_size=20), st.data())
def test_with_a_step_missing_or_silent_nobody_knows_the_time(seconds: list[float], data: st.DataObject) -> None:
    events = [timed(number, one) for number, one in enumerate(seconds, 1)]
    lost = data.draw(st.integers(0, len(events) - 2))
    assert seconds_of_steps([*reversed(events[:lost] + events[lost + 1 :])]) is None
    events[lost] = data.draw(
        st.sampled_from([timed(lost + 1, None), timed(lost + 1, -1.0), timed(lost + 1, True), metrics(step=lost + 1)])
    )
    assert seconds_of_steps([*reversed(events)]) is None


def test_a_step_that_was_done_again_counts_once_as_it_was_done_last() -> None:
    assert seconds_of_steps([timed(3, 30.0), timed(2, 20.0), timed(2, 500.0), timed(1, 10.0)]) == 60.0
    assert seconds_of_steps([]) is None
