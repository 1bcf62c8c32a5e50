"""`serve` says how to reach the service, logs without keys, and stops when told."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from rftplan.cli.boundary import main
from rftplan.cli.loopback import Message, Receive, Send, logged

KEY = "sk-local-of-this-test"


def test_a_client_reaches_it_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "rftplan", "-C", str(tmp_path), "serve", "--port", "0", "--key", KEY]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        greeting = [next(serving.stdout) for _ in range(9)]
        request = urllib.request.Request(
            greeting[0].split()[-1] + "/models", headers={"Authorization": f"Bearer {KEY}"}
        )
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["object"] == "list"
        serving.send_signal(signal.SIGINT)
        _, log = serving.communicate()
    assert serving.returncode == 0
    assert log.splitlines()[0].startswith("200 ")
    assert log.splitlines()[0].endswith("GET    /v1/models")
    assert log.splitlines()[-1] == "Stopped."
    assert KEY not in "".join(greeting) + log
    assert "SIMULATED" in greeting[2]
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
        (["--host", "192.0.2.1", "--key", KEY], 1, "cannot listen on 192.0.2.1"),
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


def test_a_path_cannot_forge_a_log_line_and_headers_are_not_logged() -> None:
    async def app(_scope: Message, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 404})

    async def receive() -> Message:
        return {}

    async def send(_message: Message) -> None:
        return None

    lines: list[str] = []
    scope = {"type": "http", "method": "GET", "path": "/x\n::error::\x1b[2J", "headers": [(b"authorization", b"k")]}
    asyncio.run(logged(app, lines.append, iter([1.0, 1.5]).__next__)(scope, receive, send))
    assert lines == ["cut    500 ms  GET    /x\\n::error::\\x1b[2J\n"]
