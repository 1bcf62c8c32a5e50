"""Which steps are validated, and which of them a job keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftplan.server.checkpoints import kept_checkpoints
from rftplan.server.lifecycle import life_at, step_times
from rftplan.server.store import Store
from rftplan.server.validated import ValidatedSteps

from .jobs_made import made_job, steps_of

REWARDS = st.lists(st.none() | st.sampled_from([0.0, 0.25, 0.5, 1]), min_size=1, max_size=12)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "service.sqlite")
    yield store
    store.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(jobs=st.lists(REWARDS, min_size=1, max_size=4), data=st.data())
def test_the_best_three_are_kept_whatever_was_remembered_before(
    store: Store, jobs: list[list[float | None]], data: st.DataObject
) -> None:
    known = store.rows("SELECT count(*) FROM jobs")[0][0]
    made = [made_job(store, f"ftjob-{known + n}", steps=steps_of(rewards)) for n, rewards in enumerate(jobs)]
    remembered = ValidatedSteps(store)
    for job in data.draw(st.lists(st.sampled_from(made), max_size=2)):
        remembered.of(job.seq)
    found = remembered.of_all([job.seq for job in made])
    for job, rewards in zip(made, jobs, strict=True):
        assert found[job.seq] == remembered.of(job.seq)
        done = data.draw(st.integers(1, len(rewards)))
        now = step_times(job.life, [done])[0]
        ranked = sorted((reward, n) for n, reward in enumerate(rewards[:done], start=1) if reward is not None)
        best = {n for _, n in ranked[-3:]}
        ended = done == len(rewards) and rewards[-1] is not None
        expected = best | ({done} if ended else set())
        kept = kept_checkpoints(found[job.seq], job, life_at(job.life, now))
        assert [one.step for one in kept] == sorted(expected, reverse=True)
        assert [one.at for one in kept] == step_times(job.life, [one.step for one in kept])


def test_a_step_that_validated_without_a_reward_is_kept_last(store: Store) -> None:
    steps = steps_of([0.1, 0.2, 0.3, 0.4])
    odd = [step if step.number < 4 else type(step)(4, "Step 4/4", {}, {"other": 1}) for step in steps]
    job = made_job(store, "ftjob-1", steps=odd, method="reinforcement")
    validated = ValidatedSteps(store).of(job.seq)
    assert list(validated.rewards) == [0.1, 0.2, 0.3, float("-inf")]
    kept = kept_checkpoints(validated, job, life_at(job.life, step_times(job.life, [4])[0] - 1))
    assert [one.step for one in kept] == [3, 2, 1]
