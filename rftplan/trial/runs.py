"""Grades questions and samples, and adds up what comes out. Makes no answers and says no verdict."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import Any, Final, TypeVar

from msgspec import Struct, field

from rftplan.canonical import JsonObject
from rftplan.checks.python_runs import absent_package
from rftplan.errors import UserError
from rftplan.grading import Grader, Judge, Result, Sample, grade_all
from rftplan.grading.answers import Question
from rftplan.grading.call_answers import AnyQuestions
from rftplan.grading.scores import judged, timed_out, unjudged
from rftplan.grading.table import Table
from rftplan.grading.verdict import Answer
from rftplan.trial.samples import Entry, recorded, regraded

_AT_ONCE: Final = 8
"""Requests to a model that judges."""
_LATE: Final = 3
"""Each time takes as long as the service's limit: two minutes."""
MOST_LISTED: Final = 1_000
"""Of samples, so many are told one by one."""

In = TypeVar("In")
Out = TypeVar("Out")
OnGraded = Callable[[int], None]
"""Told after each row or sample how many are graded."""
Record = Callable[[JsonObject], None]
"""Given each answer with its row and its score, as an entry of a file of samples."""


@dataclasses.dataclass(slots=True)
class Rater:
    """A grader and who judges for it. Gives up a grader that runs out of time again and again."""

    grader: Grader
    judge: Judge
    _late: int = dataclasses.field(default=0, init=False)

    def grade(self, answers: Iterable[tuple[Sample, Mapping[str, Any]]]) -> Iterator[Result]:
        """Of each, in order. UserError after the third time in a row that Python ran out of time."""
        for result in grade_all(self.grader, answers, self.judge):
            self._late = self._late + 1 if timed_out(result) else 0
            if self._late >= _LATE:
                said = f"the grader ran out of time on {_LATE} answers in a row"
                raise UserError(said, hint="bound its loops; rftplan check --run-python names the grader and the row")
            yield result

    @property
    def stand_in(self) -> bool:
        """Whether scores come from the judge that asks no model."""
        return self.judge.stand_in and judged(self.grader)

    def each(self, rate: Callable[[Iterable[In]], Iterable[Out]], things: Iterable[In]) -> Iterator[Out]:
        """What `rate` makes of them one after the other; if a model is asked over a network, of each by itself, and of
        several at the same time."""
        if self.judge.stand_in or not judged(self.grader):
            yield from rate(things)
            return
        waiting = iter(things)
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            while batch := list(islice(waiting, _AT_ONCE * 4)):
                yield from chain.from_iterable(pool.map(lambda one: list(rate([one])), batch))
        finally:
            pool.shutdown(cancel_futures=True)


class SampleScore(Struct, frozen=True):
    """One sample of a file, by its 1-based line."""

    line: int
    result: Result


class Scored(Table, Struct):
    """What was scored, of answers or of samples. `constant` is the one answer for all rows."""

    constant: str | None = None
    listed: list[SampleScore] = field(default_factory=list)
    rows: int = 0

    @property
    def absent(self) -> str | None:
        """The error of an import of what is not installed here, if there was one."""
        said = (detail for column in self.columns.values() for detail in column.details.values())
        return next(filter(None, map(absent_package, said)), None)


SAMPLE: Final = "sample"
"""The column of samples that nobody marked."""


def forget(_entry: JsonObject) -> None:
    """A record that nobody keeps."""


def rate_questions(
    rater: Rater, made: AnyQuestions, questions: Iterable[Question], on_graded: OnGraded, record: Record = forget
) -> Scored:
    """Every answer to every question, and how each stands to the right one."""
    scored = Scored()

    def rate(some: Iterable[Question]) -> Iterator[tuple[Question, Mapping[str, Result]]]:
        asked: deque[tuple[Question, list[str]]] = deque()

        def answers() -> Iterator[tuple[Sample, Mapping[str, Any]]]:
            for question in some:
                asked.append((question, list(dict.fromkeys(question.texts.values()))))
                for text in asked[-1][1]:
                    yield made.sample(text), question.item

        results = rater.grade(answers())
        for first in results:
            question, texts = asked.popleft()
            yield question, dict(zip(texts, chain([first], islice(results, len(texts) - 1)), strict=True))

    for question, results in rater.each(rate, questions):
        scored.rows += 1
        scored.add(question, results, rater.grader, stand_in=rater.stand_in)
        scored.constant = question.texts.get(Answer.CONSTANT, scored.constant)
        for answer, text in question.texts.items():
            record(recorded(made.sample(text), question.item, answer=answer.value, score=results[text].reward))
        on_graded(scored.rows)
    return scored


def rate_samples(rater: Rater, entries: Iterable[Entry], on_graded: OnGraded, record: Record = forget) -> Scored:
    """Every sample by itself."""
    scored = Scored()

    def rate(some: Iterable[Entry]) -> Iterator[tuple[Entry, Result]]:
        asked: deque[Entry] = deque()

        def answers() -> Iterator[tuple[Sample, Mapping[str, Any]]]:
            for entry in some:
                asked.append(entry)
                yield entry.sample, entry.item

        for result in rater.grade(answers()):
            yield asked.popleft(), result

    for entry, result in rater.each(rate, entries):
        scored.rows += 1
        scored.column(SAMPLE).add(result)
        scored.unjudged += unjudged(result)
        if len(scored.listed) < MOST_LISTED:
            scored.listed.append(SampleScore(entry.line, result))
        record(regraded(entry, score=result.reward))
        on_graded(scored.rows)
    return scored
