"""Which checkpoints a job still has, and their names. A pure choice among the validated steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rftplan.server.job_request import Method
from rftplan.server.job_store import StoredCheckpoint, StoredJob
from rftplan.server.lifecycle import Moment, Status

KEPT = 3
_VALID_REWARD = ("full_valid_mean_reward", "valid_reward_mean")


def kept_checkpoints(validated: Sequence[StoredCheckpoint], job: StoredJob, moment: Moment) -> list[StoredCheckpoint]:
    """Highest step first: the best three of reinforcement, the last three of other methods, the final one.

    The final step's is kept only once the job succeeded, because it is then the fine-tuned model itself.
    """
    seen = [checkpoint for checkpoint in validated if checkpoint.number <= moment.steps_done]
    by_reward = job.method == Method.REINFORCEMENT
    ranked = sorted(seen, key=_rank if by_reward else lambda checkpoint: checkpoint.number)
    kept = {checkpoint.number: checkpoint for checkpoint in ranked[-KEPT:]}
    if moment.status is Status.SUCCEEDED and seen and seen[-1].number == job.life.steps:
        kept[seen[-1].number] = seen[-1]
    return [kept[number] for number in sorted(kept, reverse=True)]


def checkpoint_model(job: StoredJob, checkpoint: StoredCheckpoint, moment: Moment) -> str:
    """The model's id; the final step's checkpoint is the fine-tuned model, without a step in its id."""
    if moment.status is Status.SUCCEEDED and checkpoint.number == job.life.steps:
        return job.fine_tuned_model
    return f"{job.fine_tuned_model}:ckpt-step-{checkpoint.number}"


def _rank(checkpoint: StoredCheckpoint) -> tuple[float, int]:
    """By validation reward, of equals the later one; a checkpoint without a reward comes last."""
    return _reward(checkpoint.metrics), checkpoint.number


def _reward(metrics: Mapping[str, Any]) -> float:
    rewards = (metrics.get(name) for name in _VALID_REWARD)
    return next((float(reward) for reward in rewards if isinstance(reward, (int, float))), float("-inf"))
