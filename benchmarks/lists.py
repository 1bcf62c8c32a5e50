"""Long lists of the local service, read once to warm up and then timed: in the process, over loopback, and bare.

`lists.py make STORE` puts 10,000 files, 1,000 jobs and one job with 100,000 events into a new store; `lists.py time
STORE` says for each list how many milliseconds a call of each way takes. Bare is what cannot be left out: SQLite reads
the rows that the reply is made of, `json.dumps` writes the reply.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

import httpx2

from rftplan.server.app import create_app
from rftplan.server.file_store import StoredFile, insert_file
from rftplan.server.job_store import JobStore
from rftplan.server.settings import IN_PROCESS_HOST, Settings, default_settings
from rftplan.server.store import Store
from rftplan.server.stored_job import NewJob
from rftplan.server.trainer import Step

FILES, JOBS, STEPS_OF_A_JOB, STEPS_OF_THE_LONG_ONE = 10_000, 1_000, 20, 50_000  # each step is two events
CALLS = 15
KEY = "sk-benchmark"
CREATED = 1_790_000_000  # long ago, so that every job has ended
ENDED = CREATED + 3_600
LONG = "ftjob-long"
HEADERS = {"authorization": f"Bearer {KEY}"}
_HYPERPARAMETERS = {"n_epochs": 2, "batch_size": 4, "eval_interval": 1, "eval_samples": 2, "reasoning_effort": "medium"}
_GRADER = {
    "type": "multi",
    "name": "answer",
    "graders": {
        "exact": {
            "type": "string_check",
            "name": "exact",
            "input": "{{sample.output_text}}",
            "reference": "{{item.answer}}",
            "operation": "eq",
        }
    },
    "calculate_output": "exact",
}
_REQUEST = {
    "model": "o4-mini-2025-04-16",
    "training_file": "file-0000000000000000000001",
    "validation_file": "file-0000000000000000000002",
    "method": {
        "type": "reinforcement",
        "reinforcement": {
            "hyperparameters": dict.fromkeys(_HYPERPARAMETERS, "auto"),
            "grader": _GRADER,
            "response_format": None,
        },
    },
    "integrations": [],
    "seed": 7,
    "user_provided_suffix": None,
}
# Of each list: the path of its largest page, and the rows that it is made of.
LISTS: Mapping[str, tuple[str, str]] = {
    "files": ("/v1/files?purpose=fine-tune", f"SELECT * FROM files ORDER BY place DESC, seq DESC LIMIT {FILES}"),
    "jobs": (
        f"/v1/fine_tuning/jobs?limit={JOBS}",
        f"SELECT * FROM jobs ORDER BY seq DESC LIMIT {JOBS}",
    ),
    "models": ("/v1/models", f"SELECT * FROM jobs ORDER BY seq LIMIT {JOBS}"),
    "events": (
        f"/v1/fine_tuning/jobs/{LONG}/events?limit=1000",
        "SELECT * FROM steps WHERE job_seq = 1 ORDER BY number DESC LIMIT 500",
    ),
}


def settings_of(store: Path) -> Settings:
    hosts = frozenset({IN_PROCESS_HOST, "127.0.0.1"})
    return default_settings(store, KEY, now=lambda: ENDED, hosts=hosts)


def make(path: Path) -> None:
    store = Store(path)
    with store.write() as db:
        for number in range(FILES):
            name = f"benchmark.prod.train-{number:032x}.jsonl"
            file = StoredFile(f"file-{number:022}", CREATED, 12_345, name, "fine-tune", None)
            insert_file(db, file, now=CREATED * 1_000_000)
    jobs = JobStore(store)
    jobs.add(_job(LONG, STEPS_OF_THE_LONG_ONE))
    for number in range(JOBS):
        jobs.add(_job(f"ftjob-{number:024}", STEPS_OF_A_JOB))
    store.close()


def _job(job_id: str, steps: int) -> NewJob:
    return NewJob(
        id=job_id,
        created_at=CREATED * 1_000_000,
        speed=1.0,
        request=_REQUEST,
        metadata={"rftplan_address": "benchmark/prod/job.one", "rftplan_token": job_id},
        fine_tuned_model=f"ft:o4-mini-2025-04-16:local::{job_id}",
        simulation={"trainer": "simulated", "judge": None},
        steps=[_step(number, steps) for number in range(1, steps + 1)],
        hyperparameters=_HYPERPARAMETERS,
        trained_tokens=123_456,
        notes=("No model is trained.",),
        failure=None,
    )


def _step(number: int, total: int) -> Step:
    metrics = {"step": number, "total_steps": total, "train_mean_reward": 0.5, "full_valid_mean_reward": 0.5}
    return Step(number, f"Step {number}/{total}", metrics, {"full_valid_mean_reward": number % 7 / 7})


async def in_process(store: Path) -> dict[str, float]:
    app = create_app(settings_of(store))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=f"http://{IN_PROCESS_HOST}", headers=HEADERS) as client:

        async def read(path: str) -> bytes:
            reply = await client.get(path)
            return reply.content

        return {name: await _timed(name, lambda path=path: read(path)) for name, (path, _) in LISTS.items()}


async def over_loopback(store: Path) -> dict[str, float]:
    with _served(store) as port:
        connection = HTTPConnection("127.0.0.1", port)

        async def read(path: str) -> bytes:
            connection.request("GET", path, headers=HEADERS)
            return connection.getresponse().read()

        taken = {name: await _timed(name, lambda path=path: read(path)) for name, (path, _) in LISTS.items()}
        connection.close()
        return taken


async def bare(store: Path) -> dict[str, float]:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=create_app(settings_of(store))),
        base_url=f"http://{IN_PROCESS_HOST}",
        headers=HEADERS,
    ) as client:
        replies = {name: (await client.get(path)).json() for name, (path, _) in LISTS.items()}
    db = sqlite3.connect(store)

    async def write(sql: str, reply: Any) -> bytes:
        db.execute(sql).fetchall()
        return json.dumps(reply, ensure_ascii=False, separators=(",", ":")).encode()

    taken = {
        name: await _timed(name, lambda sql=sql, reply=replies[name]: write(sql, reply))
        for name, (_, sql) in LISTS.items()
    }
    db.close()
    return taken


async def _timed(name: str, call: Callable[[], Awaitable[bytes]]) -> float:
    """The median, in milliseconds; the first call is not counted."""
    await call()
    taken = []
    for _ in range(CALLS):
        began = time.perf_counter()
        body = await call()
        taken.append(time.perf_counter() - began)
    if len(json.loads(body)["data"]) < {"files": FILES}.get(name, 1_000):
        raise SystemExit(f"the list of {name} is not as long as it should be")
    return median(taken) * 1_000


@contextmanager
def _served(store: Path) -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        command = [sys.executable, __file__, "serve", str(store), str(listening.fileno())]
        with subprocess.Popen(command, pass_fds=[listening.fileno()]) as server:
            try:
                yield listening.getsockname()[1]
            finally:
                server.terminate()


def serve(store: Path, descriptor: int) -> None:
    import uvicorn

    uvicorn.run(create_app(settings_of(store)), fd=descriptor, log_level="critical")


def main() -> None:
    what, store = sys.argv[1], Path(sys.argv[2])
    match what:
        case "make":
            make(store)
        case "serve":
            serve(store, int(sys.argv[3]))
        case "time":
            ways = {"in-process": in_process, "loopback": over_loopback, "bare": bare}
            print(json.dumps({name: asyncio.run(way(store)) for name, way in ways.items()}))


if __name__ == "__main__":
    main()
