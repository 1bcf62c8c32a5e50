"""Held-out data: read and checked here, and never at the service; what was uploaded before is taken back."""

from __future__ import annotations

from typing import Any

import pytest

from rftplan.errors import SpecError
from tests.findings import edited, lines_of
from tests.world import Small, rows

FINAL = "specs/data/final.jsonl"
DECLARED = "  final: {path: data/final.jsonl, upload: never}\n"
HELD_OUT = edited(("graders:\n", DECLARED + "graders:\n"))


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
        'S212 specs/main.yaml:5:17 "data/final.jsonl" does not exist | did you mean "data/train.jsonl"?'
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
    moved = edited(
        (
            "test: {path: data/test.jsonl}",
            "test: {path: data/test.jsonl, upload: never}\n  other: {path: data/other.jsonl}",
        ),
        ("validation_file: test", "validation_file: other"),
    )
    small.write("specs/main.yaml", moved)
    change = small.changes()["file.test"]
    assert (change.action, change.reason) == ("forget", "stays-here")
    assert "stays at the service: job.review was trained from it" in change.detail
    small.train()
    assert small.verbs() == {}
    assert "demo.default.test" in uploaded(small)


def test_data_that_is_held_out_from_now_on_has_to_be_here(small: Small) -> None:
    """The lock is about to forget it, so that its word cannot stand in for the bytes."""
    small.train()
    (small.root / "specs/data/test.jsonl").unlink()
    small.write("specs/main.yaml", edited(("data/test.jsonl", "data/test.jsonl, upload: never")))
    with pytest.raises(SpecError) as caught:
        small.plan()
    assert [line[:4] for line in lines_of(caught.value.diagnostics)] == ["S212", "J109"]
