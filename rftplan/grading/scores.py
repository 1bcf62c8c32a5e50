"""What many results come to: means, ranges, errors, pairs, a histogram. Keeps numbers, no answers and no rows."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from rftplan.grading import Flag, Grader, Multi, Result, ScoreModel
from rftplan.grading.expressions import FormulaError
from rftplan.grading.verdict import Order, Pairs, Score

BINS = 10


class Column(Struct):
    """The scores of one kind of answer, added one after the other. `compared` are those of answers that have nothing
    right and stand beside a right one. `excused` are the orders that a made-up part of the right one may explain."""

    rewards: array[float] = field(default_factory=lambda: array("d"))
    compared: array[float] = field(default_factory=lambda: array("d"))
    members: Counter[str] = field(default_factory=Counter)
    flags: Counter[Flag] = field(default_factory=Counter)
    details: dict[Flag, str] = field(default_factory=dict)
    failed: int = 0
    orders: Counter[Order] = field(default_factory=Counter)
    excused: Counter[Order] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        self.rewards.append(result.reward)
        for name, reward in result.sub_rewards.items():
            self.members[name] += reward  # type: ignore[assignment]
        self.failed += bool(result.errors)
        for flag, detail in result.errors.items():
            self.flags[flag] += 1
            self.details.setdefault(flag, detail)

    @property
    def count(self) -> int:
        return len(self.rewards)

    @property
    def mean(self) -> float:
        return sum(self.rewards) / len(self.rewards)

    @property
    def pairs(self) -> Pairs:
        of = self.orders
        return Pairs(of[Order.HIGHER], of[Order.TIE], of[Order.LOWER], of[Order.UNDECIDED])

    @property
    def pairs_in_doubt(self) -> Pairs:
        """The same, with what is excused as undecided."""
        of, but = self.orders, self.excused
        ties, lower = of[Order.TIE] - but[Order.TIE], of[Order.LOWER] - but[Order.LOWER]
        return Pairs(of[Order.HIGHER], ties, lower, of.total() - of[Order.HIGHER] - ties - lower)


def judged(grader: Grader) -> bool:
    """Whether a model is asked."""
    return any(isinstance(member, ScoreModel) for member in members(grader).values())


def members(grader: Grader) -> Mapping[str, Grader]:
    """The members of a multi by their keys, or the grader itself by its name."""
    return grader.members if isinstance(grader, Multi) else {grader.name: grader}


def timed_out(result: Result) -> bool:
    """Whether Python ran out of time, in a member or as a whole."""
    if result.members:
        return any(map(timed_out, result.members.values()))
    return result.errors.get(Flag.PYTHON_SERVER, "").startswith("timeout")


def unjudged(result: Result) -> bool:
    """Whether nothing went wrong but that the judge gave no score."""
    return set(result.errors) == {Flag.MODEL_SERVER}


def score_of(grader: Grader, result: Result, *, stand_in: bool) -> Score:
    """The reward, and what it would be if the stand-in said the same of every answer."""
    ranges = {key: one.range for key, one in members(grader).items() if isinstance(one, ScoreModel)}
    if not stand_in or not ranges:
        return Score(result.reward)
    if not isinstance(grader, Multi):
        return Score(result.reward, (0.0, 0.0))
    ends = ({key: limits[end] for key, limits in ranges.items()} for end in (0, 1))
    return Score(result.reward, tuple(_value(grader, {**result.sub_rewards, **said}) for said in ends))


def _value(grader: Multi, rewards: Mapping[str, float]) -> float:
    try:
        return grader.formula.value(rewards)
    except FormulaError:
        return 0.0


class Bin(Struct, frozen=True):
    """Scores from `low` to below `high`, the last bin with its upper end; how many of each column."""

    low: float
    high: float
    counts: Mapping[str, int]


def histogram(columns: Mapping[str, Sequence[float]]) -> list[Bin]:
    """Ten bins of one width over 0 to 1, wider if scores lie outside; nothing for no scores."""
    scores = [score for column in columns.values() for score in column]
    if not scores:
        return []
    low, high = min(0.0, *scores), max(1.0, *scores)
    width = (high - low) / BINS
    counts = {name: Counter(min(int((s - low) / width), BINS - 1) for s in column) for name, column in columns.items()}
    edges = [low + width * number for number in range(BINS)] + [high]
    return [Bin(edges[at], edges[at + 1], {name: count[at] for name, count in counts.items()}) for at in range(BINS)]
