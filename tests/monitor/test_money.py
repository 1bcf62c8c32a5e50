"""What a run has cost so far, and who says so."""

from __future__ import annotations

from typing import Any

import pytest

from rftplan.api.port import JobStatus
from rftplan.api.profiles import elsewhere
from rftplan.monitor.money import Basis, Money
from tests.monitor.runs import LOCAL, OPENAI, facts, job, rewards, step

HOUR = 3600


def test_the_time_since_it_was_created_is_a_bound_and_said_to_be_one() -> None:
    money = facts(job(), rewards([0.1] * 3), after=HOUR).money
    assert (money.usd, money.basis, money.at_most, money.hour_usd) == (100, Basis.ELAPSED, True, 100)
    assert money.source and money.read


def test_what_a_pause_or_the_end_has_stopped_is_not_counted_on() -> None:
    told = rewards([0.1] * 30, seconds=60)
    assert facts(job(JobStatus.PAUSED), told, after=10 * HOUR).money.usd == pytest.approx(50)
    ended = job(JobStatus.SUCCEEDED, finished_at=job().created_at + 2 * HOUR)
    assert facts(ended, told, after=10 * HOUR).money.usd == pytest.approx(200)


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.VALIDATING_FILES, JobStatus.PENDING])
def test_before_training_begins_nothing_is_billed(status: JobStatus) -> None:
    assert facts(job(status), after=HOUR).money.usd == 0
    assert facts(job(status), rewards([0.1]), after=HOUR).money.usd == 100  # queued again after a pause


def test_the_graders_tokens_come_on_top_and_are_not_guessed() -> None:
    def used(model: str) -> Money:
        usage = {model: {"train_prompt_tokens": 1_000_000, "eval_completion_tokens": 0}}
        return facts(job(), [step(2, 60, model_graders_token_usage=usage), step(1, 0)], after=HOUR).money

    known = OPENAI.prices.tokens["gpt-4o-2024-08-06"]
    assert (used("gpt-4o-2024-08-06").judged, used("gpt-4o-2024-08-06").judges_usd) == (True, known.input)
    assert (used("nobody-knows").judged, used("nobody-knows").judges_usd) == (True, None)


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        ({"total_usd": 12.5}, 12.5),
        ({"cost_in_dollars": 3}, 3.0),
        ({"total_usd": 1, "judges_usd": 2}, None),
        ({"total": 12.5}, None),
        ({"total_usd": -1}, None),
        ({"total_usd": "12"}, None),
        ([12.5], None),
        (None, None),
    ],
)
def test_the_services_own_total_counts_where_its_name_says_dollars(usage: Any, usd: float | None) -> None:
    money = facts(job(usage_metrics=usage), after=HOUR).money
    assert (money.basis, money.usd) == ((Basis.SERVICE, usd) if usd is not None else (Basis.ELAPSED, 100))


def test_what_nobody_knows_is_not_known_and_what_is_free_is_free() -> None:
    assert facts(job(), after=HOUR, profile=elsewhere(OPENAI)).money == Money(None, Basis.UNKNOWN)
    assert facts(job(method={"type": "supervised"}), after=HOUR).money == Money(None, Basis.UNKNOWN)
    assert facts(job(), after=HOUR, profile=LOCAL).money == Money(0.0, Basis.FREE)
