"""What a grader can teach, seen before any training: every kind of answer to some rows. Draws and learns nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from msgspec import Struct, field

from rftplan.grading import Grader, Result
from rftplan.grading.answers import Question
from rftplan.grading.call_answers import questions_of
from rftplan.grading.scores import judged, timed_out
from rftplan.grading.table import Table
from rftplan.grading.verdict import Answer, Judgement
from rftplan.server.scoring import Scoring
from rftplan.server.trainer import TrainingRun
from rftplan.server.verdict_words import verdict_said

ROWS: Final = 20
_OTHERS: Final = 1_000  # rows that wrong answers are taken from


class Survey(Struct, frozen=True):
    """`flat` is how many of the rows score the same whatever is answered."""

    rows: int
    means: Mapping[Answer, float]
    flat: int
    judgement: Judgement
    said: str

    def verdict(self) -> dict[str, Any]:
        """What every step repeats, so that nobody needs to look for the first one."""
        return {
            "verdict": self.judgement.verdict.value,
            "why": self.judgement.why.value,
            "about": self.judgement.about,
            "said": self.said,
        }

    def as_data(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "scores": {answer.value: round(mean, 4) for answer, mean in self.means.items()},
            "flat_prompts": self.flat / self.rows,
            **self.verdict(),
        }

    def notes(self) -> Iterator[str]:
        yield f"Before training, {self.said}."
        scores = ", ".join(f"{answer.value} {mean:.2f}" for answer, mean in self.means.items())
        yield f"Before training, mean score over {self.rows} rows by kind of answer: {scores}."
        if self.flat:
            yield f"{self.flat} of {self.rows} prompts score the same whatever is answered: they teach nothing."
        else:
            yield f"Each of {self.rows} prompts has answers that score differently: each teaches something."


def survey(run: TrainingRun, grader: Grader, scoring: Scoring) -> Survey | None:
    """None where it would cost: a model is asked for each answer, Python runs out of time. Raises RefusedRunError."""
    if judged(grader) and not run.judge.stand_in:
        return None
    made = questions_of(grader, run.response_format, list(islice(run.train, _OTHERS)))
    answers = _Answers(grader, run.judge.stand_in and judged(grader))
    for question in made.of_rows(enumerate(islice(run.train, ROWS))):
        results = {}
        for text in dict.fromkeys(question.texts.values()):
            (results[text],) = scoring.results([(made.sample(text), question.item)])
            if timed_out(results[text]):
                return None
        answers.add(question, results)
    return answers.survey()


class _Answers(Struct):
    """Of all kinds, to the rows that were asked."""

    grader: Grader
    stand_in: bool
    table: Table = field(default_factory=Table)
    rows: int = 0
    flat: int = 0

    def add(self, question: Question, results: Mapping[str, Result]) -> None:
        self.rows += 1
        self.flat += len({result.reward for result in results.values()}) == 1
        self.table.add(question, results, self.grader, stand_in=self.stand_in)

    def survey(self) -> Survey:
        columns = self.table.columns
        means = {answer: columns[answer].mean for answer in Answer if answer in columns}
        judgement = self.table.judgement()
        return Survey(self.rows, means, self.flat, judgement, verdict_said(judgement, self.table))
