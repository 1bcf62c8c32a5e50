"""Every command, program and spec in the documentation is run."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rftplan import project
from rftplan.checks import CODES
from rftplan.grader_tests import Verdict, run_tests
from rftplan.project import Options
from rftplan.wiring import World, trusted
from tests.docs.blocks import PAGES, Block, blocks, clone, environment, run

SERVED = "rftplan serve"
INSTALL = re.compile(r"^pip install (-e '\.\[dev\]'|\.) && ")


def commands() -> list[tuple[str, str]]:
    """Every shell command but `pytest` (this is it) and the server, which has a test of its own."""
    found = []
    for block in blocks("bash"):
        for line in block.text.splitlines():
            command = INSTALL.sub("", line.strip())
            if command and command != "pytest" and not command.startswith((SERVED, "python benchmarks")):
                found.append((block.page.name, command))
    return found


def test_the_two_commands_of_the_readme_are_there() -> None:
    lines = [line for block in blocks("bash") if block.page.name == "README.md" for line in block.text.splitlines()]
    assert lines[:2] == ["pip install . && rftplan apply --yes --wait", "pip install -e '.[dev]' && pytest"]


def test_the_readme_counts_the_findings() -> None:
    (readme,) = (page for page in PAGES if page.name == "README.md")
    assert f"[{len(CODES)} findings](docs/rules.md)" in readme.read_text()


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_every_command_of_a_page_runs_in_its_order(tmp_path: Path, page: str) -> None:
    clone(tmp_path)
    for found, command in commands():
        if found != page:
            continue
        done = run(command, tmp_path)
        if "--provider openai" in command:
            assert "--lock rftplan.openai.lock" in command, "the local example's lock belongs to another account"
            assert done.returncode == 1, command
            assert "error[M101]: Base model is shut down" in done.stderr
        else:
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def masked(text: str) -> str:
    """The text without what is another one each time: ids, how often we looked, and where lines break."""
    text = re.sub(r"(ft:o4-mini-2025-04-16:local::)[0-9a-zA-Z]{8}", r"\1#", text)
    text = re.sub(r"\b(file|ftjob)-[0-9A-Za-z]{20,}", r"\1-#", text)
    text = re.sub(r"\b\d+ requests", "# requests", text)
    return " ".join(text.split())


def test_the_transcript_of_the_readme_is_what_one_sees(tmp_path: Path) -> None:
    clone(tmp_path)
    (transcript,) = blocks("console")
    for part in re.split(r"^\$ ", transcript.text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        done = run(command, tmp_path)
        assert done.returncode == 0, done.stderr
        assert masked(done.stdout) == masked(shown), command


def test_every_python_program_runs(tmp_path: Path) -> None:
    clone(tmp_path)
    assert run("rftplan apply --yes --wait", tmp_path).returncode == 0
    for block in blocks("python"):
        if "8321" in block.text:
            continue
        done = subprocess.run(
            [sys.executable, "-c", block.text], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Until somebody listens; the server says nothing that a script could wait for."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("the server does not listen")


SHOWN = (
    ("[]\n", "I do not know. [{'prompt': 'simulate.item', 'kind': 'constant', 'share': 1.0}]\n"),
    (
        "queued\nrunning\nrunning\npaused\nThe service is pausing the fine-tuning job by itself; resume it to go on\n"
        "succeeded\n",
    ),
)
"""What the clients of each served service print."""


def served() -> list[tuple[str, list[str]]]:
    """Every command that serves, with the programs below it that speak to it."""
    found: list[tuple[str, list[str]]] = []
    for block in blocks("bash", "python"):
        found += [(line, []) for line in block.text.splitlines() if line.startswith(SERVED)]
        if block.language == "python" and "8321" in block.text:
            found[-1][1].append(block.text)
    return found


@pytest.mark.parametrize(
    ("command", "clients", "shown"), [(*one, said) for one, said in zip(served(), SHOWN, strict=True)]
)
def test_a_served_service_answers_the_clients_of_the_page(
    tmp_path: Path, command: str, clients: list[str], shown: tuple[str, ...]
) -> None:
    clone(tmp_path)
    port = str(free_port())
    server = subprocess.Popen(
        ["bash", "-c", f"exec {command.replace('8321', port)}"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(int(port))
        done = [
            subprocess.run(
                [sys.executable, "-c", client.replace("8321", port)],
                cwd=tmp_path,
                env=environment(tmp_path),
                capture_output=True,
                text=True,
            )
            for client in clients
        ]
        assert tuple(one.stdout for one in done) == shown, [one.stderr for one in done]
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=20)


def _recorded(row: str) -> str:
    """A sample of the row, as somebody may have recorded it."""
    fields = json.loads(row)
    item = {key: value for key, value in fields.items() if key != "messages"}
    return json.dumps({"sample": "{}", "item": item, "messages": fields["messages"]}) + "\n"


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_every_spec_is_accepted(tmp_path: Path, block: Block) -> None:
    clone(tmp_path)
    (tmp_path / "data").mkdir()
    rows = (tmp_path / "specs/data/test.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "specs/data/final.jsonl").write_text("".join(rows[:30]))
    (tmp_path / "specs/data/recorded.jsonl").write_text("".join(map(_recorded, rows)))
    (tmp_path / "specs/security.yaml").write_text(block.text)
    findings = project.check(Options(tmp_path))
    assert [f for f in findings if f.severity == "error"] == []
    world = World({}, now=time.time, sleep=asyncio.sleep, new_id=str, new_runner=trusted)
    ran = run_tests(Options(tmp_path), world=world)
    assert [one for one in ran.tests if one.verdict is Verdict.FAILED] == []
