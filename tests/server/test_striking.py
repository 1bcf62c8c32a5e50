"""Each fault as a client meets it, in this process and over a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx2
import openai
import pytest

from rftplan.in_process import in_process
from rftplan.server.faults import FaultKind, read_fault
from rftplan.server.file_store import FileStore
from rftplan.server.striking import CutError

from .conftest import KEY, World, create_job, rft_body, rft_rows, upload

pytestmark = pytest.mark.anyio

JOBS = "/fine_tuning/jobs"


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def world(make_world: Callable[..., World], slept: list[float]) -> World:
    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    return make_world(sleep=sleep)


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    """A client over what the product goes through in one process."""
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(
        transport=in_process(world.app), base_url="http://local/v1", headers=headers
    ) as client:
        yield client


async def struck_by(http: httpx2.AsyncClient, line: str) -> dict[str, Any]:
    reply = await http.post("/local/faults", json={"fault": line})
    body: dict[str, Any] = reply.json()
    assert reply.status_code == 200, body
    return body


@pytest.mark.parametrize(
    ("line", "status", "kind", "code"),
    [
        ("429 retry_after=7", 429, "rate_limit_error", "slow_down"),
        ("503 retry_after=7", 503, "service_unavailable_error", "server_is_overloaded"),
        ("500-before", 500, "server_error", None),
        ("500-after", 500, "server_error", None),
    ],
)
async def test_an_error_is_answered_once_in_the_vendors_envelope(
    http: httpx2.AsyncClient, line: str, status: int, kind: str, code: str | None
) -> None:
    await struck_by(http, line)
    reply = await http.get("/files")
    assert reply.status_code == status
    error = reply.json()["error"]
    assert (error["type"], error["code"]) == (kind, code)
    assert reply.headers["x-request-id"].startswith("req_")
    assert reply.headers.get("retry-after") == ("7" if "retry" in line else None)
    assert (await http.get("/files")).status_code == 200


@pytest.mark.parametrize(
    ("line", "acts"),
    [
        ("429", False),
        ("503", False),
        ("500-before", False),
        ("lost-before", False),
        ("500-after", True),
        ("lost-after", True),
        ("half-reply", True),
        ("slow-body", True),
        ("latency", True),
    ],
)
async def test_whether_the_service_acted_is_what_the_fault_says(
    world: World, sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient, line: str, acts: bool
) -> None:
    body = await rft_body(sdk)
    await struck_by(http, f"{line} on=POST /v1/fine_tuning/jobs")
    try:
        reply = await http.post(JOBS, json=body)
    except httpx2.TransportError:
        assert line in ("lost-before", "lost-after", "half-reply")
    else:
        assert (reply.status_code == 200) == (line in ("slow-body", "latency"))
    assert len((await http.get(JOBS)).json()["data"]) == acts


async def test_what_takes_time_takes_it_by_the_injected_sleep(http: httpx2.AsyncClient, slept: list[float]) -> None:
    whole = (await http.get("/models")).content
    await struck_by(http, "latency seconds=3")
    await struck_by(http, "slow-body seconds=2")
    assert (await http.get("/models")).content == whole
    assert slept[0] == 3
    assert sum(slept[1:]) == pytest.approx(2)
    assert len(slept) > 10


async def test_a_slow_body_takes_its_time_once_however_many_parts_the_service_sends_it_in(
    sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient, slept: list[float]
) -> None:
    content = b"x" * 1_000_003
    file = await upload(sdk, content)
    await struck_by(http, "slow-body seconds=2 on=GET */content")
    assert (await http.get(f"/files/{file}/content")).content == content
    assert sum(slept) <= 2.001
    assert 10 < len(slept) < 20


async def test_a_slow_stream_of_unknown_length_takes_no_longer_than_its_time(
    sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient, slept: list[float]
) -> None:
    await struck_by(http, "slow-body seconds=2 on=POST /v1/responses")
    body = {"model": "o4-mini", "input": "?", "stream": True}
    assert (await http.post("/responses", json=body)).text.count("event:") > 3
    assert 0 < sum(slept) <= 2


async def test_half_a_large_reply_is_sent_on_and_not_collected(
    world: World, sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient
) -> None:
    file = await upload(sdk, b"x" * 1_000_003)
    await struck_by(http, "half-reply on=GET */content")
    sent: list[int] = []

    async def cut(_how: object) -> None:
        sent.append(-1)

    async def seen(message: Any) -> None:
        sent.append(len(message.get("body", b"")))

    async def receive() -> Any:
        await anyio.sleep_forever()  # nothing more comes

    request = http.build_request("GET", f"/files/{file}/content")
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    path = f"/v1/files/{file}/content"
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "query_string": b""}
    await world.app({**scope, "extensions": {"rftplan.cut": cut}}, receive, seen)
    assert (sum(sent) + 1, sent[-1]) == (1_000_003 // 2, -1)
    assert max(sent) < 300_000, "in the parts that the service sends"


async def test_a_fault_that_the_store_cannot_carry_out_is_told_as_of_the_store(
    world: World, sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient
) -> None:
    file = await upload(sdk, rft_rows(1))
    content = FileStore(world.app.state.service.store).content(file)
    content.unlink()
    content.mkdir()  # what cannot be unlinked
    await struck_by(http, "file-gone on=GET /v1/models")
    reply = await http.get("/models")
    assert (reply.status_code, reply.json()["error"]["type"]) == (500, "server_error")
    assert "store could not be used" in reply.json()["error"]["message"]


async def test_of_two_answers_the_first_is_given_and_the_other_waits(http: httpx2.AsyncClient) -> None:
    await struck_by(http, "429")
    await struck_by(http, "503")
    assert [(await http.get("/files")).status_code for _ in range(3)] == [429, 503, 200]


async def test_whoever_cannot_cut_a_connection_says_so(world: World, http: httpx2.AsyncClient) -> None:
    await struck_by(http, "lost-before")
    async with world.http() as bare:
        with pytest.raises(CutError, match="lost-before"):
            await bare.get("/files")


async def test_strangers_meet_no_fault(world: World, http: httpx2.AsyncClient) -> None:
    await struck_by(http, "429")
    async with world.http(authorization="") as stranger:
        assert (await stranger.get("/files")).status_code == 401
    assert (await http.get("/files")).status_code == 429


async def test_a_list_is_as_it_was(world: World, sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient) -> None:
    """Jobs, their states, files and permissions; what is asked for by its id is as it is."""
    job = await create_job(sdk)
    gone = await upload(sdk, rft_rows(1), "gone.jsonl")
    world.clock.forward(30)
    model = (await sdk.fine_tuning.jobs.retrieve(job["id"])).fine_tuned_model
    assert model is not None
    permissions = sdk.fine_tuning.checkpoints.permissions
    revoked = (await permissions.create(model, project_ids=["proj_1"])).data[0].id
    world.clock.forward(30)
    await permissions.create(model, project_ids=["proj_2"])
    await permissions.delete(revoked, fine_tuned_model_checkpoint=model)
    await sdk.files.delete(gone)
    newer = await create_job(sdk)
    await struck_by(http, "stale seconds=20")
    assert [(one.id, one.status) async for one in sdk.fine_tuning.jobs.list()] == [(job["id"], "succeeded")]
    assert gone in [file.id async for file in sdk.files.list()]
    assert newer["training_file"] not in [file.id async for file in sdk.files.list()]
    assert [one.id async for one in permissions.list(model)] == [revoked]
    assert (await sdk.fine_tuning.jobs.retrieve(newer["id"])).status == "validating_files"
    await http.delete("/local/faults")
    assert [one.id async for one in sdk.fine_tuning.jobs.list()] == [newer["id"], job["id"]]
    await struck_by(http, "stale seconds=59.5")
    (young,) = [one async for one in sdk.fine_tuning.jobs.list()]
    assert young.status == "queued"
    assert len((await sdk.fine_tuning.jobs.list_events(job["id"])).data) == 4


async def test_where_metadata_is_not_kept_no_job_shows_any_and_no_filter_finds_one(
    sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient
) -> None:
    job = await create_job(sdk, metadata={"team": "a"})
    await struck_by(http, "no-metadata")
    bare = await create_job(sdk, metadata={"team": "a"})
    assert bare["metadata"] is None
    jobs = sdk.fine_tuning.jobs
    assert [(one.id, one.metadata) async for one in jobs.list()] == [(bare["id"], None), (job["id"], None)]
    assert [one.id async for one in jobs.list(limit=1)] == [bare["id"], job["id"]]
    assert [one.id async for one in jobs.list(metadata={"team": "a"})] == []
    assert [one.id async for one in jobs.list(extra_query={"metadata": "null"})] == [bare["id"], job["id"]]
    assert (await jobs.retrieve(job["id"])).metadata is None
    assert (await jobs.cancel(job["id"])).metadata is None
    await http.delete("/local/faults")
    assert [one.metadata async for one in jobs.list(metadata={"team": "a"})] == [{"team": "a"}, {"team": "a"}]


async def test_what_is_made_while_lists_are_stale_is_made_now_and_is_not_struck(
    world: World, sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient
) -> None:
    await struck_by(http, "stale")
    job = await create_job(sdk)
    now = int(world.clock.time)
    assert (job["created_at"], job["status"]) == (now, "validating_files")
    assert (await sdk.files.retrieve(job["training_file"])).created_at == now
    (fault,) = (await http.get("/local/faults")).json()["data"]
    assert (fault["met"], fault["struck"]) == (0, 0)
    assert [one async for one in sdk.fine_tuning.jobs.list()] == []


async def test_a_locked_out_organization_can_launch_nothing_and_keeps_its_files(
    sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient
) -> None:
    body = await rft_body(sdk)
    await struck_by(http, "lockout")
    for _ in range(2):
        with pytest.raises(openai.PermissionDeniedError) as caught:
            await sdk.fine_tuning.jobs.create(**body)
        assert caught.value.code == "training_not_available"
    assert len((await sdk.files.list()).data) == 2


async def test_a_daily_limit_lets_so_many_launches_through(sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient) -> None:
    body = await rft_body(sdk)
    await struck_by(http, "daily-limit after=2")
    for _ in range(2):
        await sdk.fine_tuning.jobs.create(**body)
    with pytest.raises(openai.RateLimitError, match=r"maximum of 2 .* per day for the model 'o4-mini'") as caught:
        await sdk.fine_tuning.jobs.create(**body)
    assert (caught.value.code, caught.value.type) == ("daily_rate_limit_exceeded", "invalid_request_error")
    assert (await http.post(JOBS, content=b"{")).status_code == 400


async def test_a_retired_model_says_its_day_answers_nothing_and_is_not_trained(
    world: World, sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient
) -> None:
    job = await create_job(sdk)
    world.clock.forward(30)
    model = (await sdk.fine_tuning.jobs.retrieve(job["id"])).fine_tuned_model
    assert model is not None
    await struck_by(http, "retired model=o4-mini* date=2030-01-01")
    for name in ("o4-mini", model):
        assert (await http.get(f"/models/{name}")).json()["shutdown_date"] == "2030-01-01"
    await sdk.chat.completions.create(model=model, messages=[{"role": "user", "content": "?"}])
    await http.delete("/local/faults")
    await struck_by(http, "retired model=o4-mini")
    for name in ("o4-mini", "o4-mini-2025-04-16", model):
        with pytest.raises(openai.NotFoundError, match="has been shut down") as caught:
            await sdk.chat.completions.create(model=name, messages=[{"role": "user", "content": "?"}])
        assert caught.value.code == "model_not_found"
        with pytest.raises(openai.BadRequestError, match="is not available for fine-tuning"):
            await create_job(sdk, model=name)
    assert (await http.get("/models/o3")).json()["shutdown_date"] is None


async def test_every_fault_is_shown_by_a_test() -> None:
    here = Path(__file__).parent
    text = "".join((here / name).read_text() for name in ("test_striking.py", "test_happening.py"))
    assert [kind for kind in FaultKind if f'"{kind}' not in text] == []


async def test_a_service_starts_with_the_faults_it_is_given(make_world: Callable[..., World]) -> None:
    world = make_world(faults=[read_fault("429 times=2")])
    async with world.http() as http:
        assert [(await http.get("/files")).status_code for _ in range(3)] == [429, 429, 200]


async def test_stale_lists_have_the_models_and_checkpoints_that_were_there_then(
    world: World, sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient
) -> None:
    job_id = (await create_job(sdk))["id"]
    world.clock.forward(1_000)
    model = (await sdk.fine_tuning.jobs.retrieve(job_id)).fine_tuned_model
    assert model is not None
    gone = f"{model}:ckpt-step-3"
    await sdk.fine_tuning.checkpoints.permissions.create(model, project_ids=["proj_a"])
    world.clock.forward(30)
    await sdk.models.delete(gone)
    await sdk.models.delete(model)

    async def seen() -> list[str]:
        """With how many checkpoints there are."""
        kept = [one async for one in sdk.fine_tuning.jobs.checkpoints.list(job_id)]
        made = [one.id async for one in sdk.models.list() if one.id.startswith("ft:")]
        return [*made, str(len(kept))]

    assert await seen() == [f"{model}:ckpt-step-2", "1"]
    await struck_by(http, "stale seconds=20")
    assert await seen() == [model, gone, f"{model}:ckpt-step-2", "3"]
    granted = sdk.fine_tuning.checkpoints.permissions.list(model)
    assert [one.project_id async for one in granted] == ["proj_a"]
    with pytest.raises(openai.NotFoundError):
        await sdk.models.retrieve(gone)
    world.clock.forward(20)
    assert await seen() == [f"{model}:ckpt-step-2", "1"]
