"""What a launch will probably cost, and what that means for its budget. Pure: prices and runs are handed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.profiles import Profile
from rftplan.api.profiles.prices import HourPrice, TokenPrice
from rftplan.canonical import Json
from rftplan.changes import Action, Change, Hazard, HazardOf, Leave, Reason
from rftplan.estimate import CHARACTERS_PER_TOKEN, FEWEST_RUNS, Estimate, JudgeEstimate, Range
from rftplan.kinds.base import Resource, Situation
from rftplan.kinds.budget import Budget, broken, budget_of, doubtful
from rftplan.kinds.job.runs import comparable_runs, growth, seconds_of, shrinkage
from rftplan.kinds.job.steps import LaunchStep, ResumeStep
from rftplan.kinds.prompts import Judge, judges_in, sizes
from rftplan.lockfile import Entry

_P = TypeVar("_P")

_CALLS: Final = 1_000
_MILLION: Final = 1_000_000


def priced(situation: Situation, change: Change) -> Change:
    """A change that spends, with what it will probably cost. Where nobody can promise that it keeps within its budget,
    only a person's leave covers it; where it certainly does not, it is not planned."""
    want, profile = situation.want, situation.scope.profile
    if want is None or not profile.paid or not isinstance(change.step, LaunchStep | ResumeStep):
        return change
    estimate = estimate_of(want, resources=situation.resources, entries=situation.entries, profile=profile)
    budget = budget_of(want.spec.budget, situation.scope.budget)
    if budget is None:
        return replace(change, estimate=estimate)
    if (why := broken(budget, estimate)) is not None:
        return situation.change(Action.HOLD, "hold", Reason.OVER_BUDGET, why, fields=change.fields)
    hazards = tuple(_with_doubt(hazard, budget, estimate) for hazard in change.hazards)
    return replace(change, estimate=estimate, hazards=hazards)


def _with_doubt(risk: HazardOf, budget: Budget, estimate: Estimate) -> HazardOf:
    why = doubtful(budget, estimate)
    if risk.hazard is not Hazard.SPEND or why is None:
        return risk
    return replace(risk, detail=f"{risk.detail}; policy.allow does not cover it: {why}", leave=Leave.PERSON)


def estimate_of(
    want: Resource, *, resources: Mapping[Address, Resource], entries: Mapping[Address, Entry], profile: Profile
) -> Estimate:
    """What one launch of this will cost, by the profile's prices, the runs in the lock and the rows of its files."""
    method = want.inputs.get("method")
    settings = method.get("reinforcement") if isinstance(method, dict) else None
    training = isinstance(settings, dict)
    price = hour_price(want.spec.model, profile) if training else None
    runs = comparable_runs(entries, want.inputs, want.spec.model, profile)
    seconds = [seconds_of(run) for run in runs]
    hours = Range(min(seconds) / 3600, max(seconds) / 3600) if len(seconds) >= FEWEST_RUNS else None
    return Estimate(
        hour_usd=price.usd if price else None,
        read=price.read if price else None,
        source=price.source if price else None,
        runs=len(seconds),
        hours=hours,
        growth=growth(want.inputs, runs, resources) if hours else None,
        shrinkage=shrinkage(want.inputs, runs, resources) if hours else 1.0,
        training_usd=hours.times(price.usd) if hours and price else None,
        judges=tuple(_judges(want, settings.get("grader") if isinstance(settings, dict) else None, resources, profile)),
        cap_usd=profile.cap.usd,
        cap=profile.cap.said,
    )


def hour_price(model: str, profile: Profile) -> HourPrice | None:
    """What an hour of training costs, by the model's name as it is written; None where that is not known."""
    return _known(profile.prices.training, model, profile)


def token_price(model: str, profile: Profile) -> TokenPrice | None:
    """What a million tokens of a model that grades cost; None where that is not known."""
    return _known(profile.prices.tokens, model, profile)


def _known(prices: Mapping[str, _P], model: str, profile: Profile) -> _P | None:
    """The price of a model by the name that is written, or of the snapshot that this name stands for."""
    return prices.get(model) or prices.get(profile.named(model))


def _judges(
    want: Resource, grader: Json, resources: Mapping[Address, Resource], profile: Profile
) -> Iterator[JudgeEstimate]:
    named = want.spec.reinforcement.grader if want.spec.reinforcement else None
    of = named if isinstance(named, str) else want.address.name
    files = [resources.get(ref.address) for ref in want.refs if ref.address.kind == "file"]
    raw = [
        ref for ref in (want.spec.training_file, want.spec.validation_file) if ref is not None and ref.id is not None
    ]
    for judge in judges_in(grader):
        name = f"{of}/{judge.name}" if judge.name else of
        price = token_price(judge.model, profile)
        prompt = None if raw else _characters(judge, files)
        bound = judge.most_output
        usd = price.input * _CALLS / CHARACTERS_PER_TOKEN / _MILLION if price else None
        yield JudgeEstimate(
            grader=name,
            model=judge.model,
            prompt_usd=prompt.times(usd) if prompt and usd is not None else None,
            output_usd=price.output * _CALLS * bound / _MILLION if price and bound is not None else None,
            unknown=(*judge.unknown, *(() if bound is not None else ("its output",))),
            read=price.read if price else None,
            source=price.source if price else None,
        )


def _characters(judge: Judge, files: Sequence[Resource | None]) -> Range | None:
    """Of the prompt without the answer: with the fields of a mean row, and of the longest. None if there are rows
    that nobody could look at."""
    if not judge.fields:
        return Range(judge.characters, judge.characters)
    found = [sizes(file.data.found, judge.fields) if file and file.data else None for file in files]
    seen = [size for size in found if size is not None]
    if not seen or len(seen) < len(found):
        return None
    mean = sum(size.characters for size in seen) / sum(size.rows for size in seen)
    return Range(judge.characters + mean, judge.characters + max(size.most for size in seen))
