"""Files: upload, list, read, delete."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftplan.server.file_object import file_shape
from rftplan.server.file_store import FileStore, StoredFile, insert_file
from rftplan.server.paging import Order, Page
from rftplan.server.remembered import Remembered
from rftplan.server.store import Store

from .conftest import START, World, jsonl, upload

pytestmark = pytest.mark.anyio
MISSING = {
    "message": "No such File object: file-nope",
    "type": "invalid_request_error",
    "param": "id",
    "code": None,
}


async def test_a_file_comes_back_as_it_was_sent(sdk: openai.AsyncOpenAI) -> None:
    content = jsonl({"messages": [], "text": "ü\u2028"}) * 50_000
    file = await sdk.files.create(file=("train.jsonl", content), purpose="fine-tune")
    assert (file.bytes, file.filename, file.purpose) == (len(content), "train.jsonl", "fine-tune")
    assert (file.status, file.expires_at) == ("processed", None)
    assert await sdk.files.retrieve(file.id) == file
    assert (await sdk.files.content(file.id)).content == content


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.jsonl", "/tmp/x.jsonl", "a/b\\c.jsonl", "quo;te's.jsonl", "é ü.jsonl"]
)
async def test_a_client_file_name_is_a_text_and_never_a_path(world: World, sdk: openai.AsyncOpenAI, name: str) -> None:
    file = await sdk.files.create(file=(name, b"{}\n"), purpose="fine-tune")
    assert (await sdk.files.retrieve(file.id)).filename == name
    contents = Path(f"{world.settings.store}-files")
    assert [path.name for path in contents.rglob("*") if path.is_file()] == [file.id]


async def test_a_deleted_file_is_gone(world: World, sdk: openai.AsyncOpenAI) -> None:
    file_id = await upload(sdk, b"{}\n")
    assert (await sdk.files.delete(file_id)).deleted
    for call in (sdk.files.retrieve, sdk.files.delete, sdk.files.content):
        with pytest.raises(openai.NotFoundError, match="No such File object"):
            await call(file_id)
    assert [file async for file in sdk.files.list()] == []
    assert not any(path.is_file() for path in Path(f"{world.settings.store}-files").rglob("*"))


async def test_a_missing_file_is_the_vendors_404(http: httpx2.AsyncClient) -> None:
    reply = await http.get("/files/file-nope")
    assert (reply.status_code, reply.json()) == (404, {"error": MISSING})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), st.none() | st.integers(1, 2**40))
def test_a_listed_file_is_the_file(tmp_path: Path, filename: str, lifetime: int | None) -> None:
    """The list is written by SQLite, a single file is not: whatever its name, they say the same."""
    store = Store(tmp_path / "service.sqlite")
    files, number = FileStore(store), store.rows("SELECT count(*) FROM files")[0][0]
    file = StoredFile(f"file-{number}", 1, 2, filename, "fine-tune", None if lifetime is None else 1 + lifetime)
    with store.write() as db:
        insert_file(db, file, now=1)
    ((file_id, text),) = files.page(
        Page(1, None), order=Order.DESCENDING, purpose=None, now=1_000_000, known=Remembered(0)
    )[:1]
    store.close()
    assert (file_id, json.loads(text)) == (file.id, file_shape(file))


async def test_files_are_listed_newest_first_page_by_page(sdk: openai.AsyncOpenAI) -> None:
    ids = [await upload(sdk, b"{}\n") for _ in range(5)]
    assert [file.id async for file in sdk.files.list(limit=2)] == ids[::-1]
    assert [file.id async for file in sdk.files.list(limit=2, order="asc")] == ids
    assert [file.id async for file in sdk.files.list(after=ids[3])] == ids[2::-1]
    page = await sdk.files.list(limit=2)
    assert (page.has_more, page.data[-1].id) == (True, ids[3])


async def test_a_page_can_be_followed_after_its_last_file_was_deleted(sdk: openai.AsyncOpenAI) -> None:
    ids = [await upload(sdk, b"{}\n") for _ in range(4)]
    await sdk.files.delete(ids[2])
    assert [file.id async for file in sdk.files.list(after=ids[2])] == ids[1::-1]


async def test_files_are_filtered_by_purpose(sdk: openai.AsyncOpenAI) -> None:
    kept = await upload(sdk, b"{}\n")
    other = await sdk.files.create(file=("notes.txt", b"x"), purpose="user_data")
    assert [file.id async for file in sdk.files.list(purpose="fine-tune")] == [kept]
    assert [file.id async for file in sdk.files.list(purpose="user_data")] == [other.id]


async def test_an_expired_file_is_gone(world: World, sdk: openai.AsyncOpenAI) -> None:
    expiry = {"anchor": "created_at", "seconds": 3_600}
    file = await sdk.files.create(file=("a.jsonl", b"{}\n"), purpose="fine-tune", expires_after=expiry)  # type: ignore[arg-type]
    assert file.expires_at == file.created_at + 3_600
    world.clock.forward(3_599)
    assert [one.id async for one in sdk.files.list()] == [file.id]
    world.clock.forward(1)
    assert [one.id async for one in sdk.files.list()] == []
    with pytest.raises(openai.NotFoundError):
        await sdk.files.retrieve(file.id)


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"data": {"purpose": "fine-tune"}, "files": {"other": (None, b"")}}, "other"),
        ({"data": {"purpose": "fine-tune"}, "files": {"file": (None, b"{}")}}, "file"),
        ({"files": {"file": ("a.jsonl", b"{}")}}, "purpose"),
        ({"data": {"purpose": "training"}, "files": {"file": ("a.jsonl", b"{}")}}, "purpose"),
        ({"data": {"purpose": "fine-tune"}, "files": {"file": ("a.csv", b"{}")}}, "file"),
        ({"data": {"purpose": "fine-tune"}, "files": {"file": ("a.jsonl", b"")}}, "file"),
        ({"data": {"purpose": "fine-tune", "name": "x"}, "files": {"file": ("a.jsonl", b"{}")}}, "name"),
        (
            {
                "data": {
                    "purpose": "fine-tune",
                    "expires_after[anchor]": "created_at",
                    "expires_after[seconds]": "60",
                },
                "files": {"file": ("a.jsonl", b"{}")},
            },
            "expires_after[seconds]",
        ),
    ],
)
async def test_a_wrong_form_is_refused_and_leaves_nothing(
    world: World, http: httpx2.AsyncClient, form: dict[str, Any], param: str
) -> None:
    reply = await http.post("/files", **form)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)
    assert not any(path.is_file() for path in Path(f"{world.settings.store}-files").rglob("*"))


@pytest.mark.parametrize("query", ["limit=0", "limit=10001", "limit=x", "order=up", "page=2", "after=file-nope"])
async def test_a_wrong_query_is_refused(http: httpx2.AsyncClient, query: str) -> None:
    reply = await http.get(f"/files?{query}")
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, query.partition("=")[0])


async def test_a_file_over_the_limit_is_refused_and_leaves_nothing(
    make_world: Callable[..., World],
) -> None:
    world = make_world(largest_file=2**21)

    async def body() -> AsyncIterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
        for _ in range(33):
            yield b"x" * 2**16
        yield b"\r\n--x--\r\n"

    async with world.http() as http:
        reply = await http.post("/files", content=body(), headers={"content-type": "multipart/form-data; boundary=x"})
        declared = await http.post("/files", content=b"", headers={"content-length": str(2**40)})
    assert (reply.status_code, declared.status_code) == (413, 413)
    assert not any(path.is_file() for path in Path(f"{world.settings.store}-files").rglob("*"))


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b"no form at all"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
        ),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nnameless\r\n--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\ncontent-disposition: form-data; name="\xff"\r\n\r\n1\r\n--x--\r\n',
        ),
    ],
)
async def test_a_broken_form_is_a_400(http: httpx2.AsyncClient, content_type: str, body: bytes) -> None:
    reply = await http.post("/files", content=body, headers={"content-type": content_type})
    assert reply.status_code == 400


async def test_a_missing_content_is_an_error_reply(world: World, sdk: openai.AsyncOpenAI) -> None:
    file_id = await upload(sdk, b"{}\n")
    (Path(f"{world.settings.store}-files") / file_id).unlink()
    with pytest.raises(openai.InternalServerError, match="store could not be used") as caught:
        await sdk.files.content(file_id)
    assert "/" not in caught.value.message, "no path of this machine"


async def test_a_content_that_goes_between_two_looks_is_a_404(make_world: Callable[..., World]) -> None:
    """As another service removes it: the row first, then the bytes."""
    left: list[float] = []
    world = make_world(now=lambda: left.pop() if left else START)
    async with world.sdk() as sdk:
        expiry = {"anchor": "created_at", "seconds": 3_600}
        file = await sdk.files.create(file=("a.jsonl", b"{}"), purpose="fine-tune", expires_after=expiry)  # type: ignore[arg-type]
        (Path(f"{world.settings.store}-files") / file.id).unlink()
        left[:] = [START + 4_000, START]
        with pytest.raises(openai.NotFoundError, match="No such File object"):
            await sdk.files.content(file.id)
    assert left == []
