"""Whether a grader tells right answers from others: the definition, as pure functions of counted pairs.

Grades nothing. A pair is the right answer to a row and another answer to the same row that has nothing right: each
part that tells answers apart (those that the grader compares with the row, else those that differ between rows) is
another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct


class Answer(StrEnum):
    """How an answer relates to the right one."""

    RIGHT = "right"
    OTHER_ROW = "other-row"  # another row's right answer
    CONSTANT = "constant"  # one for all rows: what is most often right
    MALFORMED = "malformed"  # the right one, cut off
    EMPTY = "empty"
    NEAR = "near"  # the right one, a little worse
    VERBOSE = "verbose"  # the right one, padded


NAMES: Final = {
    Answer.RIGHT: "the right answer",
    Answer.OTHER_ROW: "another row's answer",
    Answer.CONSTANT: "one answer for all rows",
    Answer.MALFORMED: "an answer that is cut off",
    Answer.EMPTY: "an empty answer",
    Answer.NEAR: "an answer that is nearly right",
    Answer.VERBOSE: "a right answer with padding",
}
"""What sentences call them."""

MUST_BE_LOWER: Final = (Answer.OTHER_ROW, Answer.CONSTANT, Answer.MALFORMED, Answer.EMPTY)
"""What the verdict is about. A near answer may score as much as the right one, and so may a padded one."""
BROKEN: Final = (Answer.MALFORMED, Answer.EMPTY)
"""A grader that tells only these from right ones knows form, not answers."""
CLEAR: Final = 0.9
"""The share of pairs in which the right answer must score more."""
SAME: Final = 1e-9
"""Scores that differ by less are a tie."""


class Order(StrEnum):
    """How the right answer's score stands to the other's."""

    HIGHER = "higher"
    TIE = "tie"
    LOWER = "lower"
    UNDECIDED = "undecided"  # the stand-in judge decides it


class Score(Struct, frozen=True):
    """A reward. `apart` is what it would be if the judge said the same of every answer, its least and its most;
    empty unless the stand-in judge took part."""

    reward: float
    apart: tuple[float, ...] = ()


def compare(right: Score, other: Score) -> Order:
    """How two answers to one row stand; what only the stand-in judge tells apart is undecided."""
    if not right.apart:
        return _order(right.reward, other.reward)
    orders = {_order(mine, its) for mine, its in zip(right.apart, other.apart, strict=True)}
    return orders.pop() if orders in ({Order.HIGHER}, {Order.LOWER}) else Order.UNDECIDED


def _order(right: float, other: float) -> Order:
    if abs(right - other) <= SAME:
        return Order.TIE
    return Order.HIGHER if right > other else Order.LOWER


class Pairs(Struct, frozen=True):
    """How the pairs of one kind of answer came out, from the side of the right answer."""

    higher: int = 0
    ties: int = 0
    lower: int = 0
    undecided: int = 0

    @property
    def total(self) -> int:
        return self.higher + self.ties + self.lower + self.undecided

    @property
    def certain(self) -> float:
        """The share in which the right answer scores more."""
        return self.higher / self.total

    @property
    def possible(self) -> float:
        """The same, if every undecided pair came out well."""
        return (self.higher + self.undecided) / self.total


class Verdict(StrEnum):
    """What can be said of a grader."""

    SEPARATES = "separates"
    DOES_NOT_SEPARATE = "does-not-separate"
    CANNOT_TELL = "cannot-tell"


class Why(StrEnum):
    """What a verdict rests on."""

    CLEAR = "clear"  # right answers score more than each kind that must be lower
    NOT_ABOVE = "not-above"  # they do not
    FAILS = "fails"  # the grader fails on right answers, or on every sample
    NO_RIGHT_ANSWER = "no-right-answer"  # nothing says what would be right
    ONLY_BROKEN = "only-broken"  # there was no well-formed answer to compare with
    STAND_IN = "stand-in"  # the stand-in judge decides too many pairs
    UNJUDGED = "unjudged"  # the judge gave no score
    MADE_UP = "made-up"  # right answers have parts that nothing names, which the grader may read
    NOT_INSTALLED = "not-installed"  # the grader's imports are not installed here
    UNMARKED = "unmarked"  # samples do not say whether they are right


class Judgement(Struct, frozen=True):
    """`about` is the kind of answer that decided it: the one that comes closest to the right one."""

    verdict: Verdict
    why: Why
    about: Answer | None = None


class Excused(Struct, frozen=True):
    """What made-up parts of right answers may explain: on how many of them the grader failed, and the pairs with those
    undecided that did not come out well."""

    failed: int
    pairs: Mapping[Answer, Pairs]


def falls_short(count: int, total: int) -> bool:
    """Whether `count` of `total` is less than CLEAR."""
    return count < CLEAR * total - SAME


def judge_pairs(
    rights: int,
    failed: int,
    pairs: Mapping[Answer, Pairs],
    *,
    unjudged: int = 0,
    hopeless: int = 0,
    excused: Excused | None = None,
) -> Judgement:
    """The verdict on a grader that scored `rights` right answers, of which it failed on `failed`, and the judge gave
    no score for `unjudged` others. `hopeless` is how many other answers it was given where it failed on all of
    them, and for none of them as one that only takes an answer apart.

    It separates if right answers score more in at least CLEAR of the pairs of each kind that must be lower, one of
    which is well-formed. It does not if it fails on more than 1 - CLEAR of the right answers, or falls short of CLEAR
    for some kind even if all undecided pairs came out well, and all that is `excused`. Otherwise nobody can tell.
    """
    judgement = _judged(rights, failed, pairs, unjudged, hopeless)
    if judgement.verdict is not Verdict.DOES_NOT_SEPARATE or excused is None:
        return judgement
    at_best = _judged(rights, failed - excused.failed, excused.pairs, unjudged, hopeless)
    return at_best if at_best.verdict is judgement.verdict else Judgement(Verdict.CANNOT_TELL, Why.MADE_UP)


def _judged(rights: int, failed: int, pairs: Mapping[Answer, Pairs], unjudged: int, hopeless: int) -> Judgement:
    if not rights:
        if hopeless:
            return Judgement(Verdict.DOES_NOT_SEPARATE, Why.FAILS)
        return Judgement(Verdict.CANNOT_TELL, Why.NO_RIGHT_ANSWER)
    if falls_short(rights - unjudged, rights):
        return Judgement(Verdict.CANNOT_TELL, Why.UNJUDGED)
    if falls_short(rights - failed, rights):
        return Judgement(Verdict.DOES_NOT_SEPARATE, Why.FAILS)
    compared = {kind: pairs[kind] for kind in MUST_BE_LOWER if kind in pairs and pairs[kind].total}
    worst = min(compared, key=lambda kind: compared[kind].possible, default=None)
    if worst is not None and falls_short(compared[worst].higher + compared[worst].undecided, compared[worst].total):
        return Judgement(Verdict.DOES_NOT_SEPARATE, Why.NOT_ABOVE, worst)
    closest = min(compared, key=lambda kind: compared[kind].certain, default=None)
    if closest is not None and falls_short(compared[closest].higher, compared[closest].total):
        return Judgement(Verdict.CANNOT_TELL, Why.STAND_IN, closest)
    if not set(compared) - set(BROKEN):
        return Judgement(Verdict.CANNOT_TELL, Why.ONLY_BROKEN)
    return Judgement(Verdict.SEPARATES, Why.CLEAR, closest)


def judge_samples(samples: int, failed: int, *, unjudged: int = 0) -> Judgement:
    """The verdict on a grader that scored samples of which nobody knows whether they are right."""
    if samples and unjudged == samples:
        return Judgement(Verdict.CANNOT_TELL, Why.UNJUDGED)
    if samples and failed == samples:
        return Judgement(Verdict.DOES_NOT_SEPARATE, Why.FAILS)
    return Judgement(Verdict.CANNOT_TELL, Why.UNMARKED)
