"""Budgets: what is not known is not within, and what is certain is told from what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rftplan.estimate import FEWEST_RUNS, Estimate, JudgeEstimate, Range, dollars
from rftplan.kinds.budget import Budget, broken, budget_of, doubtful, limits_text

LIMITS = st.none() | st.floats(0.1, 1e4)
BUDGETS = st.builds(Budget, max_usd=LIMITS, max_hours=LIMITS)
RANGES = st.none() | st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)).map(lambda pair: Range(min(pair), max(pair)))
JUDGE = JudgeEstimate("answer", "gpt-4o-2024-08-06", None, None, (), None, None)


def estimate(**fields: Any) -> Estimate:
    usual: dict[str, Any] = {"hour_usd": None, "read": None, "source": None, "runs": 3, "hours": None}
    usual |= {
        "training_usd": None,
        "growth": 1.0,
        "shrinkage": 1.0,
        "judges": (),
        "cap_usd": None,
        "cap": "nobody does anything",
    }
    return Estimate(**{**usual, **fields})


ESTIMATES = st.builds(estimate, hours=RANGES, training_usd=RANGES, judges=st.sampled_from([(), (JUDGE,)]))


@given(BUDGETS, ESTIMATES)
def test_unknown_is_not_within_and_only_what_is_known_breaks_a_budget(budget: Budget, found: Estimate) -> None:
    parts = [(budget.max_usd, found.training_usd), (budget.max_hours, found.hours)]
    limited = [(most, known) for most, known in parts if most is not None]
    certain = any(known is not None and known.low > most for most, known in limited)
    within = all(known is not None and known.high <= most for most, known in limited)
    uncounted = budget.max_usd is not None and bool(found.judges)
    assert (broken(budget, found) is not None) == certain
    assert (doubtful(budget, found) is None) == (within and not uncounted)
    assert not certain or doubtful(budget, found) is not None


@given(BUDGETS, ESTIMATES, st.floats(1, 10))
def test_more_money_never_breaks_a_budget_and_dearer_runs_never_mend_it(
    budget: Budget, found: Estimate, factor: float
) -> None:
    larger = Budget(
        max_usd=budget.max_usd and budget.max_usd * factor, max_hours=budget.max_hours and budget.max_hours * factor
    )
    dearer = estimate(
        hours=found.hours and found.hours.times(factor),
        training_usd=found.training_usd and found.training_usd.times(factor),
        judges=found.judges,
    )
    for says in (broken, doubtful):
        assert says(budget, found) is not None or says(larger, found) is None
        assert says(budget, found) is None or says(budget, dearer) is not None


@given(st.none() | BUDGETS, st.none() | BUDGETS)
def test_a_job_s_own_limits_win_one_by_one(own: Budget | None, general: Budget | None) -> None:
    found = budget_of(own, general)
    for key in ("max_usd", "max_hours"):
        said = [getattr(budget, key) for budget in (own, general) if budget is not None]
        first = next((limit for limit in said if limit is not None), None)
        assert (getattr(found, key) if found else None) == first


def test_why_is_said_in_figures() -> None:
    budget = Budget(max_usd=500)
    said = doubtful(budget, estimate(runs=2))
    assert said == (
        f"its budget is $500, and how long it takes is not known: the lock has 2 comparable runs, and {FEWEST_RUNS} "
        "are needed"
    )
    assert "has 1 comparable run, " in str(doubtful(budget, estimate(runs=1)))
    assert str(doubtful(budget, estimate(hours=Range(1, 2)))).endswith("say it in policy.prices")
    known = estimate(hours=Range(4, 6), training_usd=Range(400, 600))
    assert str(doubtful(budget, known)) == (
        "its budget is $500, and the training of 3 comparable runs comes to $400 to $600"
    )
    assert broken(Budget(max_hours=3), known) == "the budget is 3 hours, and 3 comparable runs took 4.0 to 6.0 hours"
    judged = estimate(hours=Range(1, 2), training_usd=Range(100, 200), judges=(JUDGE,))
    assert str(doubtful(budget, judged)).endswith("what the judge's tokens cost on top of the training is not known")
    assert doubtful(Budget(max_hours=3), judged) is None
    known = estimate(hours=Range(1, 2), growth=3.0)
    assert str(doubtful(Budget(max_hours=4), known)) == (
        "its budget is 4 hours, and 3 comparable runs took 1.0 to 2.0 hours, but by its rows it may take 3.0 times "
        "as long as the largest of them"
    )
    assert str(doubtful(Budget(max_hours=4), estimate(hours=Range(1, 2), growth=None))) == (
        "its budget is 4 hours, and whether comparable runs trained and validated on as many rows is not known"
    )
    assert limits_text(Budget(max_usd=2.5, max_hours=3)) == "$2.50 and 3 hours"


@pytest.mark.parametrize(
    "wrong", [{"max_usd": 0}, {"max_hours": -1}, {"max_usd": "500"}, {"max_usd": True}, {"usd": 1}]
)
def test_a_limit_is_a_number_above_nothing(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Budget.model_validate(wrong, context={"misread": []})


def test_dollars_have_cents_only_where_they_count() -> None:
    told = [dollars(amount) for amount in (0, 0.004, 0.42, 3, 9.5, 12.34, 1250)]
    assert told == ["$0", "under $0.01", "$0.42", "$3", "$9.50", "$12", "$1,250"]


def test_doubt_about_a_launch_says_both_limits() -> None:
    assert str(doubtful(Budget(max_usd=500, max_hours=6), estimate(runs=2))).startswith(
        "its budget is $500 and 6 hours, "
    )
