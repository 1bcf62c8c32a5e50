"""The JSON documents: complete, deterministic, and bound by a digest."""

from __future__ import annotations

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Action, Change, Reason
from rftplan.errors import LockError, Severity
from rftplan.events import Outcome, Result
from rftplan.project import ResourceStatus
from rftplan.promoted import Promoted
from rftplan.render.documents import (
    apply_document,
    check_document,
    outputs_document,
    state_document,
    status_document,
)
from tests.render.plans import DEPLOYMENT, FILE, FINDING, FIRST, JOB, plan_of


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
    outputs = outputs_document({"b": Promoted("ft:b", "job.x", 12, 2), "a": Promoted("ft:a", "job.x", 3, 1, True)})
    assert list(outputs.items()) == [
        ("a", {"model": "ft:a", "job": "job.x", "step": 3, "revision": 1, "simulated": True}),
        ("b", {"model": "ft:b", "job": "job.x", "step": 12, "revision": 2, "simulated": False}),
    ]
    status = status_document([ResourceStatus(Address("file", "t"), "file", "present", "file-1", "")])
    assert status["resources"] == [
        {"address": "file.t", "kind": "file", "state": "present", "id": "file-1", "detail": ""}
    ]


def test_no_lock_is_an_empty_state() -> None:
    assert state_document(None) == {
        "format": "rftplan.state/1",
        "lineage": None,
        "serial": 0,
        "provider": None,
        "simulated": False,
        "resources": {},
        "simulations": [],
        "tombstones": {},
        "waiting": [],
    }


def test_an_apply_whose_lock_could_not_be_written_says_so_beside_its_results() -> None:
    refused = LockError("rftplan.lock cannot be written: No space left on device", hint="make room")
    told = apply_document(FIRST, (), requests=1, interrupted=False, outputs={}, unsaved=refused)
    assert told["unsaved"] == {"code": "lock", "error": str(refused), "hint": "make room"}
    assert told["results"]
    assert "unsaved" not in apply_document(FIRST, (), requests=1, interrupted=False, outputs={})
