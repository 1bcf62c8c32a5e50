"""The trainer of the local service as users get it: it trains no model and says so in everything it reports.

For reinforcement it builds candidate answers, lets the job's real grader score them and moves a policy over
kinds of answers; what it shows is the grader's behaviour, not a model's. The only I/O is the judge's.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from rftplan.server.trainer import Answer, Learned, Question, TrainingFailedError, TrainingRun, Trajectory

if TYPE_CHECKING:
    from rftplan.grading import Grader
    from rftplan.server.recall import Knowledge

MARK = "[SIMULATED]"
_REMEMBERED = 4  # jobs whose rows are kept at hand for the next question
_MOST_CHARACTERS = 100_000_000  # of those rows together; the job that was asked last is kept whatever it takes


class _Known(Struct):
    """Of one job; whoever reads its rows makes wait only who asks the same job."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    knowledge: Knowledge | None = None

    @property
    def characters(self) -> int:
        return 0 if self.knowledge is None else self.knowledge.characters


class SimulatingTrainer:
    """Deterministic in the run, the judge's answers included."""

    name = "simulation"
    simulated = True

    def __init__(self, *, most_characters: int = _MOST_CHARACTERS) -> None:
        """Of the rows of jobs that were asked, about so many characters are kept at hand."""
        self._most_characters = most_characters
        self._known: OrderedDict[str, _Known] = OrderedDict()
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
            known = self._known.setdefault(learned.job_id, _Known())
            self._known.move_to_end(learned.job_id)
        with known.lock:
            if known.knowledge is None:
                known.knowledge = knowledge_of(learned.run())
        self._forget()
        return known.knowledge

    def _forget(self) -> None:
        """The jobs that nobody asked for longest, until the others are within the bounds."""
        with self._lock:
            taken = sum(known.characters for known in self._known.values())
            while len(self._known) > 1 and (len(self._known) > _REMEMBERED or taken > self._most_characters):
                _, less = self._known.popitem(last=False)
                taken -= less.characters


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
