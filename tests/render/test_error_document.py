"""What ended a command, as programs read it."""

from __future__ import annotations

from typing import Any

import pytest

from rftplan.errors import (
    ApiError,
    Diagnostic,
    LockError,
    MovedAddress,
    RefusedPlanError,
    RejectedError,
    SpecError,
    UserError,
)
from rftplan.render.documents import dumped
from rftplan.render.error_document import OTHER_CODES, declined_document, error_document


def test_one_of_our_errors_says_its_code_its_words_and_its_hint() -> None:
    assert error_document(LockError("damaged", hint="restore it"), exit_code=1) == {
        "format": "rftplan.error/1",
        "code": "lock",
        "exit_code": 1,
        "error": "damaged",
        "hint": "restore it",
        "diagnostics": [],
    }


def test_what_the_service_said_is_kept_in_fields_of_its_own() -> None:
    error = RejectedError("no", status=400, code="invalid_model", param="model", request_id="req_1")
    document = error_document(error, exit_code=1)
    assert document["code"] == "rejected"
    assert document["service"] == {"status": 400, "code": "invalid_model", "param": "model", "request_id": "req_1"}
    assert error_document(ApiError("odd"), exit_code=1)["service"]["status"] is None


def test_all_that_moved_under_a_saved_plan_is_in_a_field_of_its_own() -> None:
    moved = [MovedAddress(f"job.j{n}", "launch", "nothing to do, it is running") for n in range(30)]
    document = error_document(RefusedPlanError("what moved", hint="plan again", moved=moved), exit_code=1)
    assert len(document["moved"]) == 30
    assert document["moved"][0] == {
        "address": "job.j0",
        "planned": "launch",
        "now": "nothing to do, it is running",
    }
    assert "moved" not in error_document(RefusedPlanError("hazards without leave"), exit_code=1)


def test_findings_come_with_the_error_that_collected_them() -> None:
    document = error_document(SpecError([Diagnostic("S101", "No specs", "a")]), exit_code=1)
    assert (document["code"], [found["code"] for found in document["diagnostics"]]) == ("specs", ["S101"])


def test_several_errors_are_each_told_and_findings_are_not_lost() -> None:
    specs = SpecError([Diagnostic("S101", "No specs", "a")])
    group = ExceptionGroup("tasks", [UserError("one", hint="h"), ExceptionGroup("inner", [specs])])
    document = error_document(group, exit_code=1)
    assert (document["code"], document["error"]) == ("several", "one; 1 error in the specs")
    assert [(cause["code"], cause["hint"]) for cause in document["causes"]] == [("user", "h"), ("specs", None)]
    assert len(document["diagnostics"]) == 1


def test_a_group_of_one_is_that_one() -> None:
    document = error_document(ExceptionGroup("tasks", [UserError("one")]), exit_code=1)
    assert document["code"] == "user" and "causes" not in document


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), "interrupted"), (ZeroDivisionError("sk-secret-0123456789"), "bug")]
)
def test_an_interrupt_and_a_bug_have_codes_and_no_secrets(error: BaseException, code: str) -> None:
    document: Any = error_document(error, exit_code=70)
    assert document["code"] == code in OTHER_CODES
    assert "secret" not in dumped(document)


def test_a_no_is_told_as_such() -> None:
    assert declined_document(exit_code=1)["code"] == "declined" in OTHER_CODES
