"""Word what a simulated reinforcement run has to say of itself. Draws and grades nothing."""

from __future__ import annotations

from collections.abc import Iterable

from rftplan.grading.candidates import Kind
from rftplan.server.trainer import TrainingRun


def started(run: TrainingRun) -> str:
    """Of a model that is trained further: whether this goes on from what it learned."""
    if "logits" in (run.start or {}):
        return f"Training goes on from what {run.model} learned."
    return (
        f"Training starts from where base models start: what {run.model} learned was not by reinforcement, or nothing"
        " was kept of it."
    )


def mean_by_kind(graded: Iterable[tuple[Kind, float]]) -> str:
    """`right 0.97, wrong 0.10`: of the rewards of answers by their kind."""
    rewards: dict[Kind, list[float]] = {}
    for kind, reward in graded:
        rewards.setdefault(kind, []).append(reward)
    return ", ".join(f"{kind.value} {sum(rewards[kind]) / len(rewards[kind]):.2f}" for kind in Kind if kind in rewards)
