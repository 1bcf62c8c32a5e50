"""A key goes to the host that was checked and to no other, whatever that host and the environment say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rftplan.api.identity import ProviderSettings, identify
from rftplan.api.openai import OpenAIPort, connect
from rftplan.api.profiles import profile
from rftplan.cli.boundary import main
from rftplan.errors import ApiError
from rftplan.grading import HttpJudge, JudgeMessage, JudgeRequest
from tests.api.wire import ADMIN_KEY, KEY, LAUNCH, Service, ask
from tests.world import SPEC, Small

REDIRECTS = (301, 302, 303, 307, 308)


def moved(status: int) -> httpx2.Response:
    return httpx2.Response(status, headers={"location": "https://evil.example/v1/steal"})


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_takes_the_key_nowhere(status: int) -> None:
    service = Service(moved(status))
    port = service.port(admin_key=ADMIN_KEY, read_retries=2)

    async def everything(port: OpenAIPort) -> None:
        calls = (
            port.list_jobs(),
            port.get_job("ftjob-1"),
            port.create_job(LAUNCH),
            port.cancel_job("ftjob-1"),
            port.read_file("file-1", lambda _: None),
            port.list_permissions("ft:x"),
            port.grant_permission("ft:x", "proj_1"),
        )
        for call in calls:
            with pytest.raises(ApiError):
                await call

    ask(port, everything)
    assert {request.url.host for request in service.requests} == {"api.openai.com"}


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_takes_the_judges_key_nowhere(status: int) -> None:
    hosts: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        hosts.append(request.url.host)
        return moved(status)

    judge = HttpJudge("http://127.0.0.1:9/v1", "m", KEY, transport=httpx2.MockTransport(answer))
    judge.score(JudgeRequest("m", (JudgeMessage("user", "x"),), (0.0, 1.0), "x", ()))
    judge.close()
    assert hosts == ["127.0.0.1"]


class _Listener(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.got.append((self.path, self.headers.get("Authorization")))  # type: ignore[attr-defined]
        body = json.dumps({"object": "list", "data": [], "has_more": False}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_CONNECT = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def listening() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Listener) as server:
        got: list[tuple[str, str | None]] = []
        server.got = got  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def test_a_proxy_of_the_environment_never_gets_a_key_that_stays_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with listening() as (proxy, stolen), listening() as (service, got):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
            monkeypatch.setenv(name.lower(), proxy)
        identity = identify(ProviderSettings("local", base_url=f"{service}/v1"), profile("local"))
        ask(connect(identity, profile("local"), KEY), lambda port: port.list_jobs())
    assert got and all(sent == f"Bearer {KEY}" for _, sent in got)
    assert stolen == []


@pytest.mark.parametrize("path", ["specs/main.yaml", "specs/zz-added-by-a-pull-request.yaml"])
@pytest.mark.parametrize(
    "words",
    [
        ["plan"],
        ["apply", "--yes"],
        ["status"],
        ["doctor"],
        ["cancel", "--all", "--yes"],
        ["import", "--generate", "--all"],
    ],
)
def test_a_pull_request_that_sets_base_url_gets_no_key(
    small: Small, words: list[str], path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    """No more than the host's name is looked at: nothing is sent, and a key command is not even run."""
    ran = tmp_path / "ran"
    monkeypatch.setenv("RFTPLAN_KEY_COMMAND", f"/bin/sh -c 'touch {ran}; echo {KEY}'")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    project = "project: {name: demo, provider: {type: openai, base_url: 'https://api.openai.com.evil.example/v1'}}\n"
    text = SPEC.replace("project: {name: demo, provider: local}\n", "").replace(
        "o4-mini-2025-04-16", "gpt-4.1-2025-04-14"
    )
    small.write("specs/main.yaml", text if path != "specs/main.yaml" else project + text)
    if path != "specs/main.yaml":
        small.write(path, project)
    assert main(["-C", str(small.root), *words]) == 1
    printed = capsys.readouterr()
    assert KEY not in printed.out + printed.err
    assert not ran.exists()
