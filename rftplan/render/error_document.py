"""What ended a command, as its one document for programs. Describes no bug: the traceback is for people."""

from __future__ import annotations

from typing import Final

from rftplan.errors import ApiError, RefusedPlanError, RftplanError
from rftplan.render.documents import finding_document
from rftplan.render.error_shapes import ErrorDocument
from rftplan.render.shapes import CauseDocument

SEVERAL: Final = "several"
DECLINED: Final = "declined"
INTERRUPTED: Final = "interrupted"
BUG: Final = "bug"
OTHER_CODES: Final = (SEVERAL, DECLINED, INTERRUPTED, BUG)
"""The codes of `rftplan.error/1` that no error class has."""


def error_document(error: BaseException, *, exit_code: int) -> ErrorDocument:
    """Why a command could not do what it was asked. Our errors say it themselves; several come as a group."""
    errors = _leaves(error)
    causes = [_cause(each) for each in errors]
    one = causes[0] if len(causes) == 1 else None
    document: ErrorDocument = {
        "format": "rftplan.error/1",
        "code": one["code"] if one else SEVERAL,
        "exit_code": exit_code,
        "error": "; ".join(cause["error"] for cause in causes),
        "hint": one["hint"] if one else None,
        "diagnostics": [
            finding_document(found) for each in errors if isinstance(each, RftplanError) for found in each.diagnostics
        ],
    }
    if isinstance(error, ApiError):
        document["service"] = {
            "status": error.status,
            "code": error.code,
            "param": error.param,
            "request_id": error.request_id,
        }
    if moved := [each for error in errors if isinstance(error, RefusedPlanError) for each in error.moved]:
        document["moved"] = [{"address": m.address, "planned": m.planned, "now": m.now} for m in moved]
    if one is None:
        document["causes"] = causes
    return document


def declined_document(*, exit_code: int) -> ErrorDocument:
    """In place of an apply's document when the answer at the prompt was no."""
    return {
        "format": "rftplan.error/1",
        "code": DECLINED,
        "exit_code": exit_code,
        "error": "the answer was no, and nothing was done",
        "hint": None,
        "diagnostics": [],
    }


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]


def _cause(error: BaseException) -> CauseDocument:
    match error:
        case RftplanError():
            return {"code": error.error_code, "error": str(error), "hint": error.hint}
        case KeyboardInterrupt():
            return {"code": INTERRUPTED, "error": "interrupted", "hint": None}
        case _:
            hint = "please report it with what stands on stderr; the command can be run again"
            return {"code": BUG, "error": f"a bug in rftplan: {type(error).__name__}", "hint": hint}
