"""Keys planted wherever one may come from, and a service that writes them back wherever it can: none is kept."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import uvicorn

from rftplan.cli.boundary import main
from rftplan.server.app import close_app, create_app
from rftplan.server.settings import default_settings
from tests.world import SPEC, Small

KEYS = {
    "api": "sk-planted/api+0123456789=abcdef",
    "admin": "sk-planted-admin-fedcba9876543210",
    "judge": "judge:planted/0a1b2c3d4e5f&x=y",
    "local": "local-bearer-planted-77665544332211",
    "file": "sk-planted-in-a-file-1029384756",
    "command": "sk-planted-by-a-command-5647382910",
}
OWN = "the-services-own-key-0123456789"


def seen_forms(key: str) -> set[bytes]:
    """Every way in which somebody who greps would look for it, half of it too: written independently of what takes
    it out."""
    raw = key.encode()
    found = {raw, quote(key, safe="").encode(), raw.hex().encode(), json.dumps(key)[1:-1].replace("/", "\\/").encode()}
    for before in ("", "x", "xy"):
        whole = base64.b64encode(before.encode() + raw + b"zz")
        found |= {whole[4:-4], whole[4:-4].replace(b"+", b"-").replace(b"/", b"_")}
    return found | {raw[: len(raw) // 2 + 2]}


@dataclass
class Echo:
    """Stands before a service as an ASGI app. Takes every key for the right one, and tells whoever asks which it
    was; `status` says what it answers instead of the service, None for the service's own answer."""

    app: Any
    status: int | None = None
    seen: set[str] = field(default_factory=set)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = next((v.decode() for k, v in scope["headers"] if k == b"authorization"), "")
        key = said.removeprefix("Bearer ")
        self.seen.add(key)
        told = f"{said} {quote(key, safe='')} {base64.b64encode(said.encode()).decode()} {key.encode().hex()}"
        if self.status is not None:
            envelope = {"message": f"Incorrect: {told}", "type": "x", "param": told, "code": told}
            await _answer(send, self.status, {"error": envelope}, told)
            return
        headers = [(k, v) for k, v in scope["headers"] if k != b"authorization"]
        scope = {**scope, "headers": [*headers, (b"authorization", f"Bearer {OWN}".encode())]}
        await self.app(scope, receive, _Telling(send, told))


class _Telling:
    """Writes into every JSON answer what a careless service might: into errors, messages and names."""

    def __init__(self, send: Any, told: str) -> None:
        self._send, self._told = send, told
        self._start: Any = None
        self._body = b""

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        with contextlib.suppress(ValueError):
            self._body = json.dumps(self._told_in(json.loads(self._body))).encode()
        kept = [(k, v) for k, v in self._start["headers"] if k != b"content-length"]
        length = (b"content-length", str(len(self._body)).encode())
        await self._send({**self._start, "headers": [*kept, length, (b"x-request-id", self._told.encode())]})
        await self._send({"type": "http.response.body", "body": self._body})

    def _told_in(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._told_in(item) for item in value]
        if not isinstance(value, dict):
            return value
        value = {key: self._told_in(item) for key, item in value.items()}
        if value.get("object") == "fine_tuning.job":
            value["error"] = {"message": f"fetched with {self._told}", "code": self._told, "param": None}
        if value.get("object") == "fine_tuning.job.event" and value.get("type") == "message":
            value["message"] = self._told
        return value


async def _answer(send: Any, status: int, body: Any, told: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"x-request-id", told.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


@contextlib.contextmanager
def listening(app: Any) -> Iterator[str]:
    """The base URL of the app on a port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        free.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        finally:
            server.should_exit = True
            thread.join()


@contextlib.contextmanager
def echoing(folder: Path) -> Iterator[tuple[Echo, str]]:
    app = create_app(default_settings(folder / "service.sqlite", OWN, speed=100_000.0))
    echo = Echo(app)
    with listening(echo) as url:
        yield echo, url
    close_app(app)


class Artefacts:
    """Everything that a run leaves behind: what it printed, and every file under the root."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]) -> None:
        self._root, self._capture = root, capture
        self._printed = b""
        self.codes: list[int] = []

    def run(self, *words: str) -> None:
        self.codes.append(main(["-C", str(self._root), *words]))
        printed = self._capture.readouterr()
        self._printed += f"$ {' '.join(words)}\n{printed.out}{printed.err}".encode()

    def leaks(self) -> list[str]:
        found = []
        files = {
            str(path.relative_to(self._root)): path.read_bytes() for path in self._root.rglob("*") if path.is_file()
        }
        assert any(name.startswith(".rftplan") for name in files) and "rftplan.lock" in files
        for name, key in KEYS.items():
            for form in seen_forms(key):
                found += [f"{name} key in {where}" for where, data in files.items() if form in data]
                if form in self._printed:
                    at = self._printed.index(form)
                    command = self._printed[:at].rpartition(b"$ ")[2].splitlines()[0]
                    found.append(f"{name} key printed by {command.decode()}")
        return sorted(set(found))


READING = (["status"], ["plan"], ["doctor"], ["output"], ["state", "list"], ["import", "--generate", "--all"])
OPENAI = SPEC.replace("provider: local", "provider: {type: PROVIDER, base_url: URL}").replace(
    "    checkpoint: best\n", "    checkpoint: best\n    projects: [proj_1]\n"
)


def environment(source: str, folder: Path, patch: pytest.MonkeyPatch) -> str:
    """Plant the keys for one source of the service's own; says which provider reads it."""
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "RFTPLAN_LOCAL_KEY", "RFTPLAN_KEY_FILE", "RFTPLAN_KEY_COMMAND"):
        patch.delenv(name, raising=False)
    patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    patch.setenv("RFTPLAN_JUDGE_KEY", KEYS["judge"])
    (folder / "key").write_text(KEYS["file"])
    (folder / "key").chmod(0o600)
    (folder / "command").write_text(f"#!/bin/sh\nprintf '%s' '{KEYS['command']}'\n")
    (folder / "command").chmod(0o700)
    named = {
        "api": ("OPENAI_API_KEY", KEYS["api"]),
        "local": ("RFTPLAN_LOCAL_KEY", KEYS["local"]),
        "file": ("RFTPLAN_KEY_FILE", str(folder / "key")),
        "command": ("RFTPLAN_KEY_COMMAND", str(folder / "command")),
    }
    patch.setenv(*named[source])
    if source == "api":
        patch.setenv("OPENAI_ADMIN_KEY", KEYS["admin"])
    return "openai" if source == "api" else "local"


