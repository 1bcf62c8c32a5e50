"""Held-out data: read and checked here, and never at the service; what was uploaded before is taken back."""

from __future__ import annotations

from typing import Any

import pytest

from rftplan.errors import SpecError
from tests.faults import Fault, Faulty
from tests.findings import edited, lines_of
from tests.world import SPEC, Small, rows

FINAL = "specs/data/final.jsonl"
DECLARED = "  final: {path: data/final.jsonl, upload: never}\n"
HELD_OUT = edited(("graders:\n", DECLARED + "graders:\n"))


TAKEN_BACK = edited(
    (
        "test: {path: data/test.jsonl}",
        "test: {path: data/test.jsonl, upload: never}\n  other: {path: data/other.jsonl}",
    ),
    ("validation_file: test", "validation_file: other"),
)
REMOVED = edited(
    ("test: {path: data/test.jsonl}", "other: {path: data/other.jsonl}"),
    ("validation_file: test", "validation_file: other"),
)


def uploaded(small: Small) -> list[str]:
    """The names of what lies at the service, without the hashes."""

    async def names(port: Any) -> list[str]:
        return sorted(f.filename.partition("-")[0] for f in await port.list_files("fine-tune"))

    found: list[str] = small.service(names)
    return found


@pytest.fixture
def held_out(small: Small) -> Small:
    small.write("specs/main.yaml", HELD_OUT)
    small.write(FINAL, rows(30, start=1000))
    return small


def test_held_out_data_stays_here_and_the_second_plan_has_nothing_to_do(held_out: Small) -> None:
    change = held_out.changes()["file.final"]
    assert (change.action, change.reason) == ("noop", "stays-here")
    held_out.train()
    assert uploaded(held_out) == ["demo.default.test", "demo.default.train"]
    assert held_out.verbs() == {}
    assert held_out.status()["file.final"].state == "stays here"
    held_out.write(FINAL, rows(31, start=1000))
    assert held_out.verbs() == {}


def test_held_out_data_is_read_like_any_other(held_out: Small) -> None:
    held_out.write(FINAL, rows(30, start=1000) + "[1]\n")
    assert [line[:6] for line in lines_of(held_out.check())] == ["D102 s"]
    (held_out.root / FINAL).unlink()
    assert lines_of(held_out.check()) == [
        'S212 specs/main.yaml:5:17 "data/final.jsonl" does not exist '
        "| check the spelling; a path is relative to its YAML file"
    ]


def test_what_need_not_be_kept_is_deleted_at_the_service_once(held_out: Small) -> None:
    validated = edited((", upload: never", ""), ("validation_file: test", "validation_file: final"), spec=HELD_OUT)
    held_out.write("specs/main.yaml", validated)
    held_out.train()
    assert uploaded(held_out) == ["demo.default.final", "demo.default.train"]
    held_out.edit("specs/main.yaml", "data/final.jsonl", "data/final.jsonl, upload: never, lifecycle: {retain: false}")
    held_out.edit("specs/main.yaml", "validation_file: final", "validation_file: test")
    assert held_out.verbs()["file.final"] == "delete delete"
    held_out.train()
    assert uploaded(held_out) == ["demo.default.test", "demo.default.train"]
    assert held_out.verbs() == {}


def test_what_a_model_was_made_of_stays_at_the_service_and_is_forgotten(small: Small) -> None:
    small.write("specs/data/other.jsonl", rows(50, start=3000))
    small.train()
    small.write("specs/main.yaml", TAKEN_BACK)
    change = small.changes()["file.test"]
    assert (change.action, change.reason) == ("forget", "stays-here")
    assert "stays at the service: job.review was trained from it" in change.detail
    small.train()
    assert small.verbs() == {}
    assert "demo.default.test" in uploaded(small)


def cut_off(small: Small) -> None:
    """A launch whose reply is lost, and nobody can look it up at once."""
    small.write("specs/data/other.jsonl", rows(50, start=3000))
    posted = []

    def plan(method: str, path: str, _count: int) -> Fault | None:
        if path.endswith("/fine_tuning/jobs") and method == "POST":
            posted.append(path)
            return Fault.LOST_AFTER
        return Fault.ERROR_BEFORE if posted and path.endswith("/fine_tuning/jobs") else None

    small.wrap = lambda transport: Faulty(transport, plan)
    assert small.results()["job.review"].outcome == "deferred"
    small.wrap = lambda transport: transport


