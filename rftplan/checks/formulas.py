"""Rules about a multi's formula, and the values that it can have. Pure; reads no rows.

Where a value cannot be known, as a Python grader's, nothing is said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice, product
from typing import Final

from msgspec import Struct

from rftplan.checks.intervals import ANYTHING, Interval, divisors, interval_of, weighted_sum
from rftplan.checks.preflight import Preflight, Scorer, Written, written_graders
from rftplan.codes import error, info, warning
from rftplan.errors import Diagnostic
from rftplan.grading import Formula, FormulaError, parse_formula
from rftplan.kinds.grader import GraderSpec, Multi, Python, ScoreModel, StringCheck
from rftplan.spelling import close_names

FORMULA_UNREADABLE: Final = error("G140", "Formula cannot be read")
FORMULA_UNKNOWN_NAME: Final = error("G141", "Formula names a grader that is not there")
MEMBER_UNUSED: Final = warning("G142", "Member of a multi is not in its formula")
MEMBER_TWICE: Final = warning("G143", "Two members of a multi do the same")
RANGE_DROWNS: Final = warning("G144", "Range of one member drowns the others")
RANGE_OUTSIDE: Final = info("G145", "Score can lie outside 0 to 1")
FORMULA_UNDEFINED: Final = warning("G146", "Formula has no value for some scores")
FORMULA_CONSTANT: Final = error("G147", "Formula always has the same value")

_MOST_TRIED: Final = 4096
_MOST_OF_SWING: Final = 0.8
_NEARLY_ALL: Final = 0.97


def score_range(scorer: Scorer) -> Interval:
    """Between which values a grader scores; anything for what a Python grader returns."""
    if isinstance(scorer, Python):
        return ANYTHING
    if isinstance(scorer, ScoreModel) and scorer.range is not None:
        return Interval(min(scorer.range), max(scorer.range))
    return Interval(0.0, 1.0)


class Combined(Struct, frozen=True):
    """A multi whose formula can be read and names only its members."""

    where: Written
    multi: Multi
    formula: Formula

    @property
    def ranges(self) -> dict[str, Interval]:
        return {name: score_range(member) for name, member in self.multi.graders.items()}


def combined(where: Written, spec: GraderSpec) -> Combined | None:
    """A grader as such a multi; None for any other."""
    if not isinstance(spec.root, Multi):
        return None
    try:
        formula = parse_formula(spec.root.calculate_output)
    except FormulaError:
        return None
    return Combined(where, spec.root, formula) if set(formula.names) <= spec.root.graders.keys() else None


def reward_range(where: Written, spec: GraderSpec) -> Interval:
    """Between which rewards a mean lies. A sample whose grading fails has reward 0, a member that fails may count as 0;
    anything where the formula cannot be read."""
    if not isinstance(spec.root, Multi):
        return score_range(spec.root).with_zero()
    one = combined(where, spec)
    if one is None:
        return ANYTHING
    ranges = {name: interval.with_zero() for name, interval in one.ranges.items()}
    return interval_of(one.formula, ranges).with_zero()


def _all_combined(preflight: Preflight) -> Iterator[Combined]:
    for where, spec in written_graders(preflight):
        if found := combined(where, spec):
            yield found


def unreadable_formula(preflight: Preflight) -> Iterable[Diagnostic]:
    """What the service answers with a formula_parse_error; and names that are no member's."""
    for where, spec in written_graders(preflight):
        if not isinstance(spec.root, Multi):
            continue
        try:
            formula = parse_formula(spec.root.calculate_output)
        except FormulaError as problem:
            hint = "it has + - * / ^, parentheses, min max abs floor ceil exp sqrt log, numbers and names of members"
            yield where.finding(FORMULA_UNREADABLE, problem.message, "calculate_output", hint=hint)
            continue
        members = list(spec.root.graders)
        for name in formula.names:
            if name not in members:
                detail = f'"{name}" is no member; the members are {", ".join(members)}'
                yield where.finding(FORMULA_UNKNOWN_NAME, detail, "calculate_output", hint=_meant(name, members))


def _meant(name: str, members: list[str]) -> str | None:
    if split := [member for member in members if "-" in member and name in member.split("-")]:
        return f'the formula reads "{split[0]}" as a subtraction: name the member {split[0].replace("-", "_")}'
    close = close_names(name, members)
    return f'did you mean "{close[0]}"?' if close else None


def unused_member(preflight: Preflight) -> Iterable[Diagnostic]:
    """A member that is run, and paid for if it is a model, and counts for nothing."""
    for one in _all_combined(preflight):
        for name in one.multi.graders:
            if name not in one.formula.names:
                detail = f'"{name}" is graded in every sample and counts for nothing'
                hint = "use it in calculate_output, or take it out"
                yield one.where.finding(MEMBER_UNUSED, detail, "graders", name, hint=hint)


def same_member(preflight: Preflight) -> Iterable[Diagnostic]:
    """Two members that differ in their names only: the same score, worked out and paid for twice."""
    for where, spec in written_graders(preflight):
        seen: dict[str, str] = {}
        for name, member in spec.root.graders.items() if isinstance(spec.root, Multi) else ():
            text = json.dumps(member.model_dump(mode="json", exclude={"name"}), sort_keys=True)
            first = seen.setdefault(text, name)
            if first != name:
                detail = f'"{name}" grades as "{first}" does: one score is worked out twice in every sample'
                hint = f'use "{first}" twice in calculate_output'
                yield where.finding(MEMBER_TWICE, detail, "graders", name, hint=hint)


