"""A plan as its document: complete, deterministic, and bound by a digest."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.changes import Action, Change, FieldChange, Reason
from rftplan.render.documents import dumped
from rftplan.render.plan_documents import plan_document
from tests.render.plans import FINDING, GATE, JOB, JSON_VALUES, RELAUNCH, plan_of


def test_the_plan_document_has_the_documented_fields() -> None:
    document = plan_document(RELAUNCH)
    assert list(document) == [
        "format", "mode", "project", "env", "provider", "simulated", "changes", "drift", "hazards", "allowed",
        "diagnostics", "summary", "digest",
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
