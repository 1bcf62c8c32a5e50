"""A saved plan read again: nothing that somebody else wrote ends in a traceback, and nothing edited is taken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftplan.codes import KEY_EXPOSED, finding
from rftplan.errors import RefusedPlanError
from rftplan.made_from import MadeFrom
from rftplan.planner import Selection
from rftplan.render.documents import dumped
from rftplan.render.look import Look
from rftplan.render.plan_documents import plan_digest, plan_document
from rftplan.render.plan_text import saved_plan_text
from rftplan.render.saved_documents import read_saved_plan, saved_plan_document
from tests.render.plans import FIRST, JOB, JSON_VALUES, RELAUNCH

MADE = MadeFrom("v1:a", None)
TEXT = dumped(
    saved_plan_document(
        plan_document(RELAUNCH), selection=Selection(replace=frozenset({JOB})), made_from=MADE, version="1"
    )
)


def wrong(text: str) -> RefusedPlanError:
    with pytest.raises(RefusedPlanError) as caught:
        read_saved_plan(text, name="p.json")
    return caught.value


def edited(*path: str | int, value: Any, sign: bool = False) -> str:
    """The saved plan with one value changed; with `sign`, by somebody who knows how its digest is made."""
    document = json.loads(TEXT)
    inside = document
    for part in path[:-1]:
        inside = inside[part]
    inside[path[-1]] = value
    if sign:
        document["plan"]["digest"] = plan_digest(document["plan"])
    return dumped(document)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "p.json is no saved plan, or was cut off"),
        (TEXT[: len(TEXT) // 2], "p.json is no saved plan, or was cut off"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "p.json is no saved plan"),
        ('{"format": "rftplan.lock/1"}', "p.json is no saved plan"),
        (edited("format", value="rftplan.saved-plan/2"), "has format 2, which is newer than this rftplan understands"),
        (dumped(plan_document(FIRST)), "p.json is no saved plan"),
        (edited("plan", value=None), "p.json is damaged: plan is no mapping"),
        (edited("plan", "changes", 0, "detail", value=3), "plan.changes[0].detail has another type"),
        (edited("plan", "changes", 0, "action", value="launch", sign=False), 'action "launch" is not known here'),
        (edited("plan", "hazards", 0, "code", value="riches"), 'code "riches" is not known here'),
        (edited("plan", "mode", value="sideways"), 'mode "sideways" is not known here'),
        (edited("plan", "changes", 0, "address", value="no"), '"no" is no address'),
        (edited("plan", "allowed", "option", value=["delete"]), None),
        (edited("plan", "allowed", "option", value=["cancel-active"]), "p.json was edited since it was saved"),
        (edited("plan", "changes", 0, "fields", value=[]), "p.json was edited since it was saved"),
        (edited("plan", "digest", value="0" * 64), "p.json was edited since it was saved"),
        (edited("selection", "phase", value=["moon"]), "was saved with phase, which this rftplan does not know"),
        (edited("selection", "phase", value=[]), None),
        (edited("selection", "replace", value=["nothing"]), "p.json is damaged"),
    ],
    ids=range(20),
)
def test_what_is_no_plan_of_ours_is_said_in_one_sentence(text: str, said: str | None) -> None:
    if said is None:
        read_saved_plan(text, name="p.json")
    else:
        error = wrong(text)
        assert said in error.message
        assert error.hint


def test_what_plan_json_prints_is_told_from_what_it_saves() -> None:
    assert "that is what plan --json prints" in str(wrong(dumped(plan_document(FIRST))).hint)


PATHS = st.sampled_from(
    [
        ("selection",),
        ("made_from",),
        ("made_from", "lock"),
        ("plan", "provider"),
        ("plan", "changes"),
        ("plan", "changes", 0),
        ("plan", "changes", 0, "fields", 0),
        ("plan", "changes", 0, "fields", 0, "before"),
        ("plan", "changes", 0, "reason"),
        ("plan", "changes", 1, "evidence"),
        ("plan", "changes", 1, "evidence", 0, "value"),
        ("plan", "drift"),
        ("plan", "hazards"),
        ("plan", "summary"),
        ("plan", "digest"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(PATHS, JSON_VALUES)
def test_whatever_stands_in_it_it_is_refused_or_can_be_shown(path: tuple[str | int, ...], value: Any) -> None:
    try:
        text = edited(*path, value=value, sign=True)
    except (KeyError, TypeError, ValueError, AttributeError):
        return  # of this nobody can make a digest
    try:
        saved = read_saved_plan(text, name="p.json")
    except RefusedPlanError:
        return
    assert "\x1b" not in saved_plan_text(saved.plan, Look(width=80), saved_as="p.json")


@pytest.mark.parametrize(
    "text",
    [
        edited("plan", "mode", value="a\x1b\nhint: b"),
        edited("plan", "changes", 0, "address", value="a\x1b\nhint: b"),
        edited("plan", "allowed", "option", value=["a\x1b\nhint: b"]),
        edited("plan", "digest", value="a\x1b\nhint: b"),
        edited("plan", "summary", value={"a\x1b\nhint: b": None}, sign=True),
        edited("selection", "a\x1b\nhint: b", value=True),
        edited("selection", "replace", value=["a\x1b\nhint: b"]),
    ],
)
def test_a_refused_plan_adds_no_line_to_the_refusal(text: str) -> None:
    message = wrong(text).message
    assert "\\nhint: b" in message and message.isprintable()


def test_a_reason_that_is_not_known_is_shown_escaped() -> None:
    saved = read_saved_plan(edited("plan", "changes", 0, "reason", value="a\x1b[2J\n::error::b", sign=True), name="p")
    assert r"a\x1b[2J\n::error::b" in saved_plan_text(saved.plan, Look(width=80), saved_as="p")


def test_a_place_of_this_machine_is_not_saved() -> None:
    exposed = finding(KEY_EXPOSED, "/home/somebody/.config/rftplan/key is readable", hint="chmod")
    from msgspec.structs import replace

    plan = plan_document(replace(RELAUNCH, diagnostics=(exposed,)))
    saved = saved_plan_document(plan, selection=Selection(), made_from=MADE, version="1")
    assert saved["plan"]["diagnostics"] == []
    assert "/home" not in dumped(saved)
    assert saved["plan"]["digest"] == plan["digest"]
