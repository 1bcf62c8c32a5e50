"""What a trial came to, in sentences. Decides nothing and formats no table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rftplan.checks.python_runs import remedy
from rftplan.grading.scores import Column
from rftplan.grading.verdict import CLEAR, NAMES, SAME, Answer, Judgement, Pairs, Why, falls_short
from rftplan.trial.runs import SAMPLE, Scored

_MUCH: Final = 0.6
_LONGEST: Final = 60


def detail_of(judgement: Judgement, scored: Scored) -> str:
    """What the verdict rests on, with its figures."""
    match judgement.why:
        case Why.CLEAR:
            if _pairs(judgement, scored).certain == 1:
                return "the right answer scores more than every wrong one that it was compared with"
            said = f"the right answer scores more than {_about(judgement)} {_higher(judgement, scored)}"
            return f"{said}, and no other kind comes closer"
        case Why.NOT_ABOVE:
            said = f"the right answer scores more than {_about(judgement)} only {_higher(judgement, scored)}"
            return f"{said}{_rest(judgement, scored)}; {CLEAR:.0%} are needed"
        case Why.FAILS:
            return _failing(scored)
        case Why.NO_RIGHT_ANSWER:
            return "nothing in the grader or the response format says what in a row is the right answer"
        case Why.ONLY_BROKEN:
            said = "what the grader compares with the row is the same in all rows"
            return f"no well-formed wrong answer could be made: {said}"
        case Why.STAND_IN:
            return _undecided(judgement, scored)
        case Why.UNJUDGED:
            return f"the judge gave no score for {scored.unjudged} of {_must_score(scored).count} {_noun(scored)}"
        case Why.MADE_UP:
            count = f"{scored.made_up} of {_must_score(scored).count}"
            return f"the grader {_done_to(scored)}, but {count} have parts that nothing in the row says"
        case Why.NOT_INSTALLED:
            return f"{scored.absent}: it is not installed here, so nothing can be said of what the grader scores"
        case Why.UNMARKED:
            return "nothing says which of the samples are right"


def hint_of(judgement: Judgement, scored: Scored) -> str | None:
    """What to do about it."""
    match judgement.why:
        case Why.NO_RIGHT_ANSWER:
            return "write answers that you know to be right or wrong into a file, and give it with --samples"
        case Why.STAND_IN:
            return "name a real judge: project.provider.judge in the specs"
        case Why.UNJUDGED:
            return "the errors above say why; see to it that the judge answers"
        case Why.MADE_UP:
            return "give answers of your own with --samples, or the rows a field for each part of the response format"
        case Why.NOT_INSTALLED:
            return remedy(scored.absent or "", again="grade")
        case Why.UNMARKED:
            return "compare the scores with what you think of each answer"
        case _:
            return None


def _higher(judgement: Judgement, scored: Scored) -> str:
    pairs = _pairs(judgement, scored)
    return f"in {pairs.higher} of {pairs.total} rows ({pairs.certain:.0%})"


def _about(judgement: Judgement) -> str:
    assert judgement.about is not None
    return NAMES[judgement.about]


def _pairs(judgement: Judgement, scored: Scored) -> Pairs:
    assert judgement.about is not None
    return scored.columns[judgement.about].pairs


def _rest(judgement: Judgement, scored: Scored) -> str:
    pairs = _pairs(judgement, scored)
    parts = [(pairs.ties, "as much"), (pairs.lower, "less"), (pairs.undecided, "what the stand-in judge says")]
    return "".join(f", {words} in {count}" for count, words in parts if count)


def _undecided(judgement: Judgement, scored: Scored) -> str:
    pairs = _pairs(judgement, scored)
    said = f"the stand-in judge alone decides {pairs.undecided} of {pairs.total} comparisons with {_about(judgement)}"
    return f"{said}, and it only compares words"


def _failing(scored: Scored) -> str:
    right = scored.columns.get(Answer.RIGHT)
    if right is not None:
        return f"the grader fails on {right.failed} of {right.count} right answers, which then score 0"
    column = scored.columns.get(SAMPLE)
    if column is None:
        return f"the grader fails on all {scored.count} answers that could be made, which then score 0"
    return "the grader fails on the sample" if column.count == 1 else f"the grader fails on all {column.count} samples"


def _done_to(scored: Scored) -> str:
    right = _must_score(scored)
    if falls_short(right.count - right.failed, right.count):
        return f"fails on {right.failed} of {right.count} right answers"
    return "does not prefer right answers"


def _must_score(scored: Scored) -> Column:
    return scored.columns.get(Answer.RIGHT) or scored.columns[SAMPLE]


def _noun(scored: Scored) -> str:
    return "right answers" if Answer.RIGHT in scored.columns else "samples"


def remarks_of(scored: Scored) -> Iterator[str]:
    """What a person should know beside the verdict."""
    yield from _flat(scored)
    yield from _partly_right(scored)
    right = scored.columns.get(Answer.RIGHT)
    if right is None or right.mean <= 0:
        return
    constant = scored.columns.get(Answer.CONSTANT)
    if constant is not None and constant.mean >= _MUCH * right.mean:
        said = _shortened(scored.constant or "")
        yield f"the constant answer {said} scores {constant.mean:.2f}, right answers {right.mean:.2f}"
    verbose = scored.columns.get(Answer.VERBOSE)
    if verbose is not None and verbose.mean > right.mean + SAME:
        yield f"padding pays: a right answer with padding scores {verbose.mean:.2f}, without it {right.mean:.2f}"
    near = scored.columns.get(Answer.NEAR)
    if near is not None and near.pairs.total and near.pairs.certain < 1 - CLEAR and not near.pairs.undecided:
        yield f"{NAMES[Answer.NEAR]} scores as much as the right one in {near.pairs.ties} of {near.pairs.total} rows"


def _partly_right(scored: Scored) -> Iterator[str]:
    constant = scored.columns.get(Answer.CONSTANT)
    if constant is not None and 0 < constant.pairs.total < constant.count:
        count = constant.count - constant.pairs.total
        yield (
            f"{NAMES[Answer.CONSTANT]} has something right in {count} of {constant.count} rows, which are not compared"
        )


def _flat(scored: Scored) -> Iterator[str]:
    column = scored.columns.get(SAMPLE)
    if column is None or column.count < 2 or column.failed == column.count:
        return
    if max(column.rewards) - min(column.rewards) > SAME:
        return
    yield (
        f"every sample scores {column.mean:.3g}: if this is what the model answers now, training has nothing to"
        " learn from"
    )


def _shortened(text: str) -> str:
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return shown if text.startswith("{") else f'"{shown}"'
