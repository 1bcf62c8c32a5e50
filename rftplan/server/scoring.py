"""Grade the answers of a run, and give up where it takes too long: somebody waits for the job. Draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from rftplan.grading import Grader, Judge, Multi, Result, Sample, ScoreModel, grade_all
from rftplan.server.trainer import RefusedRunError

LONGEST: Final = 420.0
"""Seconds. The official SDK waits 600 for a reply and then asks for a second job; one grade more may take 120."""
_JUDGES_AT_ONCE = 8  # requests to a model that judges; the service caps its graders too, at a number unknown

Answer = tuple[Sample, Mapping[str, Any]]
"""What is graded: the sample, and the item of its row."""


class Scoring:
    """One run's. `now` is in seconds, from any time on; they count from the first answer."""

    def __init__(self, grader: Grader, judge: Judge, *, now: Callable[[], float]) -> None:
        self._grader, self._judge, self._now = grader, judge, now
        self._begun: float | None = None
        self._graded = 0

    def results(self, answers: Iterable[Answer]) -> list[Result]:
        """Of each, in order; raises RefusedRunError once grading took too long."""
        if self._begun is None:
            self._begun = self._now()
        if self._judge.stand_in or not asks_judge(self._grader):
            return list(self._in_time(grade_all(self._grader, answers, self._judge)))
        pool = ThreadPoolExecutor(_JUDGES_AT_ONCE)
        try:
            return list(self._in_time(pool.map(lambda one: self._grader.grade(one[0], one[1], self._judge), answers)))
        finally:
            pool.shutdown(cancel_futures=True)

    def _in_time(self, results: Iterable[Result]) -> Iterator[Result]:
        assert self._begun is not None
        for result in results:
            self._graded += 1
            took = self._now() - self._begun
            if took > LONGEST:
                raise RefusedRunError(
                    f"grading {self._graded:,} answers took {took:.0f} s, and at most {LONGEST:.0f} s are given to it."
                    " Train on fewer rows, or with a faster grader.",
                    param="method.reinforcement.grader",
                )
            yield result


def asks_judge(grader: Grader) -> bool:
    """Whether a model, or what stands in for one, gives any of its scores."""
    members = grader.members.values() if isinstance(grader, Multi) else [grader]
    return any(isinstance(member, ScoreModel) for member in members)
