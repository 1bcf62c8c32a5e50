"""The steps of a run from its metrics events."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.port import JobEvent
from rftplan.kinds.job.trouble import GraderFault
from rftplan.monitor.points import JudgeTokens, points_of
from tests.monitor.runs import STARTED, step


def test_a_step_has_its_figures_under_one_name_whatever_the_service_calls_them() -> None:
    older = step(1, 5, train_mean_reward=0.2, completion_tokens_mean=900, reasoning_tokens_mean=800)
    newer = step(
        2,
        9,
        scores={"train_reward_mean": 0.4, "valid_reward_mean": 0.3, "graders": [{"name": "a", "train_reward_mean": 1}]},
        timing={"step": {"full_iteration": 4.5}},
        simulation={"train_right_share": 0.1, "valid_right_share": 0.05},
    )
    first, second = points_of([newer, older])
    assert (first.step, first.at, first.total_steps) == (1, STARTED + 5, 20)
    assert (first.train_reward, first.valid_reward, first.answer_tokens, first.reasoning_tokens) == (
        0.2,
        None,
        900,
        800,
    )
    assert (second.train_reward, second.valid_reward, second.seconds) == (0.4, 0.3, 4.5)
    assert (second.train_right, second.valid_right) == (0.1, 0.05)
    assert second.figures["scores.graders.a.train_reward_mean"] == 1


def test_errors_and_tokens_of_graders_are_kept_by_name() -> None:
    graders = [{"name": "a", "valid_other_error_mean": 0.5, "valid_other_error_count": 3}]
    used = {"gpt-4o": {"train_prompt_tokens": 10, "eval_prompt_tokens": 5, "eval_completion_tokens": 2, "x": "y"}}
    (point,) = points_of([step(1, 0, errors={"graders": graders}, model_graders_token_usage=used)])
    assert point.faults == (GraderFault("a", "other_error", "valid", 3, 6),)
    assert point.judges == {"gpt-4o": JudgeTokens(15, 2, 0)}


FIGURES = st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.booleans()
ANYTHING = st.recursive(
    FIGURES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
NAMES = st.sampled_from(
    [
        *("step", "total_steps", "train_mean_reward", "full_valid_mean_reward", "train_loss", "valid_loss"),
        *("completion_tokens_mean", "reasoning_tokens_mean", "scores", "timing", "errors", "graders", "simulation"),
        *("model_graders_token_usage", "usage", "name", "full_iteration", "valid_x_mean", "valid_x_count", "verdict"),
        *("train_prompt_tokens", "said", "hacked", "train_right_share"),
    ]
)
SERVICE_DATA = st.dictionaries(
    NAMES,
    ANYTHING | st.dictionaries(NAMES, ANYTHING | st.lists(st.dictionaries(NAMES, ANYTHING), max_size=2), max_size=4),
    max_size=6,
)
"""What a service may say by our names, in every wrong form."""


def event(id: str, at: int, level: str, message: str, type: str, data: Any) -> JobEvent:
    return JobEvent(id, at, level, message, type, data)


EVENTS = st.lists(
    st.builds(
        event,
        st.text(max_size=4),
        st.integers(STARTED, STARTED + 10**6),
        st.sampled_from(["info", "warn", "error"]),
        st.text(max_size=8),
        st.sampled_from(["metrics", "message"]),
        SERVICE_DATA,
    ),
    max_size=6,
)


@given(EVENTS)
def test_steps_are_in_their_order_once_each_whatever_a_service_says(events: list[JobEvent]) -> None:
    points = points_of(events)
    steps = [point.step for point in points]
    assert steps == sorted(set(steps))
    for point in points:
        (newest, *_) = [
            e
            for e in events
            if e.type == "metrics" and e.data.get("step") == point.step and type(e.data["step"]) is int
        ]
        assert point.at == newest.created_at
