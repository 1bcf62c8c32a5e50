"""Ask a model about every row that it has not answered yet, several at a time, and grade what it says. Decides nothing;
what it has kept it does not ask for again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, Final, Protocol

from msgspec import Struct

from rftplan.api.port import Port
from rftplan.canonical import JsonObject
from rftplan.evaluating.kept import Kept, Place
from rftplan.evaluating.task import Task, rows_of_task
from rftplan.grading import Flag, Grader, Judge, Result, Sample, grade_all
from rftplan.grading.candidates import item_of
from rftplan.grading.scores import judged

_AT_ONCE: Final = 8
"""Questions, and grades of a judge that is asked over a network."""
OnAnswered = Callable[[int, int], None]
"""Told how many answers are there, of how many."""


class Scores(Struct, frozen=True):
    """What the rows scored, several samples each. `failed` are answers that could not be graded by the grader's fault,
    `why` is what it said of one of them; `asked` were answered now, all others before."""

    rows: Sequence[Sequence[float]]
    failed: int = 0
    why: str = ""
    asked: int = 0


class Tools(Protocol):
    """What graders need to score on this machine."""

    @property
    def judge(self) -> Judge: ...

    def read_grader(self, body: Mapping[str, Any], *, param: str = "grader") -> Grader: ...


class Evaluate(Protocol):
    """Answers and scores of one task; None where somebody stopped it. ApiError for a model that does not answer,
    DataError for rows that cannot be read. What was answered until then is kept."""

    def __call__(self, task: Task, on_answered: OnAnswered) -> Awaitable[Scores | None]: ...


class Evaluator(Struct, frozen=True):
    """Keeps under `folder` what was answered and scored. `stopped` is asked before each question."""

    port: Port
    folder: Path
    tools: Callable[[], AbstractContextManager[Tools]]
    stopped: Callable[[], bool]

    async def __call__(self, task: Task, on_answered: OnAnswered) -> Scores | None:
        rows = await asyncio.to_thread(rows_of_task, task)
        answers = Kept(self.folder / f"answers-{task.answers_key}.jsonl")
        scores = Kept(self.folder / f"scores-{task.scores_key}.jsonl")
        with closing(answers), closing(scores):
            places = [(row, sample) for row in range(len(rows)) for sample in range(task.samples)]
            asked = await self._ask(task, rows, places, answers, on_answered)
            if asked is None:
                return None
            failed = await asyncio.to_thread(self._grade, task, rows, places, answers, scores)
        graded = [[_number(scores.entries, (row, s)) for s in range(task.samples)] for row in range(len(rows))]
        return Scores(graded, len(failed), next(iter(failed), ""), asked)

    async def _ask(
        self,
        task: Task,
        rows: Sequence[JsonObject],
        places: Sequence[Place],
        answers: Kept,
        on_answered: OnAnswered,
    ) -> int | None:
        """How many were asked; None where somebody stopped it. One question after the other in each of a few lanes:
        what is under way when one fails is waited for and kept, for it is paid for."""
        missing = iter([place for place in places if place not in answers.entries])
        there = sum(place in answers.entries for place in places)
        faults: list[BaseException] = []
        asked = 0
        on_answered(there, len(places))

        async def lane() -> None:
            nonlocal asked
            for place in missing:
                if faults or self.stopped():
                    return
                try:
                    answer = await self.port.answer(task.question(place[0], rows[place[0]]))
                    answers.add(place, {"text": answer.text, "tools": [*answer.tools], "cut": answer.cut})
                except Exception as error:  # the first is raised once all lanes have ended
                    faults.append(error)
                    return
                asked += 1
                on_answered(there + asked, len(places))

        await asyncio.gather(*(lane() for _ in range(_AT_ONCE)))
        if faults:
            raise faults[0]
        if there + asked < len(places):
            return None
        return asked

    def _grade(
        self, task: Task, rows: Sequence[JsonObject], places: Sequence[Place], answers: Kept, scores: Kept
    ) -> list[str]:
        """Score what is not scored yet; what could not be graded by the grader's fault is not kept."""
        missing = [place for place in places if place not in scores.entries]
        failed: list[str] = []
        if not missing:
            return failed
        items = [item_of(row) for row in rows]
        with self.tools() as tools:
            grader = tools.read_grader(task.grader)
            graded = ((_sample(task, answers.entries[place]), items[place[0]]) for place in missing)
            for place, result in zip(missing, _results(grader, graded, tools.judge), strict=True):
                fault = next((d or f.value for f, d in result.errors.items() if f is not Flag.SAMPLE_PARSE), None)
                if fault is None:
                    scores.add(place, {"score": result.reward})
                else:
                    failed.append(fault)
        return failed


def _results(grader: Grader, answers: Iterator[tuple[Sample, Mapping[str, Any]]], judge: Judge) -> Iterator[Result]:
    if judge.stand_in or not judged(grader):
        yield from grade_all(grader, answers, judge)
        return
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda one: grader.grade(one[0], one[1], judge), answers)


def _sample(task: Task, entry: JsonObject) -> Sample:
    text, tools = str(entry.get("text", "")), entry.get("tools")
    calls = tuple(call for call in tools if isinstance(call, dict)) if isinstance(tools, list) else ()
    made = Sample.of_plain_text if task.response_format is None else Sample.of_text
    return made(text, tools=calls)


def _number(entries: Mapping[Place, JsonObject], place: Place) -> float:
    """0 for what could not be graded: `failed` tells of it."""
    score = entries.get(place, {}).get("score")
    return float(score) if isinstance(score, int | float) else 0.0