@pytest.mark.parametrize("source", ["api", "local", "file", "command"])
def test_a_whole_life_leaves_no_key_anywhere(
    source: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    elsewhere, root = tmp_path_factory.mktemp("elsewhere"), tmp_path_factory.mktemp("root")
    provider = environment(source, elsewhere, monkeypatch)
    small = Small.at(root)
    with echoing(elsewhere) as (echo, url):
        spec = (
            OPENAI
            if provider == "openai"
            else SPEC.replace("provider: local", "provider: {type: PROVIDER, base_url: URL}")
        )
        small.write("specs/main.yaml", spec.replace("PROVIDER", provider).replace("URL", url))
        left = Artefacts(root, capsys)
        allow = ("--yes", "--allow", "spend,delete,replace-live,cancel-active")
        for words in (["check"], ["check", "--json"], ["plan", "--json"], ["plan", "--out", str(root / "plan.json")]):
            left.run(*words)
        left.run("apply", *allow, "--wait")
        for words in READING:
            left.run(*words)
            left.run(*words, "--json")
        left.run("pause", "job.review", "--json")
        small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
        for echo.status, looks in ((401, READING), (403, ()), (307, (["plan"],)), (500, (["plan"],))):
            for words in (*looks, ["apply", *allow], ["cancel", "--all", "--yes"]):
                left.run(*words, *(["--json"] if echo.status % 2 else []))
        echo.status = None
        left.run("apply", *allow, "--json")
        left.run("cancel", "--all", "--yes")
    assert echo.seen >= {KEYS[source]} | ({KEYS["admin"]} if source == "api" and 0 in left.codes else set())
    assert echo.seen <= set(KEYS.values())
    assert 70 not in left.codes, "no bug was met on the way"
    assert left.leaks() == []


def test_a_judge_that_writes_its_key_back_leaves_none_in_the_store(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    root = tmp_path_factory.mktemp("root")
    environment("local", tmp_path_factory.mktemp("elsewhere"), monkeypatch)
    monkeypatch.setenv("RFTPLAN_LOCAL_SPEED", "100000")
    asked: list[str] = []

    async def judge(scope: Any, receive: Any, send: Any) -> None:
        said = next((v.decode() for k, v in scope["headers"] if k == b"authorization"), "")
        asked.append(said)
        told = "x" * (500 - len(asked) % 120) + said + base64.b64encode(said.encode()).decode()
        status = (500, 401, 200)[len(asked) % 3]
        await _answer(send, status, {"choices": [{"message": {"refusal": told}}], "error": {"message": told}}, told)

    with listening(judge) as url:
        small = Small.at(root)
        text = SPEC.replace("provider: local", f"provider: {{type: local, judge: {{base_url: '{url}', model: m}}}}")
        grader = "type: score_model\n    model: gpt-4o-2024-08-06\n    input:\n"
        grader += "      - {role: user, content: '{{sample.output_text}}'}\n"
        begin, end = text.index("type: string_check"), text.index("jobs:")
        small.write("specs/main.yaml", text[:begin] + grader + text[end:])
        left = Artefacts(root, capsys)
        left.run("apply", "--yes", "--wait")
        for words in (["status"], ["status", "--json"], ["plan", "--json"], ["grade"], ["grade", "--json"], ["doctor"]):
            left.run(*words)
    assert asked and set(asked) == {f"Bearer {KEYS['judge']}"}
    assert left.leaks() == []


def test_keys_stay_out_of_what_is_said_of_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key from a file or a command is in no variable, and is taken out all the same."""
    from rftplan.api.credentials import find_judge_key
    from rftplan.cli.boundary import scrubbed

    find_judge_key("http://127.0.0.1/v1", {"RFTPLAN_JUDGE_KEY": KEYS["judge"]})
    text = f"{KEYS['judge']} {quote(KEYS['judge'], safe='')} {base64.b64encode(KEYS['judge'].encode()).decode()}"
    said = scrubbed(text, {}).encode()
    assert not [form for form in seen_forms(KEYS["judge"]) if form in said]
