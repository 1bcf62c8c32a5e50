"""What the service says of jobs, and what the lock keeps of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.port import JobFault, JobStatus, Simulation
from rftplan.kinds.job.kept import job_from, resolved_values, status_in
from rftplan.kinds.job.observe import age, attempts, current_job
from rftplan.kinds.job.progress import Progress
from rftplan.kinds.job.spec import Run
from rftplan.lockfile import Entry
from tests.kinds.builders import entry_for, first_launch, job_spec, launched, remote, resource

WORDS = st.text(min_size=1, max_size=5)
JOBS = st.builds(
    remote,
    st.sampled_from(JobStatus),
    created_at=st.integers(0, 10**10),
    seed=st.none() | st.integers(0, 2**31),
    fine_tuned_model=st.none() | WORDS,
    error=st.none() | st.builds(JobFault, WORDS, st.none() | WORDS),
    simulation=st.none() | st.builds(Simulation, WORDS, st.none() | WORDS),
)


@given(JOBS)
def test_the_lock_remembers_all_of_a_job_that_planning_looks_at(job: Any) -> None:
    entry = Entry("v1:a", {}, id=job.id, resolved=resolved_values(job))
    back = job_from(entry)
    looked_at = (
        "id", "status", "created_at", "model", "training_file", "validation_file",
        "seed", "fine_tuned_model", "error", "simulation",
    )  # fmt: skip
    assert {name: getattr(back, name) for name in looked_at} == {name: getattr(job, name) for name in looked_at}


@pytest.mark.parametrize("kept", [{}, {"status": "preempted"}, {"status": None}, {"status": 3}])
def test_a_word_in_the_lock_that_is_no_status_is_unknown(kept: dict[str, Any]) -> None:
    assert status_in(Entry("v1:a", {}, resolved=kept)) is JobStatus.UNKNOWN


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, unique=True))
def test_everybody_agrees_which_launch_came_first(pairs: list[tuple[int, int]]) -> None:
    jobs = [remote(JobStatus.RUNNING, created_at=at, id=f"ftjob-{n}") for at, n in pairs]
    assert min(jobs, key=age) == min(reversed(jobs), key=age)


def test_the_highest_attempt_counts_whatever_else_metadata_says() -> None:
    want = resource(job_spec())
    written = ("2", "10", "x", "²", "٣", "9" * 5000, "-1", "")
    jobs = [remote(JobStatus.FAILED, launch=f"{want.fingerprint}:{n}") for n in written]
    assert attempts(jobs) == 10
    assert attempts([remote(JobStatus.FAILED)]) == attempts([]) == 0


def test_the_entrys_own_job_stands_for_the_spec_while_it_says_the_same() -> None:
    want, given_ = launched(JobStatus.RUNNING, Run.RUNNING.value)
    seen: Any = given_.seen
    assert current_job(want, given_.entry, seen) == seen.mine
    other = resource(job_spec(seed=7))
    assert current_job(other, given_.entry, seen) == seen.slot[0], "one usable job in the slot may be adopted"
    assert current_job(want, None, None) is None


def test_an_entry_keeps_steps_only_of_a_job_that_has_ended() -> None:
    want = resource(job_spec())
    running = remote(JobStatus.RUNNING, launch=first_launch(want))
    assert "step" not in resolved_values(running, Progress(3, 9))
    ended = remote(JobStatus.SUCCEEDED, launch=first_launch(want))
    assert resolved_values(ended, Progress(9, 9))["step"] == 9
    assert entry_for(want, ended).id == ended.id
