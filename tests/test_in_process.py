"""The service in this process breaks its connections as one over TCP would, and is told so by the environment."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from rftplan.errors import UserError
from rftplan.in_process import FAULTS, faults_said, in_process
from rftplan.server.striking import CUT, Cut
from tests.world import Small


@pytest.mark.parametrize(
    ("how", "error"), [(Cut.RESET, httpx2.ReadError), (Cut.CLOSED, httpx2.RemoteProtocolError)], ids=str
)
@pytest.mark.parametrize("started", [False, True])
def test_a_cut_connection_is_what_a_client_over_tcp_would_meet(how: Cut, error: type[Exception], started: bool) -> None:
    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if started:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"ha", "more_body": True})
        await scope["extensions"][CUT](how)

    async def ask() -> None:
        async with httpx2.AsyncClient(transport=in_process(app)) as client:
            await client.get("http://local/v1/files")

    with pytest.raises(error):
        asyncio.run(ask())


def test_faults_of_the_environment_are_divided_by_semicolons() -> None:
    said = faults_said({FAULTS: " 429 times=2;lost-after on=POST /v1/files ; "})
    assert [str(fault) for fault in said] == ["429 times=2", "lost-after on=POST /v1/files"]
    assert faults_said({}) == []


def test_all_that_is_wrong_with_them_is_said_at_once(small: Small) -> None:
    small.environ[FAULTS] = "498; 429; latency seconds=soon"
    with pytest.raises(UserError) as caught:
        small.plan()
    assert [line.partition(":")[0] for line in caught.value.message.splitlines()] == [FAULTS, FAULTS]
    assert '"498" is no fault' in caught.value.message
    assert caught.value.hint
