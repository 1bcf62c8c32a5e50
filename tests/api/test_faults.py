"""Every way in which a call can fail, and the one class that each failure means."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rftplan.api.faults import retry_after
from rftplan.api.openai import OpenAIPort
from rftplan.api.pacing import TRIES
from rftplan.api.port import Upload
from rftplan.errors import ApiError, FateUnknownError, LimitedError, NotDoneError, NotFoundError, RejectedError
from tests.api.wire import ADMIN_KEY, JOB, KEY, LAUNCH, Answer, Service, ask, listing, refusal, reply

Ask = Callable[[OpenAIPort], Awaitable[Any]]

EFFECTS: dict[str, Ask] = {
    "create": lambda port: port.create_job(LAUNCH),
    "upload": lambda port: port.upload_file(
        Upload(Path(__file__), "x.jsonl", Path(__file__).stat().st_size, "fine-tune"), lambda *_: None
    ),
    "pause": lambda port: port.pause_job("ftjob-1"),
    "resume": lambda port: port.resume_job("ftjob-1"),
    "cancel": lambda port: port.cancel_job("ftjob-1"),
    "delete": lambda port: port.delete_file("file-1"),
    "delete model": lambda port: port.delete_model("ft:m"),
    "grant": lambda port: port.grant_permission("ft:m", "proj_1"),
    "revoke": lambda port: port.revoke_permission("ft:m", "cp_1"),
}
READS: dict[str, Ask] = {
    "job": lambda port: port.get_job("ftjob-1"),
    "jobs": lambda port: port.list_jobs({"k": "v"}),
    "files": lambda port: port.list_files("fine-tune"),
    "events": lambda port: port.list_events("ftjob-1"),
    "checkpoints": lambda port: port.list_checkpoints("ftjob-1"),
    "permissions": lambda port: port.list_permissions("ft:m"),
    "samples": lambda port: port.list_samples("ftjob-1", 1),
    "grader": lambda port: port.validate_grader({"type": "string_check"}),
}
HTML = "<!doctype html><html><body>Bad gateway</body></html>"

NOT_DONE: dict[str, Answer] = {
    "refused": httpx2.ConnectError("[Errno 111] Connection refused"),
    "no such host": httpx2.ConnectError("[Errno -2] Name or service not known"),
    "connect timeout": httpx2.ConnectTimeout(""),
    "pool timeout": httpx2.PoolTimeout(""),
    "proxy": httpx2.ProxyError("403 Forbidden"),
}
LIMITED: dict[str, Answer] = {
    "429": refusal(429, "slow down", "rate_limit_exceeded"),
    "429 without an envelope": httpx2.Response(429, html=HTML),
}
REFUSED: dict[str, Answer] = {
    str(status): refusal(status, "no", "some_code") for status in (400, 401, 403, 413, 415, 422)
}
UNCERTAIN: dict[str, Answer] = {
    "read timeout": httpx2.ReadTimeout(""),
    "write timeout": httpx2.WriteTimeout(""),
    "reset": httpx2.ReadError("[Errno 104] Connection reset by peer"),
    "broken pipe": httpx2.WriteError("[Errno 32] Broken pipe"),
    "closed without an answer": httpx2.RemoteProtocolError("Server disconnected without sending a response."),
    "our own protocol": httpx2.LocalProtocolError("Too little data for declared Content-Length"),
    "broken body": httpx2.DecodingError("not gzip"),
    "408": refusal(408, "timeout"),
    "409": refusal(409, "conflict"),
    "418": refusal(418, "teapot"),
    "500": refusal(500, "oops"),
    "502 page": httpx2.Response(502, html=HTML),
    "503": refusal(503, "overloaded", "server_is_overloaded"),
    "504": httpx2.Response(504),
    "403 of a firewall": httpx2.Response(403, html=HTML),
    "404 of a proxy": httpx2.Response(404, html=HTML),
    "400 in another envelope": reply({"message": "Forbidden"}, 400),
    "redirect": httpx2.Response(308, headers={"location": "https://evil.example/v1/fine_tuning/jobs"}),
    "page": httpx2.Response(200, html=HTML),
    "nothing": httpx2.Response(200),
    "half an object": httpx2.Response(200, content=b'{"id": "ftjob-1", "sta'),
    "a list": reply([JOB]),
    "not UTF-8": httpx2.Response(200, content=b"\xff\xfe"),
    "too deep": httpx2.Response(200, content=b"[" * 100_000),
}


def _fails(answer: Answer, call: Ask) -> tuple[ApiError, Service]:
    service = Service(answer)
    with pytest.raises(ApiError) as caught:
        ask(service.port(admin_key=ADMIN_KEY), call)
    return caught.value, service


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
@pytest.mark.parametrize(
    ("answer", "means"),
    [
        *((answer, NotDoneError) for answer in NOT_DONE.values()),
        *((answer, LimitedError) for answer in LIMITED.values()),
        *((answer, RejectedError) for answer in REFUSED.values()),
        (refusal(404, "gone"), NotFoundError),
        *((answer, FateUnknownError) for answer in UNCERTAIN.values()),
    ],
    ids=[*NOT_DONE, *LIMITED, *REFUSED, "404", *UNCERTAIN],
)
def test_a_failed_effect_means_one_thing_and_is_sent_once_unless_too_many_were(
    effect: Ask, answer: Answer, means: type[ApiError]
) -> None:
    fault, service = _fails(answer, effect)
    assert type(fault) is means
    assert len(service.requests) == (TRIES if means is LimitedError else 1)


@pytest.mark.parametrize("read", [READS["job"], READS["grader"]], ids=["job", "grader"])
@pytest.mark.parametrize(
    ("answer", "means"),
    [
        *((answer, NotDoneError) for answer in NOT_DONE.values()),
        *((answer, LimitedError) for answer in LIMITED.values()),
        *((answer, RejectedError) for answer in REFUSED.values()),
        (refusal(404, "gone"), NotFoundError),
        *((answer, ApiError) for answer in UNCERTAIN.values()),
    ],
    ids=[*NOT_DONE, *LIMITED, *REFUSED, "404", *UNCERTAIN],
)
def test_a_failed_read_has_no_fate_to_be_unknown(read: Ask, answer: Answer, means: type[ApiError]) -> None:
    fault, _ = _fails(answer, read)
    assert type(fault) is means


@pytest.mark.parametrize(
    "body",
    [
        {**JOB, "id": None},
        {**JOB, "id": ""},
        {**JOB, "id": 5},
        {k: v for k, v in JOB.items() if k != "status"},
        {**JOB, "status": 1},
        {**JOB, "created_at": "yesterday"},
        {**JOB, "created_at": True},
        {**JOB, "model": {"id": "x"}},
        {**JOB, "training_file": ["file-1"]},
        {},
    ],
)
def test_a_job_without_what_makes_it_one_is_never_taken_for_a_launch(body: dict[str, Any]) -> None:
    fault, service = _fails(reply(body), EFFECTS["create"])
    assert type(fault) is FateUnknownError
    assert len(service.requests) == 1
    assert type(_fails(reply(body), READS["job"])[0]) is ApiError


@pytest.mark.parametrize(
    "body", [{"data": None}, {"data": {}}, {"data": [1]}, {"has_more": False}, {"data": [{"id": "x"}]}]
)
def test_half_a_list_is_no_list(body: dict[str, Any]) -> None:
    assert type(_fails(reply(body), READS["jobs"])[0]) is ApiError


@pytest.mark.parametrize("effect", [READS["jobs"], EFFECTS["create"]])
@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (refusal(500, "oops"), "run the same again in a while; its status page or log says more"),
        (httpx2.Response(503), "run the same again in a while; its status page or log says more"),
        (refusal(500, "damaged", "store_damaged"), "move .rftplan/local away where it runs"),
        (httpx2.RemoteProtocolError("half a reply"), "the service was reached and broke off: run the same again"),
    ],
)
def test_a_service_that_failed_by_itself_is_said_with_what_to_do(answer: Answer, hint: str, effect: Ask) -> None:
    """Nobody is told to start what plainly answered."""
    said = _fails(answer, effect)[0].hint
    assert said is not None and hint in said and "rftplan serve" not in said


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_a_read_is_tried_again(status: int) -> None:
    service = Service(refusal(status, "later", retry_after_ms="1"), reply(JOB))
    port = service.port(read_retries=2)
    assert ask(port, READS["job"]).id == "ftjob-1"
    assert port.requests == len(service.requests) == 2


@pytest.mark.parametrize("status", [408, 409, 500, 503])
@pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
def test_an_effect_of_unknown_fate_is_never_tried_again_though_asked_for(effect: Ask, status: int) -> None:
    service = Service(refusal(status, "later", retry_after_ms="1", x_should_retry="true"), reply(JOB))
    with pytest.raises(ApiError):
        ask(service.port(read_retries=2, admin_key=ADMIN_KEY), effect)
    assert len(service.requests) == 1


def test_an_answer_that_never_comes_to_an_end_is_of_unknown_fate() -> None:
    service = Service(lambda _: httpx2.Response(200, stream=_Endless()))
    with pytest.raises(FateUnknownError, match="no answer in time"):
        ask(service.port(answer_seconds=0), EFFECTS["create"])


class _Endless(httpx2.AsyncByteStream):
    async def __aiter__(self) -> Any:
        while True:
            await asyncio.sleep(0)
            yield b" "


def test_the_service_is_quoted_with_its_facts() -> None:
    message = "Could not find fine tune: ftjob-1"
    answer = reply(
        {"error": {"message": message, "type": "x", "param": "fine_tune_id", "code": "fine_tune_not_found"}},
        404,
        x_request_id="req_1",
    )
    fault, _ = _fails(answer, READS["job"])
    assert (fault.status, fault.code, fault.param, fault.request_id) == (
        404,
        "fine_tune_not_found",
        "fine_tune_id",
        "req_1",
    )
    assert str(fault) == (
        f"could not read ftjob-1: {message} (404, fine_tune_not_found, param fine_tune_id, request req_1)"
    )


def test_a_closed_platform_is_explained() -> None:
    fault, _ = _fails(refusal(403, "winding down", "training_not_available"), EFFECTS["create"])
    assert type(fault) is RejectedError
    assert fault.hint is not None
    assert "provider: local" in fault.hint


def test_a_wrong_key_names_its_variable() -> None:
    fault, _ = _fails(refusal(401, "Incorrect API key provided", "invalid_api_key"), READS["job"])
    assert fault.hint is not None
    assert "OPENAI_API_KEY" in fault.hint


def test_a_local_service_that_is_not_there_says_how_to_start_it() -> None:
    port = Service(httpx2.ConnectError("refused")).port("local", base_url="http://127.0.0.1:8765/v1")
    with pytest.raises(NotDoneError, match=r"127\.0\.0\.1:8765") as caught:
        ask(port, READS["job"])
    assert caught.value.hint is not None
    assert "rftplan serve" in caught.value.hint


def test_a_path_that_leads_nowhere_points_at_the_base_url() -> None:
    fault, _ = _fails(httpx2.Response(404, html=HTML), READS["job"])
    assert not isinstance(fault, NotFoundError)
    assert fault.hint == "check base_url: https://api.openai.com/v1"


def test_a_redirect_is_not_followed_with_the_key() -> None:
    _, service = _fails(UNCERTAIN["redirect"], READS["job"])
    assert [request.url.host for request in service.requests] == ["api.openai.com"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "2.5", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        (
            {"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"},
            30.0,
        ),
        (
            {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:28:30 GMT"},
            0.0,
        ),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:28:00 -0000"}, None),
    ],
)
def test_how_long_the_service_asks_us_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(httpx2.Headers(headers)) == seconds


def test_a_busy_service_says_when_to_come_back() -> None:
    fault, _ = _fails(refusal(429, "slow", retry_after="7"), EFFECTS["create"])
    assert fault.retry_after == 7.0


ECHO = f"Incorrect API key provided: {KEY}. Header was Bearer {ADMIN_KEY}"
ECHOES: dict[str, Answer] = {
    "in the envelope": reply(
        {"error": {"message": ECHO, "type": KEY, "param": KEY, "code": KEY}}, 401, x_request_id=KEY
    ),
    "in a failure": refusal(500, ECHO),
    "in a page": httpx2.Response(403, html=f"<p>{ECHO}"),
    "in a body": reply({**JOB, "status": None, "id": KEY}),
    "in a connection error": httpx2.ReadError(ECHO),
    "in a refused connection": httpx2.ConnectError(ECHO),
}


OTHERS = [*NOT_DONE.values(), *REFUSED.values(), *UNCERTAIN.values()]


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        *((call, echo) for call in (*EFFECTS.values(), *READS.values()) for echo in ECHOES.values()),
        *((call, answer) for call in (EFFECTS["create"], READS["job"]) for answer in OTHERS),
    ],
)
def test_no_fault_shows_a_key(call: Ask, answer: Answer) -> None:
    fault, _ = _fails(answer, call)
    shown = [str(fault), repr(fault), str(fault.hint), *traceback.format_exception(fault), repr(vars(fault))]
    links: BaseException | None = fault
    while links is not None:
        shown += [str(links), repr(links)]
        links = links.__cause__ or links.__context__
    assert not [text for text in shown if KEY in text or ADMIN_KEY in text or "Bearer sk" in text]


def test_the_cause_is_kept_where_it_is_harmless() -> None:
    fault, _ = _fails(UNCERTAIN["reset"], EFFECTS["create"])
    assert fault.__cause__ is not None
    assert "Connection reset by peer" in "".join(traceback.format_exception(fault))


def test_an_empty_list_is_a_list() -> None:
    assert ask(Service(listing()).port(), READS["jobs"]) == []
