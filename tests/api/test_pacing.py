"""One pause for all that goes to a service, bounded tries, and a stop that ends every wait."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from rftplan.api.openai import OpenAIPort
from rftplan.api.pacing import LONGEST, TRIES, Patience
from rftplan.api.port import Upload
from rftplan.errors import ApiError, FateUnknownError, LimitedError, StoppedError, Way
from tests.api.wire import ADMIN_KEY, FILE, JOB, LAUNCH, Service, ask, listing, refusal, reply


@dataclass
class Waits:
    """Sleeps that end when the test says so; what was slept and what was told."""

    slept: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.over.wait()

    @property
    def patience(self) -> Patience:
        return Patience(self.sleep, self.told.append, self.stop, retries=2)


def too_many(**headers: str) -> httpx2.Response:
    return refusal(429, "Rate limit reached: slow down.", "slow_down", **headers)


def overloaded(seconds: str = "20") -> httpx2.Response:
    return refusal(503, "The server is overloaded", "server_is_overloaded", retry_after=seconds)


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.mark.parametrize("first", [too_many(retry_after="20"), overloaded()], ids=["429", "503"])
def test_whoever_is_told_to_wait_makes_all_others_wait(first: httpx2.Response) -> None:
    waits = Waits()
    waits_over = []

    async def talk(port: OpenAIPort) -> None:
        one = asyncio.ensure_future(port.get_job("ftjob-1"))
        while not service.requests:  # the first call of a process takes the SDK many turns
            await asyncio.sleep(0)
        await settle()
        others = [asyncio.ensure_future(port.get_job(f"ftjob-{n}")) for n in range(2, 5)]
        others += [asyncio.ensure_future(port.create_job(LAUNCH))]
        await settle()
        assert len(service.requests) == 1
        waits_over.append(True)
        waits.over.set()
        await asyncio.gather(one, *others)

    service = Service(first, reply(JOB))
    ask(service.port(patience=waits.patience), talk)
    assert waits_over
    assert (waits.slept, waits.told) == ([20.0], [20.0])
    assert len(service.requests) == 6


def test_a_date_counts_from_the_answers_own_clock() -> None:
    waits = Waits()
    waits.over.set()
    when = too_many(retry_after="Mon, 23 Nov 2026 08:00:30 GMT", date="Mon, 23 Nov 2026 08:00:00 GMT")
    ask(Service(when, reply(JOB)).port(patience=waits.patience), lambda port: port.get_job("ftjob-1"))
    assert waits.slept == [30.0]


def test_a_create_that_certainly_did_nothing_waits_and_is_sent_again() -> None:
    waits = Waits()
    waits.over.set()
    service = Service(too_many(retry_after="2"), too_many(retry_after="3"), reply(JOB))
    ask(service.port(patience=waits.patience), lambda port: port.create_job(LAUNCH))
    assert len(service.requests) == 3
    assert waits.slept == [2.0, 3.0]
    assert len({request.content for request in service.requests}) == 1


def test_an_upload_starts_over_with_its_first_byte(tmp_path: Path) -> None:
    waits = Waits()
    waits.over.set()
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"{}\n" * 2)
    service = Service(too_many(retry_after="2"), reply(FILE))
    upload = Upload(path, "x.jsonl", 6, "fine-tune")
    ask(service.port(patience=waits.patience), lambda port: port.upload_file(upload, lambda *_: None))
    assert [request.content.count(b"{}\n") for request in service.requests] == [2, 2]


def test_tries_are_bounded_and_the_last_refusal_says_so() -> None:
    waits = Waits()
    waits.over.set()
    service = Service(too_many())
    with pytest.raises(LimitedError) as caught:
        ask(service.port(patience=waits.patience), lambda port: port.create_job(LAUNCH))
    assert len(service.requests) == TRIES
    assert waits.slept == [1.0, 2.0, 4.0, 8.0]
    assert caught.value.hint == "asked 5 times; come again in 16 s"


@pytest.mark.parametrize("answer", [too_many(retry_after=str(LONGEST + 1)), overloaded(str(LONGEST + 1))])
def test_what_would_take_too_long_is_not_waited_for(answer: httpx2.Response) -> None:
    waits = Waits()
    with pytest.raises(ApiError) as caught:
        ask(Service(answer).port(patience=waits.patience), lambda port: port.get_job("ftjob-1"))
    assert waits.slept == []
    assert "6 min" in str(caught.value.hint)


def test_an_overloaded_service_that_asks_to_wait_leaves_the_fate_of_a_create_unknown() -> None:
    waits = Waits()
    service = Service(overloaded())
    with pytest.raises(FateUnknownError):
        ask(service.port(patience=waits.patience), lambda port: port.create_job(LAUNCH))
    assert len(service.requests) == 1
    assert waits.told == [20.0]


def test_a_stop_ends_a_wait_at_once_and_says_that_nothing_was_sent() -> None:
    waits = Waits()

    async def talk(port: OpenAIPort) -> None:
        launching = asyncio.ensure_future(port.create_job(LAUNCH))
        await settle()
        reading = asyncio.ensure_future(port.get_job("ftjob-1"))
        await settle()
        waits.stop.set()
        for waiting in (launching, reading):
            with pytest.raises(StoppedError, match="nothing was sent"):
                await waiting

    service = Service(too_many(retry_after="20"))
    ask(service.port(patience=waits.patience), talk)
    assert len(service.requests) == 1


def test_a_stop_ends_the_wait_for_another_try_too() -> None:
    waits = Waits()
    waits.stop.set()
    service = Service(refusal(500, "oops"))
    with pytest.raises(ApiError, match="oops"):
        ask(service.port(patience=waits.patience), lambda port: port.get_job("ftjob-1"))
    assert len(service.requests) == 1


def test_the_admin_endpoints_have_a_pace_of_their_own() -> None:
    waits = Waits()

    async def talk(port: OpenAIPort) -> None:
        listing_ = asyncio.ensure_future(port.list_permissions("ft:m"))
        await settle()
        assert (await port.get_job("ftjob-1")).id == "ftjob-1"
        waits.over.set()
        await listing_

    service = Service(too_many(retry_after="20"), reply(JOB), listing())
    ask(service.port(patience=waits.patience, admin_key=ADMIN_KEY), talk)
    assert len(service.requests) == 3


def test_a_port_that_closes_leaves_no_wait_behind() -> None:
    waits = Waits()
    service = Service(overloaded(), reply(JOB))

    async def talk(port: OpenAIPort) -> None:
        with pytest.raises(FateUnknownError):
            await port.create_job(LAUNCH)

    ask(service.port(patience=waits.patience), talk)
    assert waits.told == [20.0]


@pytest.mark.parametrize(
    ("base_url", "silence", "sent"),
    [
        ("http://127.0.0.1:4010/v1", httpx2.ReadTimeout(""), 1),
        ("http://localhost:4010/v1", httpx2.ReadTimeout(""), 1),
        ("http://127.0.0.1:4010/v1", httpx2.ReadError(""), 3),
        ("https://api.openai.com/v1", httpx2.ReadTimeout(""), 3),
    ],
)
def test_what_listens_on_this_machine_and_says_nothing_is_asked_once(
    base_url: str, silence: Exception, sent: int
) -> None:
    service = Service(silence)
    port = service.port("openai" if "openai" in base_url else "local", base_url=base_url, read_retries=2)
    with pytest.raises(ApiError) as caught:
        ask(port, lambda port: port.get_job("ftjob-1"))
    assert len(service.requests) == sent
    assert (caught.value.way is Way.TIMEOUT) == isinstance(silence, httpx2.TimeoutException)
    assert ("says nothing" in (caught.value.hint or "")) == (sent == 1)
