"""What the commands on the lock print: every case of theirs, at the widths that terminals have."""

from __future__ import annotations

from typing import Any

import pytest

from rftplan.render.amending_shapes import ForgetDocument, RecoverDocument, RecoveredDocument, UnlockDocument
from rftplan.render.amending_text import forget_question, forget_text, hold_text, move_text, recover_text, unlock_text
from rftplan.render.look import Look

LOOKS = [Look(), Look(width=80), Look(width=120)]


def forgetting(**rest: Any) -> ForgetDocument:
    known: dict[str, Any] = {
        "format": "rftplan.forget/1", "address": "job.review", "id": "ftjob-1", "leaving": "active-job",
        "status": "running", "asked": True, "hour_usd": 100.0, "paid": True, "cap": "nobody ends it",
        "holds": ["operator"], "grants": 0, "declared": False, **rest,
    }  # fmt: skip
    return known  # type: ignore[return-value]


def test_what_goes_on_says_what_it_costs() -> None:
    said = forget_text(forgetting(), Look())
    assert "ftjob-1 is running and trains on" in said
    assert "It costs $100 an hour as long as it trains, and its judges' tokens come on top; nobody ends it." in said
    assert "Its holds are lost: operator." in said
    assert "not known" in forget_text(forgetting(hour_usd=None), Look())
    assert "$" not in forget_text(forgetting(paid=False), Look())
    assert "by what the lock knew" in forget_question(forgetting(asked=False), Look())


@pytest.mark.parametrize(
    ("leaving", "said"),
    [
        ("nothing", "Nothing of it is at the service."),
        ("file", "nobody here deletes it any more"),
        ("ended-job", "it and its models stay"),
        ("model", "its history and evidence are lost"),
    ],
)
def test_what_stays_is_said(leaving: str, said: str) -> None:
    assert said in forget_text(forgetting(leaving=leaving), Look())


def test_permissions_that_go_on_are_counted() -> None:
    assert "2 permissions that it gave" in forget_text(forgetting(leaving="model", grants=2), Look())
    assert "One permission that it gave" in forget_text(forgetting(leaving="model", grants=1), Look())


def effect(**rest: Any) -> RecoveredDocument:
    known: dict[str, Any] = {
        "address": "job.review", "verb": "launch", "at": "2026-11-23 06:51:47", "fate": "open", "id": None,
        "state": None, "detail": "", "settles_in": None, "next_verb": None, **rest,
    }  # fmt: skip
    return known  # type: ignore[return-value]


def recovery(*effects: RecoveredDocument, unasked: str | None = None) -> RecoverDocument:
    return {"format": "rftplan.recover/1", "effects": list(effects), "unasked": unasked, "requests": 1}


def test_each_fate_says_what_is_next() -> None:
    assert recover_text(recovery(), Look()) == "Nothing was left open.\n"
    said = recover_text(recovery(effect(settles_in=90)), Look())
    assert "proves something in 90 s" in said and "Again: rftplan recover" in said
    said = recover_text(recovery(effect(fate="for-apply", id="ftjob-1", state="running", next_verb="cancel")), Look())
    assert "at the service: ftjob-1 (running)" in said and said.endswith("Next: rftplan apply\n")
    assert recover_text(recovery(effect(fate="recorded")), Look()).endswith("Next: rftplan plan\n")
    assert "certainly not done" in recover_text(recovery(effect(fate="not-done")), Look())
    assert "The service was not asked: 2 errors" in recover_text(recovery(effect(), unasked="2 errors"), Look())


def unlocking(**rest: Any) -> UnlockDocument:
    holder = {"command": "apply", "user": "sven", "host": "build-7", "process": 4711, "since": "2026-11-23 06:51:47"}
    known: dict[str, Any] = {
        "format": "rftplan.unlock/1", "held": True, "here": False, "folder": ".rftplan/default", "holder": holder,
        "broken": False, **rest,
    }  # fmt: skip
    return known  # type: ignore[return-value]


def test_a_hold_says_when_the_status_of_the_job_is_from() -> None:
    document = {"format": "", "address": "job.a", "id": "ftjob-1", "holds": [], "replaced": None, "going": "running"}
    said = hold_text(document, Look())  # type: ignore[arg-type]
    assert "ftjob-1 was running when last seen, and goes on if it still is: a hold stops no job." in said


def test_only_a_holder_elsewhere_may_be_named_dead() -> None:
    assert "  rftplan unlock --dead build-7/4711\n" in unlock_text(unlocking(), Look())
    assert "--dead" not in unlock_text(unlocking(here=True), Look())
    assert "was taken from rftplan apply" in unlock_text(unlocking(held=False, broken=True), Look())
    assert "ended without letting go" in unlock_text(unlocking(held=False), Look())
    assert "lsof" in unlock_text(unlocking(holder=None), Look())


def test_what_moved_into_a_name_that_both_declare_is_warned_of() -> None:
    said = move_text(
        {"format": "", "address": "job.a", "to": "job.b", "id": None, "tombstones": 0, "serial": 2,
         "declared": ["job.a", "job.b"]},
        Look(),
    )  # fmt: skip
    assert "job.a is something new to them" in said and "moved:" not in said


HOSTILE = "\x1b[31mred\n::error::"


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_from_outside_reaches_a_terminal_raw(look: Look) -> None:
    reasons: Any = [{"code": HOSTILE, "reason": HOSTILE, "operator": True}]
    texts = [
        hold_text(
            {"format": "", "address": "job.a", "id": HOSTILE, "holds": reasons, "replaced": HOSTILE, "going": HOSTILE},
            look,
        ),
        forget_text(forgetting(id=HOSTILE, status=HOSTILE, holds=[HOSTILE], cap=HOSTILE), look),
        recover_text(recovery(effect(id=HOSTILE, state=HOSTILE, detail=HOSTILE), unasked=HOSTILE), look),
        unlock_text(unlocking(holder={**unlocking()["holder"], "user": HOSTILE, "host": HOSTILE}), look),  # type: ignore[dict-item]
    ]
    for text in texts:
        assert "\x1b" not in text and "\n::" not in text
        assert look.width is None or max(map(len, text.splitlines())) <= look.width
