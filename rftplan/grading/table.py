"""What answers of every kind to some rows scored, and how they stand to the right ones. Grades nothing itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from rftplan.grading import Grader, Result
from rftplan.grading.answers import Question
from rftplan.grading.scores import Column, score_of, unjudged
from rftplan.grading.verdict import Answer, Excused, Judgement, Order, compare, judge_pairs


class Table(Struct):
    """One column for each kind of answer. `unjudged` counts right answers for which the judge gave no score; `made_up`
    right answers with parts that nothing names and the grader may read; `excused` those of them on which it failed,
    for a reason that may be such a part; `blamable` answers of any kind on which it failed as one that takes an answer
    apart."""

    columns: dict[str, Column] = field(default_factory=dict)
    unjudged: int = 0
    made_up: int = 0
    excused: int = 0
    blamable: int = 0

    def column(self, name: str) -> Column:
        return self.columns.setdefault(name, Column())

    @property
    def count(self) -> int:
        return sum(column.count for column in self.columns.values())

    @property
    def failed(self) -> int:
        """Answers of any kind on which the grader failed."""
        return sum(column.failed for column in self.columns.values())

    def add(self, question: Question, results: Mapping[str, Result], grader: Grader, *, stand_in: bool) -> None:
        """The results of all texts of a question. `stand_in`: the judge that asks no model took part."""
        for answer, text in question.texts.items():
            self.column(answer).add(results[text])
            self.blamable += blames_answer(_failure(results[text]) or "")
        if (right := question.texts.get(Answer.RIGHT)) is None:
            return
        excused = _excused(question, results)
        self.made_up += question.made_up
        self.excused += excused
        self.unjudged += unjudged(results[right])
        score = score_of(grader, results[right], stand_in=stand_in)
        for answer in question.compared:
            result, column = results[question.texts[answer]], self.column(answer)
            order = compare(score, score_of(grader, result, stand_in=stand_in))
            column.orders[order] += 1
            column.compared.append(result.reward)
            if excused or _unsure(question, answer, order):
                column.excused[order] += 1

    def judgement(self) -> Judgement:
        """What all of it says of the grader."""
        right = self.columns.get(Answer.RIGHT, Column())
        return judge_pairs(
            right.count,
            right.failed - self.unjudged,
            {Answer(name): column.pairs for name, column in self.columns.items()},
            unjudged=self.unjudged,
            hopeless=self.count if self.failed == self.count and not self.blamable else 0,
            excused=Excused(
                self.excused, {Answer(name): column.pairs_in_doubt for name, column in self.columns.items()}
            ),
        )


_OF_THE_ANSWER: Final = re.compile(r"\b(?:JSONDecodeError|ValueError|IndexError|AttributeError)\b")


def blames_answer(failure: str) -> bool:
    """Whether this is what a Python grader raises that takes an answer apart which has not the form it expects, as
    answers that are made up."""
    return _OF_THE_ANSWER.search(failure) is not None


def _excused(question: Question, results: Mapping[str, Result]) -> bool:
    """Whether the grader failed on the right answer, maybe because of a part that was made up.

    No part of an answer makes a name undefined, nor is to blame for what an empty answer brings about, too; unless that
    is that nothing is there, which may be said of a part as well.
    """
    failure = _failure(results[question.texts[Answer.RIGHT]])
    if failure is None or not question.made_up:
        return False
    if "NameError: " in failure:
        return False
    return "NoneType" in failure or failure != _failure(results[question.texts[Answer.EMPTY]])


def _failure(result: Result) -> str | None:
    return "; ".join(result.errors.values()) if result.errors else None


def _unsure(question: Question, answer: Answer, order: Order) -> bool:
    """Whether a part that was made up may be why the right answer does not score more: it may cost all answers their
    points alike, but where both say the same there, it does not make the wrong one the better one."""
    return question.made_up and (order is Order.TIE or answer not in question.alike)
