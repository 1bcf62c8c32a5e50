"""Whose a job is, who ended it, and what is still open: what decides about a second paid run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from rftplan.address import Address
from rftplan.changes import Action, Reason
from rftplan.events import Outcome
from tests.faults import Fault, once
from tests.scenarios.test_bad_luck import JOBS, PAID, PaidService
from tests.world import Clock, Small

S = "specs/main.yaml"
JOB = Address("job", "review")


@pytest.fixture
def small(tmp_path) -> Small:
    return Small.at(tmp_path)


def test_a_job_that_failed_before_our_cancel_reached_it_is_not_taken_for_ended_by_us(small):
    small.apply()
    jid = small.jobs()[0].id
    small.edit(S, "    model: o4-mini", "    run: cancelled\n    model: o4-mini")
    small.wrap = lambda inner: FailedMeanwhile(inner, jid)
    small.apply()
    assert small.lock().tombstones == {}
    small.edit(S, "    run: cancelled\n", "")
    change = small.changes()["job.review"]
    assert (change.action, change.reason) == (Action.HOLD, Reason.JOB_FAILED)


@dataclass
class FailedMeanwhile:
    """A service where one job fails by itself before it can be cancelled."""

    inner: Any
    job_id: str

    async def handle_async_request(self, request):
        if request.method == "POST" and request.url.path.endswith("/cancel"):
            refused = {"message": "the job has failed", "type": "invalid_request_error", "param": None, "code": None}
            return httpx2.Response(400, json={"error": refused})
        response = await self.inner.handle_async_request(request)
        if request.method == "GET" and request.url.path.startswith(JOBS):
            body = json.loads(await response.aread())
            for job in body.get("data", [body]):
                if job["id"] == self.job_id:
                    job |= {"status": "failed", "error": {"code": "grader_bad", "message": "no grader", "param": None}}
            return httpx2.Response(response.status_code, json=body)
        return response

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None

    async def aclose(self):
        await self.inner.aclose()


def test_a_replacement_that_was_never_launched_leaves_nothing_open(tmp_path):
    clock = Clock()
    service = PaidService(tmp_path / "remote", clock)
    small = Small.at(tmp_path / "p", PAID, clock=clock, environ={"OPENAI_API_KEY": "sk-test"}, wrap=service.transport)
    small.train()
    service.plan = once("POST", JOBS, Fault.LOST_BEFORE)
    assert small.results(replace=frozenset({JOB}))["job.review"].outcome is Outcome.DEFERRED
    service.plan = lambda *_: None
    assert small.changes()["job.review"].reason is Reason.FATE_UNKNOWN
    clock.time += 1000
    small.apply()
    journal = "".join(path.read_text() for path in (small.root / ".rftplan").rglob("journal*.jsonl"))
    service.close()
    assert '"intent"' not in journal
