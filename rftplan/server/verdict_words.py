"""What the verdict on a grader means, said to whoever wrote it. Decides nothing."""

from __future__ import annotations

from typing import Final, assert_never

from rftplan.grading.scores import Column
from rftplan.grading.table import Table
from rftplan.grading.verdict import NAMES, Answer, Judgement, Pairs, Verdict, Why

_HEADS: Final = {
    Verdict.SEPARATES: "the grader tells right answers from wrong ones",
    Verdict.DOES_NOT_SEPARATE: "the grader does not tell right answers from wrong ones",
    Verdict.CANNOT_TELL: "whether the grader tells right answers from wrong ones cannot be said",
}
_LONGEST: Final = 120


def verdict_said(judgement: Judgement, table: Table) -> str:
    """The verdict and what it rests on, as a sentence without its full stop. `about` is one of the kinds compared."""
    return f"{_HEADS[judgement.verdict]}: {_reason(judgement, table)}"


def _reason(judgement: Judgement, table: Table) -> str:
    right = table.columns.get(Answer.RIGHT, Column())
    match judgement.why:
        case Why.CLEAR:
            pairs = _pairs(judgement, table)
            return f"the right answer scores more than {_about(judgement)} in {pairs.higher} of {pairs.total} rows"
        case Why.NOT_ABOVE:
            pairs = _pairs(judgement, table)
            count = pairs.total - pairs.higher
            return f"{_about(judgement)} scores as much as the right answer, or more, in {count} of {pairs.total} rows"
        case Why.FAILS if right.count:
            return f"it fails on {right.failed} of {right.count} right answers, which then score 0{_detail(right)}"
        case Why.FAILS:
            failed = next(iter(table.columns.values()), Column())
            return f"it fails on every answer, which then scores 0{_detail(failed)}"
        case Why.NO_RIGHT_ANSWER:
            return (
                "neither it nor the response format says which field of a row is the right answer, so none is"
                " ever given"
            )
        case Why.ONLY_BROKEN:
            return "what it compares with the row is the same in all rows"
        case Why.STAND_IN:
            return (
                f"the stand-in judge, which compares words, decides about {_about(judgement)}; a real judge is needed"
            )
        case Why.UNJUDGED:
            return f"the judge gave no score for {table.unjudged} of {right.count} right answers"
        case Why.MADE_UP:
            return (
                f"{table.made_up} of {right.count} right answers have made-up parts, for nothing in the row says them"
            )
        case Why.NOT_INSTALLED:
            return "what it imports is not installed here"
        case Why.UNMARKED:
            return "nothing says which answers are right"
    assert_never(judgement.why)


def _about(judgement: Judgement) -> str:
    return NAMES[judgement.about] if judgement.about else "a wrong one"


def _pairs(judgement: Judgement, table: Table) -> Pairs:
    return table.columns.get(judgement.about or "", Column()).pairs


def _detail(column: Column) -> str:
    """The first error, as one short line."""
    said = " ".join(next(iter(column.details.values()), "").split())
    return f" ({said if len(said) <= _LONGEST else said[: _LONGEST - 1] + '…'})" if said else ""
