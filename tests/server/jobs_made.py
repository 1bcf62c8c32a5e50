"""Jobs put into a store without any training: as many and as odd as a test wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rftplan.server.job_store import JobStore
from rftplan.server.store import Store
from rftplan.server.stored_job import NewJob, StoredJob
from rftplan.server.trainer import Step

AUTO: Mapping[str, Any] = {"n_epochs": "auto", "batch_size": "auto"}
NUMBERS: Mapping[str, Any] = {"n_epochs": 2, "batch_size": 4}


def steps_of(rewards: Sequence[float | None]) -> list[Step]:
    """One for each; those without a reward do not validate."""
    return [
        Step(
            number,
            f"Step {number}/{len(rewards)}",
            {"step": number, "total_steps": len(rewards), "train_mean_reward": 0.25},
            None if reward is None else {"full_valid_mean_reward": reward},
        )
        for number, reward in enumerate(rewards, start=1)
    ]


def made_job(
    store: Store,
    job_id: str,
    *,
    steps: Sequence[Step],
    created_at: int = 0,
    method: str = "reinforcement",
    settings: Mapping[str, Any] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> StoredJob:
    """A job that succeeds; `settings` are its method's besides the hyperparameters."""
    jobs = JobStore(store)
    request = {
        "model": "o4-mini-2025-04-16",
        "training_file": "file-train",
        "validation_file": "file-valid",
        "method": {"type": method, method: {"hyperparameters": AUTO, **(settings or {})}},
        "integrations": [],
        "seed": 7,
        "user_provided_suffix": None,
    }
    jobs.add(
        NewJob(
            id=job_id,
            created_at=created_at,
            speed=1.0,
            request=request,
            metadata=metadata,
            fine_tuned_model=f"ft:o4-mini-2025-04-16:local::{job_id}",
            simulation=None,
            steps=steps,
            hyperparameters=NUMBERS,
            trained_tokens=99,
            notes=(),
            failure=None,
        )
    )
    job = jobs.get(job_id)
    assert job is not None
    return job
