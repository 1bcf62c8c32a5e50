"""What a grader scored, as the document of `grade --json`. Renders no text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rftplan.render.grade_shapes import (
    AnswersDocument,
    BinDocument,
    GradeDocument,
    GraderErrorDocument,
    PairsDocument,
    SampleScoreDocument,
)

if TYPE_CHECKING:
    from rftplan.grading import Flag
    from rftplan.grading.scores import Column
    from rftplan.trial.runs import SampleScore
    from rftplan.trying import Trial


def grade_document(trial: Trial) -> GradeDocument:
    from rftplan.trial import Verdict

    source, judge = trial.source, trial.judge
    document: GradeDocument = {
        "format": "rftplan.grade/1",
        "ok": trial.judgement.verdict is not Verdict.DOES_NOT_SEPARATE,
        "grader": trial.grader,
        "type": trial.type.value,
        "job": trial.job,
        "tried_on": {
            "kind": "samples" if source.samples else "rows",
            "path": source.path,
            "total": source.rows,
            "used": source.used,
        },
        "judge": {"name": judge.name, "stand_in": judge.stand_in} if judge else None,
        "python": trial.python,
        "answers": _answers(trial),
        "histogram": _histogram(trial),
        "verdict": trial.judgement.verdict.value,
        "why": trial.judgement.why.value,
        "detail": trial.detail,
        "hint": trial.hint,
        "remarks": list(trial.remarks),
    }
    if source.samples:
        document["samples"] = [_sample(one) for one in trial.scored.listed]
    return document


def _answers(trial: Trial) -> list[AnswersDocument]:
    """In the order in which kinds are told; those that nothing was made of are left out."""
    from rftplan.trial import SAMPLE, Answer

    found = []
    for name in (*Answer, SAMPLE):
        column = trial.scored.columns.get(name)
        if column is not None and column.count:
            found.append(_column(str(name), column, compared=name not in (Answer.RIGHT, SAMPLE)))
            if name is Answer.CONSTANT and trial.scored.constant is not None:
                found[-1]["text"] = trial.scored.constant
    return found


def _column(name: str, column: Column, *, compared: bool) -> AnswersDocument:
    pairs = column.pairs
    shown: PairsDocument = {
        "higher": pairs.higher,
        "ties": pairs.ties,
        "lower": pairs.lower,
        "undecided": pairs.undecided,
    }
    return {
        "answer": name,
        "count": column.count,
        "mean": column.mean,
        "low": min(column.rewards),
        "high": max(column.rewards),
        "members": {member: total / column.count for member, total in column.members.items()},
        "failed": column.failed,
        "errors": [
            {"flag": flag.value, "count": count, "detail": column.details[flag]} for flag, count in column.flags.items()
        ],
        "pairs": shown if compared and pairs.total else None,
    }


def _sample(one: SampleScore) -> SampleScoreDocument:
    result = one.result
    return {
        "line": one.line,
        "score": result.reward,
        "members": result.sub_rewards,
        "errors": _errors(result.errors),
    }


def _errors(errors: Mapping[Flag, str]) -> list[GraderErrorDocument]:
    return [{"flag": flag.value, "count": 1, "detail": detail} for flag, detail in errors.items()]


def _shown(name: str, column: Column) -> Sequence[float]:
    """Right answers, samples, and those that are certainly wrong."""
    from rftplan.trial import SAMPLE, Answer

    return column.rewards if name in (Answer.RIGHT, SAMPLE) else column.compared


def _histogram(trial: Trial) -> list[BinDocument]:
    from rftplan.trial import histogram

    columns = {str(name): scores for name, column in trial.scored.columns.items() if (scores := _shown(name, column))}
    return [{"low": bin.low, "high": bin.high, "counts": dict(bin.counts)} for bin in histogram(columns)]
