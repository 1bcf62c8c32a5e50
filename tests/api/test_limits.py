"""Which limit a service tells of, and when it is worth coming again."""

from __future__ import annotations

import pytest

from rftplan.api.limits import limit_hint, limit_of, span
from rftplan.errors import ApiError, Limit, LimitedError, RejectedError
from tests.api.wire import LAUNCH, Service, ask, refusal

DAILY = (
    "This fine-tune request has been rate-limited. Your organization has reached the maximum of 8 fine-tuning "
    "requests per day for the model 'gpt-4.1-2025-04-14'."
)
SAID = {
    Limit.DAILY: [("daily_rate_limit_exceeded", DAILY), (None, DAILY), ("daily_rate_limit_exceeded", "no")],
    Limit.SPENDING: [
        (None, "Your project has reached its hard spend limit."),
        ("spend_limit_exceeded", "no"),
        ("billing_hard_limit_reached", "Billing hard limit has been reached"),
    ],
    Limit.JOBS: [
        (None, "You have reached the limit of 3 simultaneous runs for gpt-4.1"),
        ("concurrent_fine_tuning_jobs_exceeded", "Too many concurrent fine-tuning jobs"),
    ],
    Limit.RATE: [
        ("slow_down", "Rate limit reached: slow down."),
        ("rate_limit_exceeded", "Limit 1000 requests per min"),
        (None, "the service answered 429 without saying why"),
        (None, "too many concurrent connections"),
    ],
}


@pytest.mark.parametrize(
    ("limit", "code", "message"), [(limit, *said) for limit, those in SAID.items() for said in those]
)
def test_a_limit_is_told_by_its_code_or_its_words(limit: Limit, code: str | None, message: str) -> None:
    assert limit_of(code, message) is limit


@pytest.mark.parametrize("limit", [Limit.DAILY, Limit.SPENDING, Limit.JOBS])
def test_a_limit_that_lasts_is_asked_once_and_says_when_to_come_again(limit: Limit) -> None:
    code, message = SAID[limit][0]
    service = Service(refusal(429, message, code, retry_after="5400"))
    with pytest.raises(LimitedError) as caught:
        ask(service.port(), lambda port: port.create_job(LAUNCH))
    assert len(service.requests) == 1
    assert caught.value.limit is limit
    assert "come again" in str(caught.value.hint)
    assert limit is Limit.JOBS or "in 90 min" in str(caught.value.hint)


def test_no_credit_is_refused_for_a_person_pays_first() -> None:
    service = Service(refusal(429, "You exceeded your current quota", "insufficient_quota"))
    with pytest.raises(RejectedError) as caught:
        ask(service.port(), lambda port: port.create_job(LAUNCH))
    assert len(service.requests) == 1
    assert "add credit" in str(caught.value.hint)


@pytest.mark.parametrize("limit", list(Limit))
def test_every_limit_says_when_whether_the_service_does_or_not(limit: Limit) -> None:
    for seconds in (None, 7.0):
        assert "come again" in limit_hint(limit, seconds)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (20, "20 s"), (119.5, "2 min"), (121, "3 min"), (7_200, "2 h"), (12_001, "3 h 21 min")],
)
def test_a_wait_is_said_rounded_up(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_a_limit_is_a_fault_of_the_service() -> None:
    assert issubclass(LimitedError, ApiError)
    assert LimitedError("no").limit is Limit.RATE