NO_JOB = [
    SPEC[: SPEC.index("jobs:")].replace("test.jsonl}", "test.jsonl, upload: never}"),
    SPEC[: SPEC.index("jobs:")].replace("  test: {path: data/test.jsonl}\n", ""),
]


@pytest.mark.parametrize("spec", NO_JOB, ids=["never", "removed"])
def test_a_file_goes_with_the_job_that_this_very_plan_cancels_and_after_it(small: Small, spec: str) -> None:
    cut_off(small)
    small.write("specs/main.yaml", spec)
    changes = small.changes()
    assert changes["file.test"].action == "delete"
    assert "job.review" in [str(address) for address in changes["file.test"].after]
    small.results()
    assert [job.status for job in small.jobs()] == ["cancelled"]
    assert uploaded(small) == ["demo.default.train"]


@pytest.mark.parametrize("spec", [TAKEN_BACK, REMOVED], ids=["never", "removed"])
def test_a_file_that_a_launch_of_unknown_fate_started_from_goes_only_after_the_job(small: Small, spec: str) -> None:
    cut_off(small)
    small.write("specs/main.yaml", spec)
    change = small.changes()["file.test"]
    assert (change.action, change.reason) == ("defer", "fate-unknown")
    assert "a launch of job.review was cut off" in change.detail
    small.results()
    assert "demo.default.test" in uploaded(small)
    assert [job.status for job in small.jobs() if job.status.ended] == ["cancelled"]
    assert small.verbs()["file.test"] == "delete delete"
    small.results()
    assert "demo.default.test" not in uploaded(small)
    assert "file.test" not in small.verbs()


def test_what_a_job_still_runs_on_is_deleted_by_the_plan_after_the_one_that_cancels_it(small: Small) -> None:
    small.write("specs/data/other.jsonl", rows(50, start=3000))
    small.launch_until_step()
    small.write(
        "specs/main.yaml", edited(("upload: never", "upload: never, lifecycle: {retain: false}"), spec=TAKEN_BACK)
    )
    change = small.changes()["file.test"]
    assert (change.action, change.reason) == ("defer", "still-used")
    assert "once job.review no longer goes on from it" in change.detail
    small.results()
    assert small.verbs()["file.test"] == "delete delete"
    small.results()
    assert uploaded(small) == ["demo.default.other", "demo.default.train"]


@pytest.mark.parametrize("spec", [TAKEN_BACK, REMOVED], ids=["never", "removed"])
@pytest.mark.parametrize("rewritten", [False, True])
def test_what_came_of_a_cut_off_upload_is_taken_back(small: Small, spec: str, rewritten: bool) -> None:
    small.write("specs/data/other.jsonl", rows(50, start=3000))

    def plan(method: str, path: str, count: int) -> Fault | None:
        if path.endswith("/files"):
            return Fault.LOST_AFTER if method == "POST" else Fault.ERROR_BEFORE if count > 1 else None
        return None

    small.wrap = lambda transport: Faulty(transport, plan)
    small.results()
    small.wrap = lambda transport: transport
    assert uploaded(small) == ["demo.default.test", "demo.default.train"]
    if rewritten:
        small.write("specs/data/test.jsonl", rows(60, start=4000))
    small.write("specs/main.yaml", spec)
    assert small.verbs()["file.test"] == "delete delete"
    small.results()
    assert uploaded(small) == ["demo.default.other", "demo.default.train"]
    assert "file.test" not in small.verbs()


def test_data_that_is_held_out_from_now_on_has_to_be_here(small: Small) -> None:
    """The lock is about to forget it, so that its word cannot stand in for the bytes."""
    small.train()
    (small.root / "specs/data/test.jsonl").unlink()
    small.write("specs/main.yaml", edited(("data/test.jsonl", "data/test.jsonl, upload: never")))
    with pytest.raises(SpecError) as caught:
        small.plan()
    assert [line[:4] for line in lines_of(caught.value.diagnostics)] == ["S212", "J109"]
