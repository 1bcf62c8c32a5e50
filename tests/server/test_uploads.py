"""Uploads as clients meet them: the real SDK, and what it would never send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx2
import openai
import pytest
from openai.types import Upload

from rftplan.server.upload_store import UploadStore
from rftplan.server.uploads import LIFE

from .conftest import START, World, create_job, rft_rows
from .uploading import GOOD, announced, md5_of, on_disk

pytestmark = pytest.mark.anyio
LIFETIME = 7_200
ROWS = b'{"messages": []}\n' * 4


async def test_parts_become_a_file_in_the_order_that_complete_says(world: World, sdk: openai.AsyncOpenAI) -> None:
    begun = await announced(sdk, len(ROWS))
    assert (begun.object, begun.status, begun.bytes, begun.filename) == ("upload", "pending", 68, "train.jsonl")
    assert (begun.created_at, begun.expires_at, begun.file) == (int(START), int(START) + LIFE, None)
    second, first = [await sdk.uploads.parts.create(begun.id, data=data) for data in (ROWS[40:], ROWS[:40])]
    assert (first.object, first.upload_id, first.created_at) == ("upload.part", begun.id, int(START))
    world.clock.forward(60)
    done = await sdk.uploads.complete(begun.id, part_ids=[first.id, second.id], md5=md5_of(ROWS).upper())
    assert (done.id, done.status, done.expires_at) == (begun.id, "completed", begun.expires_at)
    assert done.file is not None
    assert await sdk.files.retrieve(done.file.id) == done.file
    assert (done.file.created_at, done.file.bytes, done.file.purpose) == (int(START) + 60, len(ROWS), "fine-tune")
    assert (await sdk.files.content(done.file.id)).content == ROWS
    assert on_disk(world) == {done.file.id}


async def test_a_job_trains_from_a_file_that_came_in_parts(world: World, sdk: openai.AsyncOpenAI) -> None:
    path = Path(f"{world.settings.store}.rows.jsonl")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(rft_rows(12))
    done = await sdk.uploads.upload_file_chunked(
        file=path, mime_type="text/jsonl", purpose="fine-tune", part_size=100, md5=md5_of(rft_rows(12))
    )
    assert done.file is not None
    job = await create_job(sdk, training_file=done.file.id)
    world.clock.forward(60)
    assert (await sdk.fine_tuning.jobs.retrieve(job["id"])).status == "succeeded"


@pytest.mark.parametrize("name", ["../../etc/passwd.jsonl", "/tmp/x.jsonl", "a\\b.jsonl", "é\x00ü.jsonl"])
async def test_a_name_is_a_text_and_never_a_path(world: World, sdk: openai.AsyncOpenAI, name: str) -> None:
    begun = await announced(sdk, 2, name)
    part = await sdk.uploads.parts.create(begun.id, data=("../../../part", b"{}"))
    assert on_disk(world) == {f"parts/{begun.id}/{part.id}"}
    done = await sdk.uploads.complete(begun.id, part_ids=[part.id])
    assert done.file is not None
    assert (done.file.filename, on_disk(world)) == (name, {done.file.id})


async def test_a_part_may_come_as_a_plain_field(sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient) -> None:
    begun = await announced(sdk, 3)
    part = await http.post(f"/uploads/{begun.id}/parts", files={"data": (None, b"abc")})
    done = await sdk.uploads.complete(begun.id, part_ids=[part.json()["id"]])
    assert done.file is not None
    assert (await sdk.files.content(done.file.id)).content == b"abc"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"filename": ...}, "filename"),
        ({"filename": "a.csv"}, "filename"),
        ({"filename": ""}, "filename"),
        ({"filename": "x" * 5_000 + ".jsonl"}, "filename"),
        ({"purpose": ...}, "purpose"),
        ({"purpose": "training"}, "purpose"),
        ({"bytes": ...}, "bytes"),
        ({"bytes": None}, "bytes"),
        ({"bytes": 0}, "bytes"),
        ({"bytes": True}, "bytes"),
        ({"bytes": 8 * 2**30 + 1}, "bytes"),
        ({"mime_type": ...}, "mime_type"),
        ({"mime_type": ""}, "mime_type"),
        ({"expires_after": 7}, "expires_after"),
        ({"expires_after": {"seconds": 7_200}}, "expires_after.anchor"),
        ({"expires_after": {"anchor": "now", "seconds": 7_200}}, "expires_after.anchor"),
        ({"expires_after": {"anchor": "created_at"}}, "expires_after.seconds"),
        ({"expires_after": {"anchor": "created_at", "seconds": 60}}, "expires_after.seconds"),
        ({"expires_after": {"anchor": "created_at", "seconds": 7_200, "x": 1}}, "expires_after.x"),
        ({"md5": "x"}, "md5"),
    ],
)
async def test_a_wrong_announcement_is_refused(http: httpx2.AsyncClient, change: dict[str, Any], param: str) -> None:
    assert (await http.post("/uploads", json=GOOD)).status_code == 200
    body = {key: value for key, value in {**GOOD, **change}.items() if value is not ...}
    reply = await http.post("/uploads", json=body)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"files": {"other": (None, b"x")}}, "other"),
        ({"files": {"data": ("x", b"x"), "name": (None, b"x")}}, "name"),
        ({"files": {"data": ("x", b"")}}, "data"),
        ({"files": [("data", ("x", b"x")), ("data", ("y", b"y"))]}, "data"),
    ],
)
async def test_a_wrong_part_is_refused_and_leaves_nothing(
    world: World, http: httpx2.AsyncClient, form: dict[str, Any], param: str
) -> None:
    begun = (await http.post("/uploads", json=GOOD)).json()
    reply = await http.post(f"/uploads/{begun['id']}/parts", **form)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)
    assert on_disk(world) == set()


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "part_ids"),
        ({"part_ids": None}, "part_ids"),
        ({"part_ids": []}, "part_ids"),
        ({"part_ids": "A"}, "part_ids"),
        ({"part_ids": [3]}, "part_ids[0]"),
        ({"part_ids": ["B", "B", "B"]}, "part_ids"),
        ({"part_ids": ["A", "part_nope"]}, "part_ids"),
        ({"part_ids": ["A"]}, "part_ids"),
        ({"part_ids": ["A", "B"], "md5": "0" * 32}, "md5"),
        ({"part_ids": ["A", "B"], "md5": "xyz"}, "md5"),
        ({"part_ids": ["A", "B"], "md5": 1}, "md5"),
        ({"part_ids": ["A", "B"], "name": "x"}, "name"),
    ],
)
async def test_a_wrong_completion_is_refused_and_can_be_said_again(
    world: World, http: httpx2.AsyncClient, sdk: openai.AsyncOpenAI, body: dict[str, Any], param: str
) -> None:
    begun = await announced(sdk, 3)
    parts = [(await sdk.uploads.parts.create(begun.id, data=data)).id for data in (b"ab", b"c")]
    if isinstance(asked := body.get("part_ids"), list):
        body = {**body, "part_ids": [dict(zip("AB", parts, strict=True)).get(one, one) for one in asked]}
    reply = await http.post(f"/uploads/{begun.id}/complete", json=body)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)
    assert on_disk(world) == {f"parts/{begun.id}/{part}" for part in parts}
    assert (await sdk.uploads.complete(begun.id, part_ids=parts, md5=md5_of(b"abc"))).status == "completed"


@pytest.mark.parametrize("end", ["completed", "cancelled", "expired"])
async def test_what_has_ended_takes_nothing_more(world: World, sdk: openai.AsyncOpenAI, end: str) -> None:
    begun = await announced(sdk, 3)
    part = await sdk.uploads.parts.create(begun.id, data=b"abc")
    if end == "completed":
        await sdk.uploads.complete(begun.id, part_ids=[part.id])
    elif end == "cancelled":
        assert (await sdk.uploads.cancel(begun.id)).status == "cancelled"
    else:
        world.clock.forward(LIFE - 1)
        await sdk.uploads.parts.create(begun.id, data=b"abc")
        world.clock.forward(1)
    for call in (
        sdk.uploads.parts.create(begun.id, data=b"abc"),
        sdk.uploads.complete(begun.id, part_ids=[part.id]),
        sdk.uploads.cancel(begun.id),
    ):
        with pytest.raises(openai.BadRequestError, match=f"is {end}") as caught:
            await call
        assert (caught.value.type, caught.value.param) == ("invalid_request_error", "upload_id")
    assert len([file async for file in sdk.files.list()]) == (end == "completed")


async def test_an_upload_that_never_was_is_a_404(world: World, sdk: openai.AsyncOpenAI) -> None:
    for call in (
        sdk.uploads.parts.create("upload_nope", data=b"abc"),
        sdk.uploads.complete("upload_nope", part_ids=["part_1"]),
        sdk.uploads.cancel("upload_nope"),
    ):
        with pytest.raises(openai.NotFoundError, match="No such Upload object: upload_nope"):
            await call
    assert on_disk(world) == set()


async def test_sizes_have_limits(make_world: Callable[..., World]) -> None:
    world = make_world(largest_part=4, largest_upload=10)
    async with world.sdk() as sdk:
        with pytest.raises(openai.BadRequestError, match="<= 10"):
            await announced(sdk, 11)
        begun = await announced(sdk, 3)
        with pytest.raises(openai.APIStatusError) as caught:
            await sdk.uploads.parts.create(begun.id, data=b"12345")
        assert caught.value.status_code == 413
        for data in (b"1234", b"1234"):
            await sdk.uploads.parts.create(begun.id, data=data)
        with pytest.raises(openai.BadRequestError, match="more than 10 bytes together"):
            await sdk.uploads.parts.create(begun.id, data=b"123")
        last = await sdk.uploads.parts.create(begun.id, data=b"12")
        with pytest.raises(openai.BadRequestError, match="have 2 bytes together, and the upload was created for 3"):
            await sdk.uploads.complete(begun.id, part_ids=[last.id])
    async with world.http(**{"content-length": str(2**40)}) as http:
        assert (await http.post(f"/uploads/{begun.id}/parts", content=b"")).status_code == 413


async def test_the_file_lives_as_long_as_it_was_announced_from_when_it_became_one(
    world: World, sdk: openai.AsyncOpenAI
) -> None:
    begun = await announced(sdk, 1, expires_after={"anchor": "created_at", "seconds": LIFETIME})
    part = await sdk.uploads.parts.create(begun.id, data=b"x")
    world.clock.forward(60)
    file = (await sdk.uploads.complete(begun.id, part_ids=[part.id])).file
    assert file is not None
    assert file.expires_at == int(START) + 60 + LIFETIME
    batch = await sdk.uploads.create(bytes=1, filename="b.jsonl", mime_type="text/jsonl", purpose="batch")
    part = await sdk.uploads.parts.create(batch.id, data=b"x")
    file = (await sdk.uploads.complete(batch.id, part_ids=[part.id])).file
    assert file is not None
    assert file.expires_at == int(START) + 60 + 30 * 24 * 3_600


async def test_whoever_ends_an_upload_first_has_ended_it(world: World, sdk: openai.AsyncOpenAI) -> None:
    """Two completions and a cancellation at once: one of them is done, the others hear which."""
    begun = await announced(sdk, 3)
    part = await sdk.uploads.parts.create(begun.id, data=b"abc")
    told = await asyncio.gather(
        sdk.uploads.complete(begun.id, part_ids=[part.id]),
        sdk.uploads.complete(begun.id, part_ids=[part.id]),
        sdk.uploads.cancel(begun.id),
        return_exceptions=True,
    )
    (done,) = [one for one in told if isinstance(one, Upload)]
    for error in told:
        assert error is done or (isinstance(error, openai.BadRequestError) and f"is {done.status}" in str(error))
    files = [file.id async for file in sdk.files.list()]
    assert len(files) == (done.status == "completed")
    assert on_disk(world) == set(files)


@pytest.mark.parametrize("read_first", [False, True])
async def test_whoever_ends_an_upload_while_its_parts_are_put_together_has_ended_it(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch, read_first: bool
) -> None:
    """As another process does it: after the parts were looked up, before or after they are read."""
    world, other = make_world(), make_world()
    async with world.sdk() as sdk:
        begun = await announced(sdk, 3)
        part = await sdk.uploads.parts.create(begun.id, data=b"abc")
        run_sync = anyio.to_thread.run_sync

        async def cancelled_meanwhile(*call: Any) -> Any:
            content = await run_sync(*call) if read_first else None
            UploadStore(other.app.state.service.store).cancel(begun.id, now=int(START))
            return content or await run_sync(*call)

        monkeypatch.setattr(anyio.to_thread, "run_sync", cancelled_meanwhile)
        with pytest.raises(openai.BadRequestError, match="is cancelled"):
            await sdk.uploads.complete(begun.id, part_ids=[part.id])
    assert on_disk(world) == set()
