"""`serve` says how to reach the service, logs without keys, and stops when told."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import urllib.request
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.cli.boundary import main
from rftplan.cli.loopback import AsgiApp, Message, Receive, Send, logged
from rftplan.server.errors import REFUSED, ApiError
from rftplan.server.faults import read_fault
from rftplan.server.striking import STRUCK

KEY = "sk-local-of-this-test"


def test_a_client_reaches_it_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "rftplan", "-C", str(tmp_path), "serve", "--port", "0", "--key", KEY]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        greeting = [next(serving.stdout) for _ in range(11)]
        request = urllib.request.Request(
            greeting[0].split()[-1] + "/models", headers={"Authorization": f"Bearer {KEY}"}
        )
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["object"] == "list"
        serving.send_signal(signal.SIGINT)
        _, log = serving.communicate()
    assert serving.returncode == 0
    assert re.fullmatch(r"\d\d:\d\d:\d\d  GET /v1/models  200  \d+ ms", log.splitlines()[0])
    assert log.splitlines()[-1] == "Stopped."
    assert KEY not in "".join(greeting) + log
    assert "SIMULATED" in greeting[2]
    assert "".join(greeting[6:]).isascii(), "what is pasted from it goes into a header"
    url = greeting[0].split()[-1]
    assert greeting[7:10] == [
        f"  export OPENAI_BASE_URL={url} OPENAI_API_KEY='the key you gave'\n",
        "and rftplan, with the key in RFTPLAN_LOCAL_KEY, with\n",
        f'  provider: {{type: local, base_url: "{url}"}}\n',
    ]
    assert (tmp_path / ".rftplan" / "local" / "service.sqlite").is_file()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--host", "0.0.0.0", "--key", KEY], 64, "every address of this machine"),
        (["--host", "192.0.2.1"], 64, "needs a key of your own"),
        (["--key", ""], 64, "--key is empty"),
        (["--speed", "0"], 64, "--speed must be above zero"),
        (["--speed", "nan"], 64, "--speed must be above zero"),
        (["--judge-model", "x"], 64, "--judge-model needs --judge-url"),
        (["--judge-url", "http://judge.example/v1", "--port", "0"], 1, "a key may not be sent to"),
        (["--host", "192.0.2.1", "--key", KEY], 1, "cannot listen on 192.0.2.1: this machine does not have that"),
        (["--host", "no such", "--key", KEY], 1, "cannot listen on no such: there is no such name"),
    ],
)
def test_what_it_refuses(
    words: list[str], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-C", str(tmp_path), "serve", *words]) == code
    assert says in capsys.readouterr().err


def test_the_table_of_what_is_proven_is_printed_and_nothing_is_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-C", str(tmp_path), "serve", "--fidelity"]) == 0
    assert capsys.readouterr().out.startswith("# What the local service does as the vendor's does\n")
    assert list(tmp_path.iterdir()) == []


def log_of(app: AsgiApp, **scope: object) -> str:
    """What is logged of one request, answered at 14:03:07 after half a second."""

    async def receive() -> Message:
        return {}

    async def send(_message: Message) -> None:
        return None

    lines: list[str] = []
    noon = datetime(2026, 11, 23, 14, 3, 7)
    at = logged(app, lines.append, iter([1.0, 1.5]).__next__, clock=lambda: noon)
    asyncio.run(at({"type": "http", "method": "GET", "path": "/v1/files", "state": {}, **scope}, receive, send))
    return "".join(lines)


async def answering(_scope: Message, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body"})


async def breaking_off(_scope: Message, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404})


def test_a_path_cannot_forge_a_log_line_and_headers_are_not_logged() -> None:
    line = log_of(breaking_off, path="/x\n::error::\x1b[2J", headers=[(b"authorization", b"k")])
    assert line == "14:03:07  GET /x\\n::error::\\x1b[2J  cut  500 ms\n"


def test_a_log_line_has_the_query_that_a_list_takes_and_nothing_that_could_be_a_key() -> None:
    query = b"limit=2&after=file-1&api_key=sk-secret&sk-secret&metadata%5Bteam%5D=sk-secret"
    line = "14:03:07  GET /v1/files?limit=2&after=file-1&…&…&metadata[team]=…  200  500 ms\n"
    assert log_of(answering, query_string=query) == line


@given(st.text(max_size=300), st.text(max_size=300), st.text(min_size=1, max_size=20))
def test_no_log_line_is_wider_than_a_terminal(path: str, said: str, method: str) -> None:
    state = {REFUSED: ApiError(said), STRUCK: [read_fault("429 on=POST /v1/files")]}
    lines = log_of(answering, path=f"/v1/{path}", method=method, state=state).split("\n")
    assert lines.pop() == ""
    assert 1 <= len(lines) <= 2
    assert max(map(len, lines)) <= 80


def test_what_went_wrong_has_a_line_of_its_own_where_it_would_not_fit() -> None:
    short = {REFUSED: ApiError("m", code="slow_down"), STRUCK: []}
    assert log_of(answering, state=short) == "14:03:07  GET /v1/files  200  500 ms  slow_down\n"
    struck = [read_fault("429 on=POST /v1/fine_tuning/jobs")]
    assert log_of(answering, state={**short, STRUCK: struck}) == (
        "14:03:07  GET /v1/files  200  500 ms\n          slow_down  [fault: 429 on=POST /v1/fine_tuning/jobs]\n"
    )
