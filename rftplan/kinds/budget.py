"""What a launch may cost, and whether an estimate keeps within it. Pure: what is not known is not within."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Struct
from pydantic import Field

from rftplan.estimate import FEWEST_RUNS, Estimate, Range, dollars
from rftplan.kinds.spec import Number, SpecModel

Limit = Annotated[Number, Field(gt=0)]


class Budget(SpecModel):
    """`budget`: US dollars and hours of one launch until its end, pauses left out."""

    max_usd: Limit | None = None
    max_hours: Limit | None = None


def budget_of(own: Budget | None, general: Budget | None) -> Budget | None:
    """The job's own budget, with what it does not say taken from the policy's; None if nothing is limited."""
    said = [budget for budget in (own, general) if budget is not None]
    usd = next((b.max_usd for b in said if b.max_usd is not None), None)
    hours = next((b.max_hours for b in said if b.max_hours is not None), None)
    return None if usd is None and hours is None else Budget(max_usd=usd, max_hours=hours)


def limits_text(budget: Budget) -> str:
    """`$500 and 6 hours`."""
    usd = [] if budget.max_usd is None else [dollars(budget.max_usd)]
    return " and ".join((*usd, *([] if budget.max_hours is None else [_hours(budget.max_hours)])))


def broken(budget: Budget, estimate: Estimate) -> str | None:
    """Why the launch certainly breaks its budget: all that is known of it lies above, and would with its fewer rows.
    None if it may keep within."""
    for limit in _limits(budget, estimate):
        if limit.known is not None and limit.known.low * estimate.shrinkage > limit.most:
            return f"the budget is {limit.said}, and {limit.took}"
    return None


def doubtful(budget: Budget, estimate: Estimate) -> str | None:
    """Why nobody can promise that the launch keeps within its budget; None if all comparable runs would, each as many
    times as long as the rows of this one may make it."""
    its = f"its budget is {limits_text(budget)}"
    for limit in _limits(budget, estimate):
        if limit.known is None:
            return f"{its}, and {_not_known(estimate)}"
        if estimate.growth is None:
            unknown = "whether comparable runs trained and validated on as many rows is not known"
            return f"{its}, and {unknown}"
        if limit.known.high <= limit.most < limit.known.high * estimate.growth:
            more = f"by its rows it may take {estimate.growth:.1f} times as long as the largest of them"
            return f"{its}, and {limit.took}, but {more}"
        if limit.known.high > limit.most:
            return f"{its}, and {limit.took}"
        if limit.beside:
            return f"{its}, and {limit.beside}"
    return None


class _Limit(Struct, frozen=True):
    """One limit: in words and as a figure, what is `known` to be used of it, in words too, and what is to be paid
    `beside` that."""

    said: str
    most: float
    known: Range | None
    took: str
    beside: str


def _limits(budget: Budget, estimate: Estimate) -> Iterator[_Limit]:
    runs, usd, hours = f"{estimate.runs} comparable runs", estimate.training_usd, estimate.hours
    if budget.max_usd is not None:
        took = f"the training of {runs} comes to {dollars(usd.low)} to {dollars(usd.high)}" if usd else ""
        beside = "what the judge's tokens cost on top of the training is not known" if estimate.judges else ""
        yield _Limit(dollars(budget.max_usd), budget.max_usd, usd, took, beside)
    if budget.max_hours is not None:
        took = f"{runs} took {hours.low:.1f} to {hours.high:.1f} hours" if hours else ""
        yield _Limit(_hours(budget.max_hours), budget.max_hours, hours, took, "")


def _hours(count: float) -> str:
    return "1 hour" if count == 1 else f"{count:g} hours"


def _not_known(estimate: Estimate) -> str:
    if estimate.hours is None:
        runs = "1 comparable run" if estimate.runs == 1 else f"{estimate.runs} comparable runs"
        return f"how long it takes is not known: the lock has {runs}, and {FEWEST_RUNS} are needed"
    return "what an hour costs is not known: say it in policy.prices"
