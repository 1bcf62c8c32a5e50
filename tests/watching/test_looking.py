"""One job looked at once: events, figures, samples."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rftplan.address import Address
from rftplan.api.port import JobStatus
from rftplan.errors import UserError
from rftplan.monitor import Facts
from rftplan.watching import JobId, Target, looking
from tests.world import Small

JOB = Address("job", "review")


@pytest.fixture
def trained(small: Small) -> Small:
    small.train()
    return small


def figures(small: Small, target: Target = JOB) -> Facts:
    return asyncio.run(looking.figures(small.options, target, world=small.world))


def samples(small: Small, **steps: Any) -> looking.Samples:
    return asyncio.run(looking.samples(small.options, JOB, world=small.world, **steps))


def test_the_newest_events_are_shown_and_that_there_are_older_ones(trained: Small) -> None:
    def seen(limit: int | None) -> looking.Events:
        return asyncio.run(looking.events(trained.options, JOB, limit=limit, world=trained.world))

    every = seen(None)
    assert not every.more and not seen(len(every.events)).more
    assert (seen(3).events, seen(3).more) == (every.events[:3], True)
    assert every.events[0].created_at >= every.events[-1].created_at


def test_figures_need_no_specs_and_go_by_id_as_well(trained: Small) -> None:
    trained.write("specs/main.yaml", "jobs: {")
    seen = figures(trained)
    assert (seen.job.status, seen.address) == (JobStatus.SUCCEEDED, JOB)
    assert figures(trained, JobId(seen.job.id)) == seen
    assert seen.step == seen.total_steps and seen.best is not None
    assert all(point.seconds and point.answer_tokens for point in seen.points)


def test_samples_of_a_step_are_its_validation_rows_and_another_step_has_the_same_rows(trained: Small) -> None:
    steps = [point.step for point in figures(trained).points if point.valid_reward is not None]
    found = samples(trained, step=steps[-1], against=steps[0])
    assert found.rows and [row.row for row in found.rows] == [row.row for row in found.against]
    assert "" in {answer.text for row in found.rows + found.against for answer in row.answers}  # an answer like others
    assert {row.step for row in found.rows} == {steps[-1]} and {row.step for row in found.against} == {steps[0]}


def test_a_step_without_samples_is_answered_with_those_that_have_some(trained: Small) -> None:
    steps = [str(point.step) for point in figures(trained).points if point.valid_reward is not None]
    with pytest.raises(UserError, match=r"step 999 of ftjob-.* has no samples") as told:
        samples(trained, step=999)
    assert told.value.hint == f"validated so far: {', '.join(steps)}"


def test_a_provider_without_samples_says_so_and_asks_nothing_for_them(trained: Small, monkeypatch: Any) -> None:
    from msgspec.structs import replace

    from rftplan.api.profiles import PROFILES, Capability

    bare = replace(PROFILES["local"], capabilities=PROFILES["local"].capabilities - {Capability.SAMPLES})
    monkeypatch.setattr("rftplan.service_choice.profile", lambda _name: bare)
    with pytest.raises(UserError, match="shows no samples of a validation"):
        samples(trained, step=2)
