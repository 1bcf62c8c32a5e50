"""What became of tests, as the document of `test --json`. Renders no text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rftplan.render.testing_shapes import ExpectedDocument, TestDocument, TestResultDocument

if TYPE_CHECKING:
    from rftplan.grader_tests import Expected, RanTest, RanTests


def ran_document(ran: RanTests) -> TestDocument:
    from rftplan.grader_tests import Verdict

    failed = ran.count(Verdict.FAILED)
    return {
        "format": "rftplan.test/1",
        "ok": not failed,
        "judge": {"name": ran.judge.name, "stand_in": ran.judge.stand_in} if ran.judge else None,
        "tests": [_result(one) for one in ran.tests],
        "summary": {"passed": ran.count(Verdict.PASSED), "failed": failed, "skipped": ran.count(Verdict.SKIPPED)},
    }


def _result(one: RanTest) -> TestResultDocument:
    result = one.result
    return {
        "name": one.name,
        "grader": one.grader,
        "verdict": one.verdict.value,
        "path": one.place.path,
        "line": one.place.line or 1,
        "column": one.place.column or 1,
        "expected": _expected(one.expected),
        "score": None if result is None else result.reward,
        "members": {} if result is None else result.sub_rewards,
        "errors": [
            {"flag": flag.value, "detail": detail} for flag, detail in (result.errors if result else {}).items()
        ],
        "reason": one.reason,
        "hint": one.hint,
        "seconds": round(one.seconds, 6),
    }


def _expected(expected: Expected) -> ExpectedDocument:
    ends = (end if math.isfinite(end) else None for end in (expected.low, expected.high))
    return {"min": next(ends), "max": next(ends)}
