"""How many requests a plan and an apply take: what a list can say is asked of nobody else, however much there is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import Upload
from rftplan.changes import Action, Plan
from rftplan.kinds.base import Resource
from rftplan.kinds.file import PURPOSE
from rftplan.kinds.file.looking import CLOCKS_APART, MOST
from rftplan.kinds.file.spec import entry_of
from rftplan.loading import load
from rftplan.lockfile import Entry, Origin, write_lock
from tests.scenarios.promised import House
from tests.world import Small, rows

HEAD = "project: {{name: demo, provider: {provider}}}\n"
SERVED = "{type: local, base_url: 'http://127.0.0.1:9/v1'}"
GRADER = """\
  g{n:03}:
    {{type: string_check, input: "{{{{sample.output_text}}}}", operation: eq, reference: "{n} {{{{item.answer}}}}"}}
"""
JOB = """\
  j{n:03}:
    model: o4-mini-2025-04-16
    training_file: f{train:03}
    validation_file: f{test:03}
    seed: {n}
    method: {{type: reinforcement, reinforcement: {{grader: g{n:03}, hyperparameters: {{n_epochs: 1}}}}}}
"""
DEPLOYMENT = "  d{n:02}: {{job: j{n:03}, checkpoint: best, gates: [{{metric: valid_reward_mean, at_least: 0}}]}}\n"


def write(small: Small, *, files: int, graders: int, jobs: int, deployments: int = 0, provider: str = "local") -> None:
    """A project of that size: each job with a grader and two files of its own."""
    for n in range(files):
        small.write(f"specs/data/f{n:03}.jsonl", rows(10, start=20 * n))
    lines = [HEAD.format(provider=provider), "files:\n"]
    lines += [f"  f{n:03}: {{path: data/f{n:03}.jsonl}}\n" for n in range(files)]
    lines += ["graders:\n", *(GRADER.format(n=n) for n in range(graders))]
    lines += ["jobs:\n", *(JOB.format(n=n, train=2 * n, test=2 * n + 1) for n in range(jobs))]
    lines += ["deployments:\n", *(DEPLOYMENT.format(n=n) for n in range(deployments))] if deployments else []
    small.write("specs/main.yaml", "".join(lines))


@dataclass
class Counted:
    """Stands before the service and counts what is asked, by method and path without ids."""

    inner: Any
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def handle_async_request(self, request: Any) -> Any:
        path = request.url.path.removeprefix("/v1")
        self.seen[request.method, "/".join("ID" if "-" in part else part for part in path.split("/"))] += 1
        return await self.inner.handle_async_request(request)

    async def __aenter__(self) -> Counted:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def aclose(self) -> None:
        await self.inner.aclose()


def counted(small: Small) -> Counter[tuple[str, str]]:
    """What is asked from now on."""
    seen: Counter[tuple[str, str]] = Counter()
    wrap = small.wrap
    small.wrap = lambda inner: Counted(wrap(inner), seen)
    return seen


def planned(small: Small) -> tuple[Plan, int]:
    seen = counted(small)
    plan = small.plan()
    return plan, seen.total()


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> House:
    """600 files, 200 graders, 190 ended jobs and 10 deployments, all as declared: ten of the jobs were trained here, of
    the others the lock says so."""
    house = House(tmp_path_factory.mktemp("thousand"), speed=1.0)
    small = house.small
    write(small, files=20, graders=10, jobs=10, deployments=10, provider=SERVED)
    small.train()
    write(small, files=600, graders=200, jobs=190, deployments=10, provider=SERVED)
    loaded = load(small.options)
    lock, declared = small.lock(), loaded.graph.resources
    new = {address: want for address, want in declared.items() if address not in lock.resources}

    async def upload(port: Any) -> dict[Address, Entry]:
        sent = {}
        for address, want in new.items():
            if address.kind == "file" and want.data is not None:
                one = Upload(loaded.data_paths[address], f"{address.name}.jsonl", want.data.size, PURPOSE)
                sent[address] = entry_of(want, await port.upload_file(one, lambda _sent, _all: None), Origin.CREATED)
        return sent

    entries = {address: ended(want) for address, want in new.items() if address.kind != "file"}
    write_lock(loaded.paths.lock, replace(lock, resources={**lock.resources, **entries, **small.service(upload)}))
    small.clock.time += 2 * CLOCKS_APART
    return house


def ended(want: Resource) -> Entry:
    """What the lock says of a grader, or of a job that succeeded."""
    entry = Entry(want.fingerprint, want.inputs)
    if want.address.kind != "job":
        return entry
    values: dict[str, Any] = {"status": "succeeded", "model": "o4-mini-2025-04-16", "created_at": 1_800_000_000}
    return replace(entry, id=f"ftjob-{want.address.name}", resolved=values)


def test_a_plan_of_a_thousand_resources_takes_few_requests(thousand: House) -> None:
    plan, requests = planned(thousand.small)
    assert len(plan.changes) == 1_000
    assert {change.action for change in plan.changes} == {Action.NOOP}
    assert requests <= 15


@pytest.mark.parametrize("since", [0.0, 2 * CLOCKS_APART], ids=["just uploaded", "long there"])
def test_what_the_lists_do_not_show_costs_a_bounded_number_of_requests(thousand: House, since: float) -> None:
    """All 600 files are gone."""
    small = thousand.small
    _, before = planned(small)
    lock, path = small.lock(), load(small.options).paths.lock
    at = int(small.clock.time - since)
    gone = {
        address: replace(entry, id=f"file-gone{number}", resolved={**entry.resolved, "created_at": at})
        for number, (address, entry) in enumerate(lock.resources.items())
        if address.kind == "file"
    }
    write_lock(path, replace(lock, resources={**lock.resources, **gone}))
    plan, requests = planned(small)
    write_lock(path, lock)
    assert requests <= before + (0 if since else MOST)
    lost = [drift for drift in plan.drift if drift.address.kind == "file"]
    assert len(lost) == 600


def test_a_list_that_is_behind_takes_nothing_of_many_new_files_away(thousand: House) -> None:
    """None of 600 is listed, and the newest few are there all the same."""
    small = thousand.small
    lock, path = small.lock(), load(small.options).paths.lock
    now = int(small.clock.time)
    new = {
        address: replace(entry, resolved={**entry.resolved, "created_at": now})
        for address, entry in lock.resources.items()
        if address.kind == "file"
    }
    write_lock(path, replace(lock, resources={**lock.resources, **new}))
    thousand.lag(1e7, on="GET /v1/files")
    try:
        plan, requests = planned(small)
    finally:
        thousand.catch_up()
        write_lock(path, lock)
    assert plan.drift == ()
    assert {change.action for change in plan.changes} == {Action.NOOP}
    assert requests <= 15 + MOST


def test_a_first_apply_takes_a_request_for_each_file_and_as_many_for_each_job(tmp_path: Path) -> None:
    """Linear: so many for each job with its two files and its grader, and a few for all together."""
    told = {}
    for jobs in (2, 4, 8):
        small = Small.at(tmp_path / str(jobs))
        write(small, files=2 * jobs, graders=jobs, jobs=jobs)
        seen = counted(small)
        small.apply()
        assert seen["POST", "/files"] == 2 * jobs
        assert seen["POST", "/fine_tuning/jobs"] == jobs
        assert seen["GET", "/files"] == 1
        assert seen["GET", "/files/ID"] == 0
        told[jobs] = seen.total()
    each, rest = divmod(told[8] - told[4], 4)
    assert rest == 0
    assert told[4] - told[2] == 2 * each
    assert each <= 2 + 5, "two files; a grader twice validated, a slot looked at before and after, a launch"
    assert told[2] - 2 * each <= 4
