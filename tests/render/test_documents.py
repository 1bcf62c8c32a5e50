"""The JSON documents: complete, deterministic, and bound by a digest."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rftplan.address import Address
from rftplan.changes import Action, Change, FieldChange, Reason
from rftplan.errors import Diagnostic, LockError, Place, Severity
from rftplan.events import Outcome, Result
from rftplan.promoted import Promoted
from rftplan.render.documents import (
    apply_document,
    check_document,
    dumped,
    outputs_document,
    plan_document,
    state_document,
    status_document,
)
from tests.render.plans import DEPLOYMENT, FILE, FIRST, GATE, JOB, RELAUNCH, plan_of

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@dataclass(frozen=True)
class Standing:
    address: Address
    kind: str
    state: str
    id: str | None
    detail: str


FINDING = Diagnostic("S201", "Unknown field", "detail", Severity.WARNING, Place("specs/a.yaml", 3, 5))


def test_the_plan_document_has_the_documented_fields() -> None:
    document = plan_document(RELAUNCH)
    assert list(document) == [
        "format", "project", "env", "provider", "changes", "drift", "hazards", "diagnostics", "summary", "digest",
    ]  # fmt: skip
    assert document["format"] == "rftplan.plan/1"
    assert document["changes"][0] == {
        "address": "job.security-review",
        "kind": "job",
        "action": "replace",
        "verb": "launch",
        "reason": "content-changed",
        "detail": "launched beside the old one, which is then cancelled",
        "fields": [
            {
                "path": "method.reinforcement.hyperparameters.reasoning_effort",
                "before": "low",
                "after": "medium",
            },
            {"path": "seed", "before": None, "after": 7},
        ],
    }
    assert [h["code"] for h in document["hazards"]] == ["spend", "cancel-active"]
    assert document["drift"][0]["address"] == "file.train"
    assert document["summary"] == {"launch": 1, "promote": 1}
    assert document["changes"][1]["evidence"][0]["caveats"] == list(GATE.caveats)


@given(JSON_VALUES, JSON_VALUES, st.text())
def test_the_same_plan_gives_the_same_ascii_bytes(before: Any, after: Any, detail: str) -> None:
    change = Change(JOB, Action.UPDATE, "pause", Reason.RUN_STATE_DIFFERS, detail, (FieldChange("x", before, after),))
    once, twice = (dumped(plan_document(plan_of(change))) for _ in range(2))
    assert once == twice
    assert once.isascii() and "\x7f" not in once and "\x1b" not in once
    assert json.loads(once)["changes"][0]["fields"][0] == {"path": "x", "before": before, "after": after}


def test_the_digest_binds_changes_but_not_findings() -> None:
    digest = plan_document(RELAUNCH)["digest"]
    assert len(digest) == 64
    assert plan_document(replace(RELAUNCH, diagnostics=(FINDING,)))["digest"] == digest
    assert plan_document(replace(RELAUNCH, changes=RELAUNCH.changes[:1]))["digest"] != digest
    assert plan_document(replace(RELAUNCH, env="other"))["digest"] != digest


FINGERPRINTS = st.none() | st.text(alphabet="0123456789abcdef", min_size=1).map(lambda text: f"v1:{text}")


@given(st.lists(FINGERPRINTS, min_size=2, max_size=2), st.lists(FINGERPRINTS, min_size=2, max_size=2))
def test_a_digest_binds_what_will_be_launched(reviewed: list[str | None], launched: list[str | None]) -> None:
    """The same verbs on other bytes are another plan: the reviewer agreed to these fingerprints, in these places."""
    digests = []
    for fingerprints in (reviewed, launched):
        changes = [replace(change, fingerprint=f) for change, f in zip(RELAUNCH.changes, fingerprints, strict=False)]
        digests.append(plan_document(replace(RELAUNCH, changes=tuple(changes)))["digest"])
    assert (digests[0] == digests[1]) == (reviewed == launched)


def test_a_check_is_ok_unless_a_finding_is_an_error() -> None:
    assert check_document([FINDING])["ok"]
    document = check_document([replace(FINDING, severity=Severity.ERROR, place=None, hint="h")])
    assert not document["ok"]
    assert document["diagnostics"][0] == {
        "code": "S201",
        "severity": "error",
        "summary": "Unknown field",
        "detail": "detail",
        "path": None,
        "line": None,
        "column": None,
        "address": None,
        "hint": "h",
    }


def test_an_apply_says_what_waits_even_if_nothing_was_carried_out() -> None:
    held = plan_of(Change(JOB, Action.HOLD, "hold", Reason.JOB_FAILED, "ftjob-1: no more quota"))
    document = apply_document(held, (), requests=3, interrupted=False, outputs={})
    assert document["results"] == [
        {
            "address": "job.security-review",
            "action": "hold",
            "verb": "hold",
            "outcome": "held",
            "reason": "job-failed",
            "detail": "ftjob-1: no more quota",
        }
    ]
    assert document["summary"] == {"held": 1}


def test_a_follow_up_replaces_what_the_plan_said_of_waiting() -> None:
    results = (
        Result(FILE, Action.CREATE, "upload", Outcome.DONE, id="file-1"),
        Result(JOB, Action.CREATE, "train", Outcome.FAILED, id="ftjob-1", error="out of quota"),
        Result(DEPLOYMENT, Action.DEFER, "wait", Outcome.SKIPPED, detail="not tried"),
    )
    document = apply_document(FIRST, results, requests=9, interrupted=False, outputs={})
    assert [(r["address"], r["outcome"]) for r in document["results"]] == [
        ("file.train", "done"),
        ("job.security-review", "failed"),
        ("deployment.security-reviewer", "skipped"),
    ]
    assert document["results"][1]["error"] == "out of quota"
    assert document["summary"] == {"done": 1, "failed": 1, "skipped": 1}


def test_outputs_and_status_are_plain_mappings() -> None:
    outputs = outputs_document({"b": Promoted("ft:b", "job.x", 12, 2), "a": Promoted("ft:a", "job.x", 3, 1)})
    assert list(outputs.items()) == [
        ("a", {"model": "ft:a", "job": "job.x", "step": 3, "revision": 1}),
        ("b", {"model": "ft:b", "job": "job.x", "step": 12, "revision": 2}),
    ]
    status = status_document([Standing(Address("file", "t"), "file", "present", "file-1", "")])
    assert status["resources"] == [
        {"address": "file.t", "kind": "file", "state": "present", "id": "file-1", "detail": ""}
    ]


def test_no_lock_is_an_empty_state() -> None:
    assert state_document(None) == {
        "format": "rftplan.state/1",
        "lineage": None,
        "serial": 0,
        "provider": None,
        "resources": {},
        "tombstones": {},
    }


def test_an_apply_whose_lock_could_not_be_written_says_so_beside_its_results() -> None:
    refused = LockError("rftplan.lock cannot be written: No space left on device", hint="make room")
    told = apply_document(FIRST, (), requests=1, interrupted=False, outputs={}, unsaved=refused)
    assert told["unsaved"] == {"code": "lock", "error": str(refused), "hint": "make room"}
    assert told["results"]
    assert "unsaved" not in apply_document(FIRST, (), requests=1, interrupted=False, outputs={})