def drowned_members(preflight: Preflight) -> Iterable[Diagnostic]:
    """`compliant + quality` where quality goes to 100: what the others say is noise."""
    for one in _all_combined(preflight):
        summed, ranges = weighted_sum(one.formula), one.ranges
        if summed is None or len(summed.weights) < 2 or not all(ranges[name].bounded for name in summed.weights):
            continue
        weights = {name: abs(weight) for name, weight in summed.weights.items()}
        swings = {name: weight * ranges[name].width for name, weight in weights.items()}
        largest = max(swings, key=swings.__getitem__)
        if not sum(swings.values()) or not sum(weights.values()):
            continue
        share, weight = swings[largest] / sum(swings.values()), weights[largest] / sum(weights.values())
        scaled = interval_of(one.formula, ranges).high <= 1.0 + 1e-9
        # A weight that was chosen, or a sum that was brought to 0 to 1, is no oversight.
        if weight < _MOST_OF_SWING <= share and (not scaled or share >= _NEARLY_ALL):
            high = _plain(ranges[largest].high)
            detail = (
                f'"{largest}" goes from {_plain(ranges[largest].low)} to {high}: {share:.0%} of what the score can '
            )
            detail += f"differ by is its, though its weight is {weight:.0%}"
            hint = f"divide it by {high} in the formula, or give it the range [0, 1]"
            yield one.where.finding(RANGE_DROWNS, detail, "calculate_output", hint=hint)


def outside_range(preflight: Preflight) -> Iterable[Diagnostic]:
    """Not wrong: but gates, figures and thresholds of 0 to 1 do not fit."""
    for where, spec in written_graders(preflight):
        if isinstance(spec.root, Multi):
            one = combined(where, spec)
            reach = interval_of(one.formula, one.ranges) if one else ANYTHING
            key = "calculate_output"
        else:
            reach, key = score_range(spec.root), "range"
        if reach.bounded and (reach.low < -1e-9 or reach.high > 1 + 1e-9):
            detail = f"the score lies between {_plain(reach.low)} and {_plain(reach.high)}; gates compare this number"
            yield where.finding(RANGE_OUTSIDE, detail, key)


def undefined_formula(preflight: Preflight) -> Iterable[Diagnostic]:
    """A division by what can be 0, a root of what can be negative: such a sample gets 0 and an error."""
    for one in _all_combined(preflight):
        if (said := _failing(one)) is not None:
            hint = "keep it away from there, for instance with max(…, 0.01)"
            yield one.where.finding(FORMULA_UNDEFINED, said, "calculate_output", hint=hint)


def _failing(one: Combined) -> str | None:
    names = one.formula.names
    if not names or not all(one.ranges[name].bounded for name in names):
        return None
    for values in _tried(one, names):
        try:
            one.formula.value(values)
        except FormulaError as problem:
            at = ", ".join(f"{name} = {_plain(value)}" for name, value in values.items())
            return f"with {at}: {problem.message.rstrip('.')}; such a sample gets 0 and an error"
    for steps, interval in divisors(one.formula, one.ranges):
        divisor = Formula(one.formula.source, steps)
        for low, high in _reached(one, divisor) if 0 in interval else ():
            if low < 0 < high:
                return f"what it divides by lies between {_plain(low)} and {_plain(high)}, and can be 0"
    return None


def _reached(one: Combined, formula: Formula) -> Iterator[tuple[float, float]]:
    """The smallest and the largest value tried, for each way in which the string_checks can turn out: from one such
    way to another a value jumps, and need not pass through what lies between."""
    found: dict[tuple[float, ...], list[float]] = {}
    jumping = [name for name in formula.names if isinstance(one.multi.graders[name], StringCheck)]
    for values in _tried(one, formula.names):
        with suppress(FormulaError):
            found.setdefault(tuple(values[name] for name in jumping), []).append(formula.value(values))
    return ((min(reached), max(reached)) for reached in found.values())


def _tried(one: Combined, names: tuple[str, ...]) -> Iterator[Mapping[str, float]]:
    """Values that members can really have: a string_check 0 or 1, any other the ends and the middle of its range."""
    for values in islice(product(*(_possible(one, name) for name in names)), _MOST_TRIED):
        yield dict(zip(names, values, strict=True))


def rises(one: Combined, member: str) -> bool:
    """Whether the value is never lower, and somewhere higher, for a higher score of this member: as far as tried."""
    low, high = one.ranges[member].low, one.ranges[member].high
    others = tuple(name for name in one.formula.names if name != member)
    gains = []
    with suppress(FormulaError):
        for values in _tried(one, others):
            gains.append(one.formula.value({**values, member: high}) - one.formula.value({**values, member: low}))
    return bool(gains) and min(gains) >= 0 < max(gains)


def _possible(one: Combined, name: str) -> tuple[float, ...]:
    low, high = one.ranges[name].low, one.ranges[name].high
    return (low, high) if isinstance(one.multi.graders[name], StringCheck) else (low, high, (low + high) / 2)


def constant_formula(preflight: Preflight) -> Iterable[Diagnostic]:
    """Every answer gets the same score: there is nothing to learn."""
    for one in _all_combined(preflight):
        summed, reach = weighted_sum(one.formula), interval_of(one.formula, one.ranges)
        if not one.formula.names or (summed and not any(summed.weights.values())) or reach.width == 0:
            detail = "whatever its members score, its value is the same: every answer is as good as any other"
            yield one.where.finding(FORMULA_CONSTANT, detail, "calculate_output", hint="let it depend on its members")


def _plain(number: float) -> str:
    return f"{number:.6g}"


RULES: Final = (
    unreadable_formula,
    unused_member,
    same_member,
    drowned_members,
    outside_range,
    undefined_formula,
    constant_formula,
)
PROBES: Final = ()
