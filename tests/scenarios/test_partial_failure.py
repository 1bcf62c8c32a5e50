"""Some of it fails: the rest goes on, what depends on it is not tried, and the summary says all of that."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rftplan.errors import LockError
from rftplan.events import Outcome
from rftplan.project import Applied
from rftplan.render.apply_text import apply_text
from rftplan.render.documents import apply_document
from rftplan.render.look import Look
from tests.world import SPEC, Small, rows

BRANCHES = ("well", "upload", "grader", "launch")


def branches() -> str:
    """Four jobs, each with a file, a grader and a deployment of its own."""
    head, _, _ = SPEC.partition("files:")
    files = "".join(f"  {name}: {{path: data/{name}.jsonl}}\n" for name in BRANCHES)
    graders = "".join(
        f"  {name}: {{type: string_check, input: '{{{{sample.output_text}}}}', operation: eq, "
        f"reference: '{{{{item.answer}}}}', name: {name}}}\n"
        for name in BRANCHES
    )
    jobs = "".join(
        f"  {name}:\n    model: o4-mini-2025-04-16\n    seed: {at}\n"
        f"    training_file: {name}\n    validation_file: test\n"
        f"    method: {{type: reinforcement, reinforcement: {{grader: {name}}}}}\n"
        for at, name in enumerate(BRANCHES)
    )
    deployments = "".join(
        f"  {name}: {{job: {name}, gates: [{{metric: valid_reward_mean, at_least: 0.0}}]}}\n" for name in BRANCHES
    )
    return (
        f"{head}files:\n  test: {{path: data/test.jsonl}}\n{files}graders:\n{graders}jobs:\n{jobs}"
        f"deployments:\n{deployments}"
    )


class Refusing:
    """Refuses the file of one branch, the grader of another, the launch of a third."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def handle_async_request(self, request: Any) -> Any:
        await request.aread()
        path, body = request.url.path, request.content
        refused = request.method == "POST" and (
            (path == "/v1/files" and b".upload-" in body)
            or (path.endswith("/graders/validate") and b'"grader"' in body and b'"name":"grader"' in body)
            or (path == "/v1/fine_tuning/jobs" and b"/job.launch" in body)
        )
        if not refused:
            return await self.inner.handle_async_request(request)
        error = {"message": "not this one", "type": "invalid_request_error", "param": None, "code": None}
        return httpx2.Response(400, json={"error": error})

    async def __aenter__(self) -> Refusing:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def aclose(self) -> None:
        await self.inner.aclose()


@pytest.fixture
def four(tmp_path: Path) -> Small:
    small = Small.at(tmp_path, branches())
    for at, name in enumerate(BRANCHES):
        small.write(f"specs/data/{name}.jsonl", rows(start=20 * at + 1000))
    return small


def told(applied: Applied) -> str:
    document = apply_document(applied.plan, applied.results, requests=applied.requests, interrupted=False, outputs={})
    return apply_text(document, Look())


def test_branches_that_do_not_depend_on_a_failure_go_on(four: Small) -> None:
    four.wrap = Refusing
    applied = four.apply(wait=True)
    assert applied is not None
    found = {str(result.address): result.outcome for result in applied.results}
    failed = {"file.upload", "grader.grader", "job.launch"}
    assert {address for address, outcome in found.items() if outcome is Outcome.FAILED} == failed
    skipped = {address for address, outcome in found.items() if outcome is Outcome.SKIPPED}
    assert {"job.upload", "job.grader"} <= skipped
    assert {found[address] for address in ("file.well", "grader.well", "job.well", "deployment.well")} == {Outcome.DONE}
    assert {found[f"deployment.{name}"] for name in ("upload", "grader", "launch")} == {Outcome.SKIPPED}
    text = told(applied)
    for said in ("3 failed", "not tried", "file.upload is not done", "not this one", "rftplan apply"):
        assert said in text
    four.wrap = lambda inner: inner
    four.train()
    assert len(four.jobs()) == len(BRANCHES)
    assert four.verbs() == {}


@pytest.mark.parametrize("number", range(1, 12))
def test_a_full_disk_at_any_record_leaves_the_old_lock_whole_and_loses_nothing(
    small: Small, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The operating system's own error, at the n-th sync of a file: of a record, of the journal, or of the lock."""
    small.results(parallelism=1)
    lock = small.root / "rftplan.lock"
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    small.write("specs/data/train.jsonl", rows(start=500))
    before, syncs, real = lock.read_bytes(), [0], os.fsync

    def full(descriptor: int) -> None:
        syncs[0] += 1
        if syncs[0] >= number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    try:
        applied = small.apply(parallelism=1)
    except LockError as error:
        assert "No space left" in str(error)
        assert error.hint
    else:
        assert applied is None or applied.unsaved is None or "No space left" in str(applied.unsaved)
    monkeypatch.setattr(os, "fsync", real)
    assert small.lock().lineage  # whole, whichever it is
    assert number > 1 or lock.read_bytes() == before
    small.train()  # what was replaced is cancelled, where that was not reached, and what replaces it is followed
    active = [job for job in small.jobs() if not job.status.ended]
    assert active == []
    assert len(small.jobs()) == 2
    assert small.verbs() == {}
