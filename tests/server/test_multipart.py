"""Forms from clients: read as they arrive in any pieces, refused in the vendor's envelope, never a bug."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from rftplan.server.errors import ApiError
from rftplan.server.multipart import LARGEST_FIELD, MOST_PARTS, Form, read_form

KIND = "multipart/form-data; boundary=cut"
BYTES = st.binary(max_size=40).filter(lambda data: b"--cut" not in data)


def read(target: Path, pieces: Sequence[bytes], *, kind: str = KIND, largest: int = 1_000_000) -> Form:
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": p, "more_body": True} for p in pieces]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}
    return asyncio.run(read_form(Request(scope, receive), target, file_field="file", largest=largest))


def part(name: str, content: bytes, *, filename: str | None = None, headers: str = "") -> bytes:
    file = f'; filename="{filename}"' if filename is not None else ""
    return f'--cut\r\nContent-Disposition: form-data; name="{name}"{file}\r\n{headers}\r\n'.encode() + content + b"\r\n"


def cut(body: bytes, places: Sequence[int]) -> list[bytes]:
    ends = sorted({place % (len(body) + 1) for place in places} | {len(body)})
    return [body[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(BYTES, st.lists(st.integers(0), max_size=6))
def test_a_form_is_the_same_in_whatever_pieces_it_arrives(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, places: list[int]
) -> None:
    target = tmp_path_factory.mktemp("form") / "file"
    body = part("purpose", b"fine-tune") + part("file", content, filename="../../etc/passwd") + b"--cut--\r\n"
    form = read(target, cut(body, places))
    assert form == Form({"purpose": "fine-tune"}, "../../etc/passwd", len(content))
    assert target.read_bytes() == content
    assert [path.name for path in target.parent.iterdir()] == ["file"], "a client's name is no path"


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([KIND, "text/plain", "multipart/form-data", ""]))
def test_any_bytes_are_a_form_or_an_error_of_the_service(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], kind: str
) -> None:
    target = tmp_path_factory.mktemp("form") / "file"
    try:
        read(target, [b"--cut\r\n", *pieces], kind=kind)
    except ApiError as error:
        assert error.message


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (part("file", b"x", filename="a") + part("file", b"y", filename="b"), "'file' is given twice"),
        (part("file", b"x") + part("file", b"y"), "'file' is given twice"),
        (part("a", b"1") + part("a", b"2"), "'a' is given twice"),
        (part("a", b"\xff"), "not UTF-8"),
        (part("a", b"x" * (LARGEST_FIELD + 1)), "'a' is too long"),
        (part("a", b"", headers=f"X: {'y' * 3_000}\r\n" * 6), "headers that are too long"),
        (b"".join(part(f"f{n}", b"") for n in range(MOST_PARTS + 1)), f"more than {MOST_PARTS} parts"),
        (b"--cut\r\nX: y\r\n\r\n\r\n", "has no name"),
    ],
)
def test_each_wrong_part_has_its_words(tmp_path: Path, body: bytes, says: str) -> None:
    with pytest.raises(ApiError, match=says):
        read(tmp_path / "file", [body + b"--cut--\r\n"])


def test_a_content_may_come_as_a_plain_field(tmp_path: Path) -> None:
    assert read(tmp_path / "file", [part("file", b"x" * (LARGEST_FIELD + 1)) + b"--cut--\r\n"]) == Form(
        {}, None, LARGEST_FIELD + 1
    )


def test_a_file_is_cut_off_at_the_limit_and_a_form_without_an_end_is_none(tmp_path: Path) -> None:
    body = part("file", b"12345", filename="a") + b"--cut--\r\n"
    assert read(tmp_path / "file", [body], largest=5).size == 5
    with pytest.raises(ApiError):
        read(tmp_path / "file", [body], largest=4)
    with pytest.raises(ApiError, match="ends before its last boundary"):
        read(tmp_path / "file", [body[:-10]])
