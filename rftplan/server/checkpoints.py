"""Which checkpoints a job still has, and their names. A pure choice among the validated steps."""

from __future__ import annotations

from bisect import bisect_right
from heapq import nlargest

from rftplan.server.job_request import Method
from rftplan.server.job_store import StoredJob
from rftplan.server.lifecycle import Moment, Status
from rftplan.server.validated import Validated

KEPT = 3


def kept_steps(validated: Validated, job: StoredJob, moment: Moment) -> list[int]:
    """Highest step first: the best three of reinforcement, the last three of other methods, the final one.

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
    return sorted(kept, reverse=True)


def checkpoint_model(job: StoredJob, step: int, moment: Moment) -> str:
    """The model's id; the final step's checkpoint is the fine-tuned model, without a step in its id."""
    if moment.status is Status.SUCCEEDED and step == job.life.steps:
        return job.fine_tuned_model
    return f"{job.fine_tuned_model}:ckpt-step-{step}"
