"""A service that takes no more for now: everybody waits, nothing is launched twice, and a stop ends every wait."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from rftplan.events import AskedToWait, Event, Outcome
from tests.faults import Fault, Faulty, always, once
from tests.world import Small

JOBS = "/v1/fine_tuning/jobs"
FILES = "/v1/files"


def with_fault(small: Small, plan: Any) -> None:
    small.wrap = lambda inner: Faulty(inner, plan)


@pytest.mark.parametrize("path", [JOBS, FILES])
def test_a_refusal_for_now_is_waited_out_and_said(small: Small, path: str) -> None:
    with_fault(small, once("POST", path, Fault.TOO_MANY))
    heard: list[Event] = []
    results = small.results(wait=True, on_event=heard.append)
    assert {result.outcome for result in results.values()} == {Outcome.DONE}
    assert [event.seconds for event in heard if isinstance(event, AskedToWait)] == [7.0]
    assert (len(small.jobs()), len(small.files())) == (1, 2)


def test_who_is_refused_again_and_again_is_told_when_to_come_and_the_next_apply_goes_on(small: Small) -> None:
    with_fault(small, always("POST", JOBS, Fault.TOO_MANY))
    found = small.results()["job.review"]
    assert found.outcome is Outcome.DEFERRED
    assert found.detail == (
        "could not launch the job: Rate limit reached (429, rate_limit_error); asked 5 times; come again in 7 s"
    )
    small.wrap = lambda inner: inner
    assert small.verbs()["job.review"] == "create launch"
    small.train()
    assert len(small.jobs()) == 1


class Limited:
    """Answers every launch with a 429 of these words."""

    def __init__(self, inner: Any, code: str | None, message: str) -> None:
        self.inner, self.code, self.message, self.launches = inner, code, message, 0

    async def handle_async_request(self, request: Any) -> Any:
        if (request.method, request.url.path) != ("POST", JOBS):
            return await self.inner.handle_async_request(request)
        self.launches += 1
        error = {"message": self.message, "type": "invalid_request_error", "param": None, "code": self.code}
        return httpx2.Response(429, json={"error": error})

    async def __aenter__(self) -> Limited:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def aclose(self) -> None:
        await self.inner.aclose()


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        ("daily_rate_limit_exceeded", "the maximum of 8 fine-tuning requests per day", "come again tomorrow"),
        (None, "Your project has reached its spend limit", "when the limit is reset, or raise it at the provider"),
        (None, "You have reached the limit of 3 simultaneous runs", "come again when a job has ended"),
    ],
)
def test_a_limit_that_lasts_is_no_failure_and_not_asked_again(
    small: Small, code: str | None, message: str, said: str
) -> None:
    seen: list[Limited] = []

    def wrap(inner: Any) -> Limited:
        seen.append(Limited(inner, code, message))
        return seen[-1]

    small.wrap = wrap
    found = small.results()["job.review"]
    assert (found.outcome, seen[0].launches) == (Outcome.DEFERRED, 1)
    assert message in found.detail
    assert said in found.detail


def test_without_credit_a_launch_has_failed_for_a_person_must_pay(small: Small) -> None:
    small.wrap = lambda inner: Limited(inner, "insufficient_quota", "You exceeded your current quota")
    found = small.results()["job.review"]
    assert found.outcome is Outcome.FAILED
    assert "add credit" in str(found.hint)


def test_a_stop_while_the_service_asks_to_wait_ends_it_at_once_and_sends_nothing_more(small: Small) -> None:
    """The clock stands: whoever waited for it would wait for ever."""
    stop, asked = asyncio.Event(), asyncio.Event()

    def hear(event: Event) -> None:
        if isinstance(event, AskedToWait):
            asked.set()
            asyncio.get_running_loop().call_soon(stop.set)

    async def for_ever(_seconds: float) -> None:
        await asyncio.Event().wait()

    small.clock.sleep = for_ever  # type: ignore[method-assign]
    with_fault(small, always("POST", JOBS, Fault.TOO_MANY))
    applied = small.apply(on_event=hear, stop=stop)
    assert asked.is_set()
    assert applied is not None
    assert applied.interrupted
    found = {str(result.address): result for result in applied.results}["job.review"]
    assert found.outcome is Outcome.SKIPPED
    assert found.detail == "apply was stopped while the service asked to wait"
    assert small.lock().resources.keys() >= {r.address for r in applied.results if r.outcome is Outcome.DONE}
