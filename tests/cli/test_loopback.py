"""What only a socket shows: connections that end in the middle, the log of it, and how serving stops."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx2
import pytest

KEY = "sk-local-planted-0123456789"


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    http: httpx2.Client

    def stop(self, number: int) -> str:
        """The log, once it has ended by itself."""
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=20)
        assert self.process.returncode == 0
        return log


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[Served]:
    command = [sys.executable, "-m", "rftplan", "-C", str(folder), "serve", "--port", "0", "--key", KEY, *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        url = _url(process.stdout)
        with httpx2.Client(base_url=url, headers={"authorization": f"Bearer {KEY}"}, timeout=20) as http:
            try:
                yield Served(process, http)
            finally:
                process.kill()


def _url(greeting: IO[str] | None) -> str:
    assert greeting is not None
    url = next(greeting).split()[-1]
    assert any(line.startswith("Stop with") for line in greeting)
    return url


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("lost-before", httpx2.ReadError),
        ("lost-after", httpx2.RemoteProtocolError),
        ("half-reply", httpx2.RemoteProtocolError),
    ],
)
def test_a_connection_ends_where_the_fault_says_and_the_log_names_it(
    tmp_path: Path, fault: str, error: type[Exception]
) -> None:
    with serving(tmp_path, "--fault", f"{fault} on=GET /v1/files") as served:
        with pytest.raises(error):
            served.http.get("/files")
        assert served.http.get("/files").status_code == 200
        lines = served.stop(signal.SIGINT).splitlines()
    assert lines[0].split()[1:4] == ["GET", "/v1/files", "cut"]
    assert lines[0].endswith(f"[fault: {fault} on=GET /v1/files]")
    assert lines[1].split()[1:4] == ["GET", "/v1/files", "200"]
    assert lines[-1] == "Stopped."


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_in_good_time_with_an_answer_still_on_its_way(tmp_path: Path, number: int) -> None:
    with serving(tmp_path, "--fault", "slow-body seconds=600") as served:
        began = threading.Event()

        def read() -> None:
            with pytest.raises(httpx2.TransportError), served.http.stream("GET", "/models") as reply:
                for _ in reply.iter_bytes():
                    began.set()

        reader = threading.Thread(target=read)
        reader.start()
        assert began.wait(20)
        log = served.stop(number)
        reader.join(20)
    assert log.endswith("Stopped.\n")
    assert "Traceback" not in log


def test_the_key_is_in_no_log_and_no_store(tmp_path: Path) -> None:
    with serving(tmp_path, "--fault", "500-before on=GET /v1/files") as served:
        assert served.http.get("/files").status_code == 500
        reply = served.http.post("/files", data={"purpose": "fine-tune"}, files={"file": ("a.jsonl", b"{}\n")})
        assert reply.status_code == 200
        assert served.http.post("/local/faults", json={"fault": KEY}).status_code == 400
        log = served.stop(signal.SIGTERM)
    assert KEY not in log
    stored = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert stored
    assert not any(KEY.encode() in content for content in stored)
