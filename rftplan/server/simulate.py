"""The trainer of the local service as users get it: it trains no model and says so in everything it reports.

For reinforcement it builds candidate answers, lets the job's real grader score them and moves a policy over
kinds of answers; what it shows is the grader's behaviour, not a model's. The only I/O is the judge's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rftplan.server.trainer import TrainingFailedError, TrainingRun, Trajectory

if TYPE_CHECKING:
    from rftplan.grading import Grader

MARK = "[SIMULATED]"


class SimulatingTrainer:
    """Deterministic in the run, the judge's answers included."""

    name = "simulation"
    simulated = True

    def train(self, run: TrainingRun) -> Trajectory:
        """Raises TrainingFailedError where the service would have to make scores up."""
        # Not at the top: every start of the service would pay, and hardly any trains.
        from rftplan.server.losses import simulate_losses
        from rftplan.server.reinforce import Reinforcement

        if not run.train:
            raise TrainingFailedError(
                "Training file has 0 example(s)", code="invalid_training_file", param="training_file"
            )
        if run.method == "reinforcement":
            return _marked(Reinforcement(run, _runnable_grader(run)).trajectory())
        return _marked(simulate_losses(run))


def _marked(trajectory: Trajectory) -> Trajectory:
    """Says in every message that it is simulated."""
    return replace(
        trajectory,
        steps=[replace(step, message=f"{MARK} {step.message}") for step in trajectory.steps],
        notes=[f"{MARK} {note}" for note in trajectory.notes],
    )


def _runnable_grader(run: TrainingRun) -> Grader:
    if run.grader is None or not run.valid:
        missing = "a grader" if run.grader is None else "a validation file"
        raise TrainingFailedError(f"The reinforcement method needs {missing}.", code="invalid_method")
    if run.grader.refusal is not None:
        raise TrainingFailedError(run.grader.refusal, code="unsupported_grader", param="grader")
    return run.grader
