"""The adapter and the real SDK over a scripted wire: what goes out, and what comes back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rftplan.api.faults import Faults
from rftplan.api.identity import ProviderSettings, identify
from rftplan.api.openai import OpenAIPort, connect
from rftplan.api.port import JobStatus, Upload
from rftplan.api.profiles import profile
from rftplan.errors import ApiError, CredentialError, FateUnknownError, RejectedError, UserError
from tests.api.wire import ADMIN_KEY, FILE, JOB, KEY, LAUNCH, Service, ask, listing, refusal, reply

MULTI: dict[str, Any] = {
    "type": "multi",
    "name": "both",
    "graders": {"a": {"type": "string_check", "name": "a", "input": "x", "reference": "y", "operation": "eq"}},
    "calculate_output": "a",
}


def test_a_launch_sends_the_body_as_it_is() -> None:
    body = {
        **LAUNCH,
        "seed": 0,
        "method": {"type": "reinforcement", "reinforcement": {"grader": MULTI, "response_format": None}},
        "metadata": {"k": "v"},
        "trainingType": "standard",
    }
    service = Service(reply(JOB))
    ask(service.port(), lambda port: port.create_job(body))
    assert service.sent() == body
    assert (service.requests[0].method, service.requests[0].url.path) == ("POST", "/v1/fine_tuning/jobs")


def test_a_job_keeps_its_raw_body_and_its_multi_grader() -> None:
    body = {**JOB, "method": {"type": "reinforcement", "reinforcement": {"grader": MULTI}}, "novel": [1]}
    job = ask(Service(reply(body)).port(), lambda port: port.get_job("ftjob-1"))
    assert job.body == body
    assert (job.id, job.status, job.seed, job.metadata) == ("ftjob-1", JobStatus.QUEUED, 7, JOB["metadata"])


def test_identity_is_all_that_the_service_learns_of_us(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "OPENAI_API_KEY": "sk-environment",
        "OPENAI_ADMIN_KEY": "sk-environment",
        "OPENAI_BASE_URL": "https://environment.example/v1",
        "OPENAI_ORG_ID": "org-environment",
        "OPENAI_PROJECT_ID": "proj-environment",
        "OPENAI_WEBHOOK_SECRET": "environment",
        "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer environment\nX-Own: environment\nHost: environment",
        "OPENAI_LOG": "debug",
        "HTTPS_PROXY": "http://environment.example:3128",
    }.items():
        monkeypatch.setenv(name, value)
    service = Service(reply(JOB))
    ask(service.port(), lambda port: port.create_job(LAUNCH))
    ask(service.port(), lambda port: port.get_job("ftjob-1"))
    for request in service.requests:
        assert request.url.host == request.headers["host"] == "api.openai.com"
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert "environment" not in repr(request.headers.raw)
        assert not {"openai-organization", "openai-project"} & set(request.headers)


def test_organization_and_project_are_sent_when_the_identity_has_them() -> None:
    service = Service(reply(JOB))
    ask(service.port(organization="org-1", project="proj_1"), lambda port: port.pause_job("ftjob-1"))
    assert service.requests[0].headers["openai-organization"] == "org-1"
    assert service.requests[0].headers["openai-project"] == "proj_1"


def test_the_sdks_own_log_variable_prints_nothing() -> None:
    code = (
        "from tests.api.wire import *\n"
        "later = refusal(429, 'slow', retry_after_ms='1')\n"
        "ask(Service(later, reply(JOB)).port(read_retries=1), lambda p: p.get_job('a'))\n"
        "ask(Service(reply(JOB)).port(), lambda p: p.create_job(LAUNCH))\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={"OPENAI_LOG": "debug", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("word", ["preempted", "unknown", "QUEUED"])
def test_a_status_that_we_do_not_know_keeps_its_word(word: str) -> None:
    job = ask(Service(reply({**JOB, "status": word})).port(), lambda port: port.get_job("ftjob-1"))
    assert (job.status, job.raw_status) == (JobStatus.UNKNOWN, word)


@pytest.mark.parametrize(
    ("verb", "call"),
    [
        ("pause", lambda port: port.pause_job("ftjob-1")),
        ("resume", lambda port: port.resume_job("ftjob-1")),
        ("cancel", lambda port: port.cancel_job("ftjob-1")),
    ],
)
def test_a_jobs_verbs_are_posted_to_the_job(verb: str, call: Callable[[OpenAIPort], Awaitable[Any]]) -> None:
    service = Service(reply({**JOB, "status": "pausing"}))
    assert ask(service.port(), call).status is JobStatus.PAUSING
    assert service.requests[0].url.path == f"/v1/fine_tuning/jobs/ftjob-1/{verb}"


def test_jobs_are_filtered_by_the_service_and_again_by_us() -> None:
    other = {**JOB, "id": "ftjob-2", "metadata": {"rftplan_launch": "v1:bb:1"}}
    none = {**JOB, "id": "ftjob-3", "metadata": None}
    service = Service(listing(JOB, other, none))
    found = ask(service.port(), lambda port: port.list_jobs({"rftplan_launch": "v1:aa:1"}))
    assert [job.id for job in found] == ["ftjob-1"]
    assert service.requests[0].url.params["metadata[rftplan_launch]"] == "v1:aa:1"
    assert service.requests[0].url.params["limit"] == "100"


@pytest.mark.parametrize("metadata", [None, {}])
def test_no_filter_sends_none(metadata: dict[str, str] | None) -> None:
    service = Service(listing(JOB))
    assert len(ask(service.port(), lambda port: port.list_jobs(metadata))) == 1
    assert set(service.requests[0].url.params) == {"limit"}


def test_jobs_come_newest_first_in_one_order() -> None:
    jobs = [{**JOB, "id": i, "created_at": at} for i, at in (("b", 5), ("d", 9), ("a", 5), ("c", 5))]
    found = ask(Service(listing(*jobs)).port(), lambda port: port.list_jobs())
    assert [job.id for job in found] == ["d", "c", "b", "a"]


def test_files_of_another_purpose_are_left_out() -> None:
    result = {**FILE, "id": "file-9", "purpose": "fine-tune-results"}
    service = Service(listing(FILE, result))
    found = ask(service.port(), lambda port: port.list_files("fine-tune"))
    assert [(file.id, file.size, file.filename) for file in found] == [("file-1", 6, "train.jsonl")]
    assert dict(service.requests[0].url.params) == {"purpose": "fine-tune", "limit": "10000"}


def test_a_list_is_read_to_its_end() -> None:
    events = [{"id": f"ftevent-{n}", "created_at": 100 - n, "message": str(n)} for n in range(5)]
    service = Service(listing(*events[:2], more=True), listing(*events[2:4], more=True), listing(events[4]))
    port = service.port()
    found = ask(port, lambda port: port.list_events("ftjob-1"))
    assert [event.message for event in found] == ["0", "1", "2", "3", "4"]
    assert [request.url.params.get("after") for request in service.requests] == [
        None,
        "ftevent-1",
        "ftevent-3",
    ]
    assert port.requests == 3


def test_only_as_many_events_are_asked_for_as_are_wanted() -> None:
    events = [{"id": f"ftevent-{n}", "created_at": 100 - n} for n in range(3)]
    service = Service(listing(*events, more=True))
    found = ask(service.port(), lambda port: port.list_events("ftjob-1", limit=2))
    assert [event.id for event in found] == ["ftevent-0", "ftevent-1"]
    assert [request.url.params["limit"] for request in service.requests] == ["2"]


def test_paging_that_never_advances_is_an_error_and_not_a_loop() -> None:
    service = Service(listing(JOB, more=True))
    with pytest.raises(ApiError, match="same page again"):
        ask(service.port(), lambda port: port.list_jobs())
    assert len(service.requests) == 2


def test_a_checkpoints_metrics_are_finite_numbers_by_both_names() -> None:
    content = (
        b'{"object":"list","has_more":false,"data":[{"id":"ftckpt_1","created_at":1,"step_number":10,'
        b'"fine_tuned_model_checkpoint":"ft:o4:acme::x:ckpt-step-10","fine_tuning_job_id":"ftjob-1",'
        b'"simulation":{"trainer":"toy","judge":"overlap"},"metrics":{"full_valid_mean_reward":0.5,'
        b'"train_mean_reward":NaN,"train_reward_mean":1,"a":Infinity,"b":1e999,"c":null,"d":"1","e":true}}]}'
    )
    service = Service(httpx2.Response(200, content=content))
    (found,) = ask(service.port(), lambda port: port.list_checkpoints("ftjob-1"))
    assert found.metrics == {
        "full_valid_mean_reward": 0.5,
        "valid_reward_mean": 0.5,
        "train_reward_mean": 1.0,
    }
    assert (found.model, found.step) == ("ft:o4:acme::x:ckpt-step-10", 10)
    assert found.simulation is not None
    assert (found.simulation.trainer, found.simulation.judge) == ("toy", "overlap")


def test_a_grader_is_sent_whole_and_a_refusal_says_what_is_wrong() -> None:
    service = Service(reply({"grader": MULTI}), refusal(400, "Invalid type for 'graders.input'"))
    port = service.port()

    async def twice(port: OpenAIPort) -> None:
        await port.validate_grader(MULTI)
        await port.validate_grader(MULTI)

    with pytest.raises(RejectedError, match=r"Invalid type for 'graders\.input'"):
        ask(port, twice)
    assert service.sent(0) == {"grader": MULTI}
    assert service.requests[0].url.path == "/v1/fine_tuning/alpha/graders/validate"


PERMISSION = {"id": "cp_1", "object": "checkpoint.permission", "created_at": 1, "project_id": "proj_1"}
MODEL = "ft:o4-mini:acme:suf:abc:ckpt-step-10"


def test_permissions_go_out_with_the_admin_key_and_an_unescaped_model() -> None:
    gone = reply({"id": "cp_1", "deleted": True})
    service = Service(listing(PERMISSION), listing(PERMISSION), gone)

    async def talk(port: OpenAIPort) -> None:
        assert (await port.list_permissions(MODEL))[0].project_id == "proj_1"
        assert (await port.grant_permission(MODEL, "proj_1")).id == "cp_1"
        await port.revoke_permission(MODEL, "cp_1")
        assert port.requests == 3

    ask(service.port(admin_key=ADMIN_KEY), talk)
    path = f"/v1/fine_tuning/checkpoints/{MODEL}/permissions"
    assert [(r.method, r.url.path) for r in service.requests] == [
        ("GET", path),
        ("POST", path),
        ("DELETE", f"{path}/cp_1"),
    ]
    assert {r.headers["authorization"] for r in service.requests} == {f"Bearer {ADMIN_KEY}"}
    assert service.requests[0].url.params["order"] == "ascending"


def test_permissions_without_an_admin_key_name_its_variable() -> None:
    service = Service(listing())
    with pytest.raises(CredentialError, match="OPENAI_ADMIN_KEY"):
        ask(service.port(), lambda port: port.list_permissions(MODEL))
    assert service.requests == []


def test_a_grant_that_is_answered_without_the_permission_is_of_unknown_fate() -> None:
    service = Service(listing({**PERMISSION, "project_id": "proj_2"}))
    with pytest.raises(FateUnknownError):
        ask(service.port(admin_key=ADMIN_KEY), lambda port: port.grant_permission(MODEL, "proj_1"))


def _upload(tmp_path: Path, content: bytes) -> Upload:
    (tmp_path / "data.jsonl").write_bytes(content)
    return Upload(tmp_path / "data.jsonl", "acme.dev.train-00ff.jsonl", len(content), "fine-tune")


def test_an_upload_streams_its_file_and_reports_every_piece(tmp_path: Path) -> None:
    content = b'{"messages": []}\n' * 20_000
    service, seen = Service(reply(FILE)), []
    upload = _upload(tmp_path, content)
    ask(service.port(), lambda port: port.upload_file(upload, lambda done, size: seen.append((done, size))))
    body = service.requests[0].content
    assert content in body
    assert b'name="file"; filename="acme.dev.train-00ff.jsonl"' in body
    assert b'name="purpose"\r\n\r\nfine-tune' in body
    assert int(service.requests[0].headers["content-length"]) == len(body)
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert seen[-1] == (len(content), len(content))


def test_an_upload_never_holds_the_whole_file(tmp_path: Path) -> None:
    largest = 0

    async def discard(request: httpx2.Request) -> httpx2.Response:
        nonlocal largest
        async for piece in request.stream:  # type: ignore[union-attr]
            largest = max(largest, len(piece))
        return reply(FILE)

    chosen = profile("openai")
    identity = identify(ProviderSettings("openai"), chosen)
    upload = _upload(tmp_path, bytes(3_000_000))
    port = connect(identity, chosen, KEY, transport=_Stream(discard))
    ask(port, lambda port: port.upload_file(upload, lambda *_: None))
    assert 0 < largest <= 1 << 20


class _Stream(httpx2.AsyncBaseTransport):
    """Unlike the SDK's mock transport, leaves the request's body unread."""

    def __init__(self, handler: Callable[[httpx2.Request], Awaitable[httpx2.Response]]) -> None:
        self._handler = handler

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._handler(request)


def test_a_file_that_changed_since_it_was_read_is_not_uploaded(tmp_path: Path) -> None:
    upload = _upload(tmp_path, b"123456")
    upload.path.write_bytes(b"1234567")
    service = Service(reply(FILE))
    with pytest.raises(UserError, match="has changed"):
        ask(service.port(), lambda port: port.upload_file(upload, lambda *_: None))
    assert service.requests == []


@pytest.mark.parametrize("size", [10, 2_000_000])
def test_a_file_that_changes_while_it_is_uploaded_never_leaves_whole(tmp_path: Path, size: int) -> None:
    """The request breaks off before its end, so no service can have taken it: that is certain, and said as such."""
    upload = _upload(tmp_path, bytes(1_000_000))

    def disturb(done: int, _: int) -> None:
        if done < 200_000:
            upload.path.write_bytes(bytes(size))

    with pytest.raises(UserError, match="changed while it was uploaded"):
        ask(Service(reply(FILE)).port(), lambda port: port.upload_file(upload, disturb))


def test_a_file_that_is_gone_is_not_uploaded(tmp_path: Path) -> None:
    upload = Upload(tmp_path / "gone.jsonl", "x.jsonl", 6, "fine-tune")
    with pytest.raises(UserError, match="cannot be read"):
        ask(Service(reply(FILE)).port(), lambda port: port.upload_file(upload, lambda *_: None))


def test_a_file_over_the_limit_is_not_even_opened(tmp_path: Path) -> None:
    upload = Upload(tmp_path / "gone.jsonl", "x.jsonl", 8 * 1024**3 + 1, "fine-tune")
    with pytest.raises(UserError, match="8,589,934,593 bytes"):
        ask(Service(reply(FILE)).port(), lambda port: port.upload_file(upload, lambda *_: None))


def test_a_deletion_must_be_confirmed() -> None:
    ask(Service(reply({"id": "file-1", "deleted": True})).port(), lambda port: port.delete_file("file-1"))
    ask(Service(reply({"id": "ft:m", "deleted": True})).port(), lambda port: port.delete_model("ft:m"))
    with pytest.raises(FateUnknownError):
        ask(Service(reply({"id": "file-1"})).port(), lambda port: port.delete_file("file-1"))


@pytest.mark.parametrize("job_id", ["", "..", "."])
def test_an_id_that_cannot_be_one_is_refused_before_it_is_sent(job_id: str) -> None:
    service = Service(reply(JOB))
    with pytest.raises(RejectedError):
        ask(service.port(), lambda port: port.get_job(job_id))
    assert service.requests == []


def test_an_id_cannot_reach_another_path() -> None:
    service = Service(reply(JOB))
    ask(service.port(), lambda port: port.get_job("a/cancel?x=1"))
    assert service.requests[0].url.raw_path == b"/v1/fine_tuning/jobs/a%2Fcancel%3Fx=1"


def test_many_calls_may_share_a_port() -> None:
    service = Service(reply(JOB))
    port = service.port()

    async def many(port: OpenAIPort) -> int:
        await asyncio.gather(*(port.get_job(f"ftjob-{n}") for n in range(50)))
        return port.requests

    assert ask(port, many) == 50


def test_the_in_process_service_is_never_looked_for_on_the_network() -> None:
    local = profile("local")
    with pytest.raises(ValueError, match="transport"):
        connect(identify(ProviderSettings("local"), local), local, "key")


def test_the_translator_does_not_show_what_it_keeps_secret() -> None:
    assert KEY not in repr(Faults("http://localhost", None, (KEY,)))
