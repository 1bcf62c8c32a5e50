"""Runs the Python graders of the specs on a few answers, for whoever asked `check` to. Decides nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Final

from rftplan.checks.preflight import Written, scorers
from rftplan.checks.python_runs import NO_ROWS, NOT_RUN, SCORES_ALIKE, Seen, said_of_runs
from rftplan.checks.python_source import ALWAYS_THE_SAME
from rftplan.errors import Diagnostic, UserError
from rftplan.events import Graded, OnEvent, ignore
from rftplan.grading import Grader, GraderError, Result, StandInJudge, parse_grader
from rftplan.grading.answers import Question
from rftplan.grading.call_answers import AnyQuestions
from rftplan.grading.scores import members, timed_out
from rftplan.grading.verdict import NAMES
from rftplan.kinds.grader import Python
from rftplan.loading import Loaded
from rftplan.trial import Answer, Subject, rows_spread, subjects
from rftplan.trial.runs import OnGraded
from rftplan.trying import FileRows, file_rows
from rftplan.wiring import World

FEW_ROWS: Final = 5
"""Of a file: enough to see whether a grader works, few enough for one that takes its time."""


def run_python(loaded: Loaded, world: World, on_event: OnEvent = ignore) -> list[Diagnostic]:
    """What is found by running every Python grader, members of multis too, by the world's runner."""
    with closing(world.new_runner()) as runner:
        found = []
        for subject in subjects(loaded.preflight):
            python = [at for at, scorer in scorers(subject.where, subject.spec) if isinstance(scorer, Python)]
            if not python:
                continue
            try:
                whole = parse_grader(subject.body, runner=runner)
            except GraderError:
                continue  # what is wrong with it is a finding already
            found += [one for at in python for one in _of_grader(loaded, subject, whole, at, on_event)]
    known = {one.address for one in loaded.diagnostics if one.code == ALWAYS_THE_SAME.code}
    return [one for one in found if one.code != SCORES_ALIKE.code or one.address not in known]


def _of_grader(loaded: Loaded, subject: Subject, whole: Grader, at: Written, on_event: OnEvent) -> Iterator[Diagnostic]:
    grader = whole if at.of == subject.where.of else members(whole)[str(at.path[-1])]
    if (refusal := grader.refusal) is not None:
        hint = "check --run-python --trust-python runs it with your own rights; read it first"
        yield at.finding(NOT_RUN, refusal, "source", hint=hint)
        return
    try:
        rows = file_rows(loaded, subject)
    except UserError as error:
        yield at.finding(NO_ROWS, error.message, "source")
        return
    told = list(_runs(rows, whole, grader, lambda done: on_event(Graded(at.of, done, FEW_ROWS))))
    on_event(Graded(at.of, FEW_ROWS, FEW_ROWS))
    yield from said_of_runs(at, rows.shown, told)


def _runs(rows: FileRows, whole: Grader, grader: Grader, on_graded: OnGraded) -> Iterator[Seen]:
    """Answers that `whole` and the rows call right or wrong, scored by `grader`, until one runs out of time."""
    made = rows.questions(whole)
    for done, question in enumerate(made.of_rows(rows_spread(rows.path, rows.count, FEW_ROWS))):
        on_graded(done)
        for answer in question.texts:
            seen = _seen(question, answer, made, grader)
            yield seen
            if seen.timed_out:
                return


def _seen(question: Question, answer: Answer, made: AnyQuestions, grader: Grader) -> Seen:
    result = grader.grade(made.sample(question.texts[answer]), question.item, StandInJudge())
    return Seen(
        line=question.line,
        answer=NAMES[answer],
        right=answer is Answer.RIGHT and not question.made_up,
        compared=answer in question.compared and answer not in (Answer.NEAR, Answer.VERBOSE),
        score=result.reward,
        failure=_failure(result),
        timed_out=timed_out(result),
    )


def _failure(result: Result) -> str | None:
    return next(iter(result.errors.values()), None)
