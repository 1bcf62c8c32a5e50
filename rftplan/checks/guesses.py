"""Rules about what a model can score without reading the prompt: one answer for all rows. Pure.

Said only where it is certain: from the counted values of a field that a string_check compares with a part of an answer,
and a formula that is a weighted sum. What other members score is taken as the least they can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from rftplan.address import Address
from rftplan.checks.formulas import combined, score_range
from rftplan.checks.intervals import Interval, WeightedSum, weighted_sum
from rftplan.checks.joins import Join, column, join_of, texts
from rftplan.checks.preflight import Preflight, Role, Use, Written, grader_of, scorers, uses
from rftplan.codes import info, warning
from rftplan.errors import Diagnostic
from rftplan.kinds.grader import GraderSpec

CONSTANT_WINS: Final = warning("G114", "One answer for all rows scores nearly all there is")
CONSTANT_SCORES: Final = info("G115", "One answer for all rows scores much")

NEARLY_ALL: Final = 0.9
MUCH: Final = 0.6
_FEWEST_ROWS: Final = 2
_ALONE: Final = ""
"""The name of a grader that is no member, in a sum of its own."""


def constant_answer(preflight: Preflight) -> Iterable[Diagnostic]:
    """What the best constant answer scores, if that is much: training finds it first, and stays there."""
    done: set[tuple[str, Address]] = set()
    for use in uses(preflight):
        grader = grader_of(preflight, use.job)
        if grader is None or (grader[0].of, use.file.address) in done:
            continue
        done.add((grader[0].of, use.file.address))
        scored = _scored(preflight, use, *grader)
        enough = MUCH if use.role is Role.TRAINING else NEARLY_ALL
        if scored is not None and scored.share >= enough:
            code = CONSTANT_WINS if scored.share >= NEARLY_ALL else CONSTANT_SCORES
            detail = f"the constant answer {scored.said} in {use.file.address}, whatever the prompt says"
            yield grader[0].finding(code, detail, hint="balance the rows, or weigh higher what tells answers apart")


class _Guess(Struct, frozen=True):
    """An answer to one string_check, and in what share of the rows it scores 1."""

    join: Join
    answer: str
    share: float
    gain: float


class _Scored(Struct, frozen=True):
    """What constant answers score together. `share` is of what the formula can differ by."""

    guesses: tuple[_Guess, ...]
    value: float
    reach: Interval
    exact: bool

    @property
    def share(self) -> float:
        return (self.value - self.reach.low) / self.reach.width

    @property
    def said(self) -> str:
        answers = " and ".join(f'"{one.answer}" for {one.join.answer}' for one in self.guesses)
        return f"{answers} scores {'' if self.exact else 'at least '}{self.value:.2f} of {self.reach.high:g}"


def _scored(preflight: Preflight, use: Use, where: Written, spec: GraderSpec) -> _Scored | None:
    summed, ranges = _sum_of(where, spec)
    reach = _reach(summed, ranges) if summed else None
    if summed is None or reach is None or not reach.bounded or reach.width <= 0:
        return None
    found: list[_Guess] = []
    for at, scorer in scorers(where, spec):
        name = _ALONE if _ALONE in ranges else str(at.path[-1])
        join = join_of(at, scorer)
        guess = _best(preflight, use, join, summed.weights.get(name, 0.0)) if join else None
        if guess is not None:
            found.append(guess)
    chosen = _together(found)
    if not chosen:
        return None
    value = reach.low + sum(guess.gain for guess in chosen)
    others = sum(1 for weight in summed.weights.values() if weight) > len(chosen)
    return _Scored(chosen, value, reach, exact=not others)


def _sum_of(where: Written, spec: GraderSpec) -> tuple[WeightedSum | None, Mapping[str, Interval]]:
    if one := combined(where, spec):
        return weighted_sum(one.formula), one.ranges
    if spec.root.type == "multi":
        return None, {}
    return WeightedSum(0.0, {_ALONE: 1.0}), {_ALONE: score_range(spec.root)}


def _reach(summed: WeightedSum, ranges: Mapping[str, Interval]) -> Interval:
    """From the least to the most that the sum can be."""
    ends = [sorted((weight * ranges[name].low, weight * ranges[name].high)) for name, weight in summed.weights.items()]
    return Interval(summed.constant + sum(end[0] for end in ends), summed.constant + sum(end[1] for end in ends))


def _best(preflight: Preflight, use: Use, join: Join, weight: float) -> _Guess | None:
    seen = column(preflight, use, join.field.path)
    if seen is None or weight <= 0 or join.check.operation == "ne":
        return None
    rows, values = seen.missing + sum(seen.kinds.values()), dict(texts(seen))
    if rows < _FEWEST_ROWS or not values:
        return None
    matched = join.matched(values)
    answer = max(sorted(matched), key=matched.__getitem__)
    return _Guess(join, answer, matched[answer] / rows, weight * matched[answer] / rows)


def _together(found: list[_Guess]) -> tuple[_Guess, ...]:
    """Those that one answer can give at once: of each part the best; if parts overlap, the best of all."""
    by_part: dict[object, _Guess] = {}
    for guess in sorted(found, key=lambda one: -one.gain):
        by_part.setdefault(guess.join.answer.path, guess)
    chosen = tuple(by_part.values())
    return chosen if _apart([guess.join.answer.path for guess in chosen]) else chosen[:1]


def _apart(paths: list[tuple[str | int, ...]]) -> bool:
    """Whether they are different parts of one JSON answer, none inside another."""
    pairs: Iterator[bool] = (a == b[: len(a)] for a in paths for b in paths if a is not b)
    return len(paths) < 2 or (all(path[0] == "output_json" for path in paths) and not any(pairs))


RULES: Final = (constant_answer,)
PROBES: Final = ()
