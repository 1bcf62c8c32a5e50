"""Projects with more jobs than may run at a time, and a service with fewer places still. Tests nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx2

from rftplan.changes import Change
from tests.world import Small

JOBS = "/v1/fine_tuning/jobs"


def spec(*names: str, most: int | None = 1, run: str = "running", deployed: Sequence[str] = ()) -> str:
    """Jobs of these names from the same files, each with another seed by its name."""
    policy = "" if most is None else f"policy: {{max_running_jobs: {most}}}\n"
    jobs = "".join(
        f"  {name}:\n    model: o4-mini-2025-04-16\n    seed: {sum(name.encode())}\n    run: {run}\n"
        "    training_file: train\n    validation_file: test\n    method:\n      type: reinforcement\n"
        "      reinforcement: {grader: match, hyperparameters: {n_epochs: 1}}\n"
        for name in names
    )
    promoted = "".join(f"  {name}: {{job: {name}, checkpoint: best}}\n" for name in deployed)
    return (
        f"{policy}project: {{name: demo, provider: local}}\n"
        "files:\n  train: {path: data/train.jsonl}\n  test: {path: data/test.jsonl}\n"
        'graders:\n  match: {type: string_check, input: "{{sample.output_text}}", operation: eq, '
        'reference: "{{item.answer}}"}\n'
        f"jobs:\n{jobs}" + (f"deployments:\n{promoted}" if promoted else "")
    )


def waiting(small: Small) -> list[str]:
    """Who waits by the lock, oldest first."""
    return [address.name for address in small.lock().waiting]


def launched(small: Small) -> list[str]:
    """The names of what was launched, oldest first, whatever became of it."""
    jobs = sorted(small.jobs(), key=lambda job: (job.created_at, job.id))
    return [job.metadata["rftplan_address"].rpartition(".")[2] for job in jobs]


def details(changes: dict[str, Change]) -> dict[str, str]:
    """What is said of those that wait for a place."""
    return {a: c.detail for a, c in changes.items() if c.reason == "waits-for-place"}


class Places:
    """Stands before the service, which refuses to launch or resume what would be more than `most` at a time."""

    def __init__(self, inner: Any, most: int) -> None:
        self.inner, self.most, self.refused = inner, most, 0

    async def handle_async_request(self, request: Any) -> Any:
        starts = request.method == "POST" and (request.url.path == JOBS or request.url.path.endswith("/resume"))
        if starts and await self._running(request) >= self.most:
            self.refused += 1
            message = f"You have reached the limit of {self.most} simultaneous runs"
            body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}
            return httpx2.Response(429, json=body)
        return await self.inner.handle_async_request(request)

    async def _running(self, request: Any) -> int:
        url = request.url.copy_with(path=JOBS, query=b"limit=100")
        headers = {"host": request.headers["host"], "authorization": request.headers["authorization"]}
        answer = await self.inner.handle_async_request(httpx2.Request("GET", url, headers=headers))
        await answer.aread()
        over = ("succeeded", "failed", "cancelled", "paused")
        return sum(job["status"] not in over for job in answer.json()["data"])

    async def __aenter__(self) -> Places:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def aclose(self) -> None:
        await self.inner.aclose()
