"""The clients that others have, each through the life of a job: curl, and the official Node SDK.

The large file of the life has a few megabytes; with RFTPLAN_LIFE_MB=200, as .ci/run has it, it is one that has to go in
parts. The Node SDK is looked for in the folder that RFTPLAN_NODE_MODULES names, and then as Node itself looks for it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_life import LOCAL_KEY, served

HERE = Path(__file__).parent
SIZE, ENOUGH = "RFTPLAN_LIFE_MB", 200
MODULES = "RFTPLAN_NODE_MODULES"
STEPS = [
    "small files are uploaded",
    "a large file is uploaded in parts, side by side",
    "a job is created",
    "jobs are listed by metadata",
    "events are followed, page by page",
    "the job is paused",
    "the job is resumed, and succeeds",
    "checkpoints are listed",
    "a permission is granted and revoked",
    "the model answers",
    "another job is cancelled",
    "model and files are deleted",
]


def ticking(now: list[float], seconds: float) -> Callable[[Any], Any]:
    """Lets time pass with every request: so nobody waits, and a slow client has as much of the job's life as a quick
    one."""

    def around(app: Any) -> Any:
        async def ticked(
            scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
        ) -> None:
            if scope["type"] == "http":
                now[0] += seconds
            await app(scope, receive, send)

        return ticked

    return around


def large_file(path: Path, megabytes: int) -> Path:
    line = b'{"messages": [{"role": "user", "content": "' + b"x" * 960 + b'"}], "answer": "yes"}\n'
    with path.open("wb") as file:
        for _ in range(megabytes * 2**20 // len(line)):
            file.write(line)
    return path


@contextmanager
def removed(path: Path) -> Iterator[None]:
    """Gone with the block: the folders of tests stay for a while."""
    try:
        yield
    finally:
        path.unlink()


def lived(tmp_path: Path, *command: str) -> list[str]:
    """The steps that a client took at a service of its own, in order, each as it was told."""
    megabytes, now = int(os.environ.get(SIZE, "3")), [1_790_000_000.0]
    large = large_file(tmp_path / "large.jsonl", megabytes)
    with removed(large), served(tmp_path, now, ticking(now, 0.1)) as url:
        done = subprocess.run(
            [*command, str(large)],
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")},
                "OPENAI_BASE_URL": url,
                "OPENAI_API_KEY": LOCAL_KEY,
                "LOOK_EVERY": "0",
                "PART_MB": "64" if megabytes >= ENOUGH else "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_a_job_lives_its_life_with_curl(tmp_path: Path) -> None:
    assert lived(tmp_path, "bash", str(HERE / "life.sh")) == [f"ok - {step}" for step in STEPS]


def test_a_job_lives_its_life_with_the_node_sdk(tmp_path: Path) -> None:
    if not shutil.which("node"):
        pytest.skip("there is no node")
    if MODULES not in os.environ and not has_sdk():
        pytest.skip(f"there is no Node SDK: npm install openai@7, and name its node_modules in {MODULES}")
    assert lived(tmp_path, "node", str(HERE / "life.mjs")) == [f"ok - {step}" for step in STEPS]


def has_sdk() -> bool:
    found = subprocess.run(
        ["node", "--input-type=module", "-e", "await import('openai')"], cwd=HERE, capture_output=True, check=False
    )
    return found.returncode == 0


def test_the_two_lives_have_the_same_steps() -> None:
    shell, node = (HERE / "life.sh").read_text(), (HERE / "life.mjs").read_text()
    assert re.findall(r'^step="(.+, .+|.+ .+)"$', shell, re.MULTILINE) == STEPS
    assert re.findall(r'^  "(.+)": async', node, re.MULTILINE) == STEPS
