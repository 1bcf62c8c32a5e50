"""A file's bytes as they come: whole, refused, or broken off."""

from __future__ import annotations

import httpx2
import pytest

from rftplan.errors import ApiError, NotFoundError, RejectedError
from tests.api.wire import KEY, Service, ask, reply


def got(service: Service, file_id: str = "file-1") -> bytes:
    blocks: list[bytes] = []
    ask(service.port(), lambda port: port.read_file(file_id, blocks.append))
    return b"".join(blocks)


def test_the_bytes_are_those_of_the_file() -> None:
    data = bytes(range(256)) * 1_000
    service = Service(httpx2.Response(200, content=data))
    assert got(service) == data
    assert [str(r.url.path) for r in service.requests] == ["/v1/files/file-1/content"]


@pytest.mark.parametrize(("status", "error"), [(400, RejectedError), (403, RejectedError), (404, NotFoundError)])
def test_a_service_that_gives_no_file_back_says_so_without_the_key(status: int, error: type[ApiError]) -> None:
    said = {"error": {"message": f"not for {KEY}", "type": "invalid_request_error", "param": None, "code": None}}
    with pytest.raises(error) as caught:
        got(Service(reply(said, status)))
    assert "could not download file-1: not for [key]" in str(caught.value)


def test_what_broke_off_is_no_file() -> None:
    with pytest.raises(ApiError) as caught:
        got(Service(httpx2.ReadError("connection reset")))
    assert not isinstance(caught.value, RejectedError)
    with pytest.raises(RejectedError, match="cannot be an id"):
        got(Service(reply({})), "..")
