"""Which checkpoints a job still has, and their names. A pure choice among validated steps and pauses."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from heapq import nlargest

from msgspec import Struct

from rftplan.server.job_request import Method
from rftplan.server.lifecycle import Moment, Status, snapshots, step_times
from rftplan.server.stored_job import StoredJob
from rftplan.server.validated import Validated

KEPT = 3


class Kept(Struct, frozen=True):
    """A step that left a checkpoint, and when, in microseconds."""

    step: int
    at: int


def kept_checkpoints(validated: Validated, job: StoredJob, moment: Moment) -> list[Kept]:
    """Highest step first: those of validated steps that are kept, and one of each step that the job was paused at.

    A validated step's checkpoint is as old as the step; another one is made when the job has paused.
    """
    steps = _kept_steps(validated, job, moment)
    paused = {snapshot.step: snapshot.at for snapshot in reversed(snapshots(job.life, moment.now))}
    new = [step for step in paused if not is_among(validated.numbers, step)]
    old = sorted({*steps, *(paused.keys() - new)})
    made = dict(zip(old, step_times(job.life, old), strict=True)) | {step: paused[step] for step in new}
    return [Kept(step, made[step]) for step in sorted(made, reverse=True)]


def _kept_steps(validated: Validated, job: StoredJob, moment: Moment) -> set[int]:
    """The best three of reinforcement, the last three of other methods, the final one.

    The final step's is kept only once the job succeeded, because it is then the fine-tuned model itself.
    """
    seen = range(bisect_right(validated.numbers, moment.steps_done))
    if job.method == Method.REINFORCEMENT:  # of equals the later one; one without a reward comes last
        places = nlargest(KEPT, reversed(seen), key=validated.rewards.__getitem__)
    else:
        places = list(seen[-KEPT:])
    kept = {validated.numbers[place] for place in places}
    if moment.status is Status.SUCCEEDED and seen and validated.numbers[seen[-1]] == job.life.steps:
        kept.add(job.life.steps)
    return kept


def is_among(numbers: Sequence[int], number: int) -> bool:
    """Of sorted ones."""
    place = bisect_right(numbers, number)
    return place > 0 and numbers[place - 1] == number


def checkpoint_model(job: StoredJob, step: int, moment: Moment) -> str:
    """The model's id; the final step's checkpoint is the fine-tuned model, without a step in its id."""
    if moment.status is Status.SUCCEEDED and step == job.life.steps:
        return job.fine_tuned_model
    return f"{job.fine_tuned_model}:ckpt-step-{step}"
