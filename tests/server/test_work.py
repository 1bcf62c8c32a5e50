"""Too much work is refused at once, whatever makes it so much; what is taken on is small enough to wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftplan.server.hyperparameters import Passes, reinforcement_numbers
from rftplan.server.simulate import SimulatingTrainer
from rftplan.server.trainer import RefusedRunError
from rftplan.server.work import MOST_STEPS, check_samples, check_steps, work_of

from .conftest import World, rft_body
from .inference import simulating
from .simulation import EXACT, make_run, short_rows

HYPERPARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "n_epochs": st.integers(1, 50),
        "batch_size": st.integers(1, 256),
        "compute_multiplier": st.floats(1e-4, 10),
        "eval_interval": st.integers(1, 10**9),
        "eval_samples": st.integers(1, 9) | st.integers(10**8, 10**9),
    },
)


@settings(deadline=None, max_examples=40)
@given(HYPERPARAMETERS, st.integers(1, 12), st.integers(1, 4))
def test_what_is_foreseen_is_what_is_drawn_or_it_is_refused(sent: dict[str, Any], train: int, valid: int) -> None:
    run = make_run(short_rows(train), short_rows(valid), grader=EXACT, response_format=None, **sent)
    numbers = reinforcement_numbers(sent, rows=train)
    work = work_of(numbers, train=train, valid=valid)
    if sent.get("eval_samples", 3) > 9:
        with pytest.raises(RefusedRunError, match="Lower eval_samples"):
            SimulatingTrainer().train(run)
        return
    trajectory = SimulatingTrainer().train(run)
    assert sum(len(one) for step in trajectory.steps for one in step.samples) == work.validation
    assert work.training == numbers.n_epochs * train * numbers.group


@pytest.mark.parametrize("method", ["supervised", "dpo", "reinforcement"])
def test_too_many_steps_are_refused_by_every_method(method: str) -> None:
    check_steps(Passes(50, 1, MOST_STEPS // 50), method=method)
    run = make_run(
        short_rows(1_001), short_rows(2), grader=EXACT, response_format=None, method=method, n_epochs=50, batch_size=1
    )
    with pytest.raises(RefusedRunError, match="50,050 steps") as refused:
        SimulatingTrainer().train(run)
    assert refused.value.param == f"method.{method}.hyperparameters.batch_size"


@pytest.mark.parametrize(
    ("sent", "param"),
    [
        ({"eval_samples": 10**9}, "eval_samples"),
        ({"compute_multiplier": 10, "n_epochs": 50}, "compute_multiplier"),
        ({"n_epochs": 50, "batch_size": 256}, "n_epochs"),
    ],
)
def test_the_refusal_names_what_does_most(sent: dict[str, Any], param: str) -> None:
    numbers = reinforcement_numbers(sent, rows=50_000)
    with pytest.raises(RefusedRunError, match="at most 10,000,000 are simulated") as refused:
        check_samples(numbers, work_of(numbers, train=50_000, valid=10))
    assert refused.value.param == f"method.reinforcement.hyperparameters.{param}"


@pytest.mark.anyio
async def test_the_service_refuses_with_400_and_makes_no_job(make_world: Callable[..., World]) -> None:
    async with simulating(make_world) as (_, sdk):
        body = await rft_body(sdk)
        body["method"]["reinforcement"] |= {"hyperparameters": {"eval_samples": 10**6}}
        with pytest.raises(openai.BadRequestError) as refused:
            await sdk.fine_tuning.jobs.create(**body)
        assert refused.value.param == "method.reinforcement.hyperparameters.eval_samples"
        assert refused.value.code == "invalid_value"
        assert "draw" in refused.value.message and "Lower eval_samples" in refused.value.message
        assert [job async for job in sdk.fine_tuning.jobs.list()] == []
