"""What must not be forgotten: launches that nobody recorded, cancels beside broken graders, files without a launch."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from rftplan.address import Address
from rftplan.changes import Action, Reason
from rftplan.errors import UserError
from rftplan.events import Outcome
from tests.world import Small

SPEC_FILE = "specs/main.yaml"
JOB = Address("job", "review")


class DiedError(BaseException):
    """The end of the process, just after the service acted."""


class Dying(httpx2.AsyncBaseTransport):
    """Answers, but for the launch of a job: after that one nobody is there any more to hear it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response: httpx2.Response = await self._inner.handle_async_request(request)
        if request.method == "POST" and request.url.path.endswith("/fine_tuning/jobs"):
            raise DiedError
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.fixture
def died(small: Small) -> Small:
    """A launch reached the service, and rftplan died before it could write that down."""
    small.wrap = Dying
    with pytest.raises(BaseExceptionGroup):
        small.apply()
    small.wrap = lambda inner: inner
    assert len(small.jobs()) == 1
    assert JOB not in small.lock().resources
    return small


def test_destroy_cancels_a_launch_that_was_never_recorded(died: Small) -> None:
    results = died.results(destroy=True)
    assert (results["job.review"].verb, results["job.review"].outcome) == ("cancel", Outcome.DONE)
    assert [job.status for job in died.jobs()] == ["cancelled"]
    assert died.plan(destroy=True).acts is False
    assert died.changes()["job.review"].reason is Reason.AFTER_OUR_CANCEL


def test_a_launch_that_was_never_recorded_is_cancelled_when_its_job_left_the_spec(died: Small) -> None:
    text = (died.root / SPEC_FILE).read_text()
    died.write(SPEC_FILE, text[: text.index("jobs:")])
    assert died.verbs()["job.review"] == "delete cancel"
    died.apply()
    assert [job.status for job in died.jobs()] == ["cancelled"]
    assert "job.review" not in died.changes()


def test_a_cut_off_launch_that_never_happened_is_forgotten(died: Small) -> None:
    for job in died.jobs():
        died.service(lambda port, id=job.id: port.cancel_job(id))
    text = (died.root / SPEC_FILE).read_text()
    died.write(SPEC_FILE, text[: text.index("jobs:")])
    assert died.verbs()["job.review"] == "forget forget"
    died.apply()
    assert "job.review" not in died.changes()


def test_a_job_is_cancelled_although_its_new_grader_is_refused(small: Small) -> None:
    small.launch_until_step()
    small.edit(SPEC_FILE, "    model: o4-mini", "    run: cancelled\n    model: o4-mini")
    text = (small.root / SPEC_FILE).read_text()
    prompt = '[{role: user, content: "{{sample.output_text}}"}]'
    broken = f"  match:\n    type: score_model\n    model: ' '\n    input: {prompt}\n"
    small.write(SPEC_FILE, text[: text.index("  match:")] + broken + text[text.index("jobs:") :])
    results = small.results()
    assert results["grader.match"].outcome is Outcome.FAILED
    assert results["job.review"].outcome is Outcome.DONE
    assert [job.status for job in small.jobs()] == ["cancelled"]


def test_nothing_is_uploaded_for_a_launch_that_another_file_holds_up(small: Small) -> None:
    small.train()
    small.edit(SPEC_FILE, "n_epochs: 2", "n_epochs: 3")
    for file in small.files():
        small.service(lambda port, id=file.id: port.delete_file(id))
    (small.root / "specs/data/train.jsonl").unlink()
    changes = small.changes()
    assert changes["file.train"].reason is Reason.DATA_ABSENT
    assert changes["job.review"].reason is Reason.UPSTREAM_BLOCKED
    assert changes["file.test"].action is Action.NOOP


@pytest.mark.parametrize("run", ["paused", "cancelled"])
def test_replace_launches_nothing_that_shall_not_run_and_says_so(small: Small, run: str) -> None:
    small.train()
    small.edit(SPEC_FILE, "    model: o4-mini", f"    run: {run}\n    model: o4-mini")
    with pytest.raises(UserError, match=f"run: {run}") as refused:
        small.plan(replace=frozenset({JOB}))
    assert "run: running" in str(refused.value.hint)
