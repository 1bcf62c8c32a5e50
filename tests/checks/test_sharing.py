"""Data that shall be shared: only a job's reply shows it, and nothing is believed before."""

from __future__ import annotations

import json

import httpx2

from rftplan.api.profiles import Capability, profile
from rftplan.checks.sharing import NOT_SHARED, SHARING_UNSHOWN
from tests.checking.test_online import Vendor, hosted, vendor  # noqa: F401 - a fixture
from tests.findings import with_job
from tests.world import Small

WANTED = with_job("    require_data_sharing: true\n")


class Saying(Vendor):
    """Its jobs say whether their data are shared."""

    shared: bool | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if not request.url.path.startswith("/v1/fine_tuning/jobs"):
            return response
        body = json.loads(await response.aread())
        for job in body.get("data", [body]):
            job["shared_with_openai"] = self.shared
        return httpx2.Response(response.status_code, json=body)


def codes(small: Small) -> list[str]:
    return [found.code for found in small.plan().diagnostics]


def test_a_launched_job_shows_it_and_before_that_nothing_is_claimed(small: Small, vendor: Vendor) -> None:  # noqa: F811
    saying = Saying(vendor.app)
    small.write("specs/main.yaml", WANTED)
    hosted(small, saying)
    assert codes(small) == [SHARING_UNSHOWN.code]
    small.apply()
    assert codes(small) == []
    saying.shared = False
    (found,) = small.plan().diagnostics
    assert (found.code, str(found.place)) == (NOT_SHARED.code, "specs/main.yaml:16:27")
    saying.shared = True
    assert codes(small) == []


def test_the_policy_asks_it_of_every_job(small: Small, vendor: Vendor) -> None:  # noqa: F811
    hosted(small, vendor)
    assert codes(small) == []
    small.write("specs/policy.yaml", "policy: {require_data_sharing: true}\n")
    assert codes(small) == [SHARING_UNSHOWN.code]


def test_where_nothing_is_shared_nothing_is_said(small: Small) -> None:
    assert not profile("local").can(Capability.DATA_SHARING)
    small.write("specs/main.yaml", WANTED)
    assert codes(small) == []
