"""A job's JSON is put together from texts: whatever they say, it is the job that was made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftplan.server.job_object import job_text
from rftplan.server.store import Store

from .jobs_made import AUTO, NUMBERS, made_job, steps_of

HOUR = 3_600_000_000
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "service.sqlite")
    yield store
    store.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(grader=BODIES, metadata=st.none() | st.dictionaries(NAMES, NAMES, max_size=3), data=st.data())
def test_a_job_says_what_was_asked_for_and_numbers_once_it_runs(
    store: Store, grader: Any, metadata: Mapping[str, str] | None, data: st.DataObject
) -> None:
    job_id = f"ftjob-{store.rows('SELECT count(*) FROM jobs')[0][0]}"
    settings = {"grader": grader, "response_format": None}
    job = made_job(store, job_id, steps=steps_of([0.5]), settings=settings, metadata=metadata)
    before, after = json.loads(job_text(job, 0)), json.loads(job_text(job, HOUR))
    assert before["method"] == {"type": "reinforcement", "reinforcement": {"hyperparameters": AUTO, **settings}}
    assert after["method"] == {"type": "reinforcement", "reinforcement": {"hyperparameters": NUMBERS, **settings}}
    assert before["metadata"] == after["metadata"] == metadata == job.metadata
    assert (before["status"], after["status"]) == ("validating_files", "succeeded")
    assert before["hyperparameters"] is after["hyperparameters"] is None


@pytest.mark.parametrize(("method", "told"), [("supervised", (AUTO, NUMBERS)), ("dpo", (None, None))])
def test_only_supervised_jobs_have_hyperparameters_at_the_top(store: Store, method: str, told: Any) -> None:
    job = made_job(store, "ftjob-1", steps=steps_of([None]), method=method)
    assert tuple(json.loads(job_text(job, now))["hyperparameters"] for now in (0, HOUR)) == told
