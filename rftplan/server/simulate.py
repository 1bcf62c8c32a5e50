"""The trainer of the local service as users get it: it trains no model and says so in everything it reports.

For reinforcement it builds candidate answers, lets the job's real grader score them and moves a policy over
kinds of answers; what it shows is the grader's behaviour, not a model's. The only I/O is the judge's.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING

from rftplan.server.trainer import Answer, Learned, Question, TrainingFailedError, TrainingRun, Trajectory

if TYPE_CHECKING:
    from rftplan.grading import Grader
    from rftplan.server.recall import Knowledge

MARK = "[SIMULATED]"
_REMEMBERED = 4  # jobs whose rows are kept at hand for the next question


class SimulatingTrainer:
    """Deterministic in the run, the judge's answers included."""

    name = "simulation"
    simulated = True

    def __init__(self) -> None:
        self._known: OrderedDict[str, Knowledge] = OrderedDict()
        self._lock = threading.Lock()

    def train(self, run: TrainingRun) -> Trajectory:
        """Raises TrainingFailedError where the service would have to make scores up, RefusedRunError where it would
        take too long."""
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

    def answer(self, question: Question) -> Answer:
        """From the rows of the checkpoint's job, which are read with the first question to it."""
        from rftplan.server.recall import base_answer

        if question.learned is None:
            return base_answer(question)
        return self._knowledge(question.learned).answer(question)

    def _knowledge(self, learned: Learned) -> Knowledge:
        from rftplan.server.recall import knowledge_of

        with self._lock:
            known = self._known.get(learned.job_id) or knowledge_of(learned.run())
            self._known[learned.job_id] = known
            self._known.move_to_end(learned.job_id)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
            return known


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
