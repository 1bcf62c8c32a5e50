"""The shapes of what `test --json` prints. Types alone; fields may be added, never renamed."""

from __future__ import annotations

from typing import TypedDict

from rftplan.render.grade_shapes import JudgeDocument


class ExpectedDocument(TypedDict):
    min: float | None
    max: float | None


class RaisedErrorDocument(TypedDict):
    flag: str
    detail: str


class TestResultDocument(TypedDict):
    """`score` is None where nothing was graded."""

    name: str
    grader: str
    verdict: str
    path: str
    line: int
    column: int
    expected: ExpectedDocument
    score: float | None
    members: dict[str, float]
    errors: list[RaisedErrorDocument]
    reason: str | None
    hint: str | None
    seconds: float


class TestSummaryDocument(TypedDict):
    passed: int
    failed: int
    skipped: int


class TestDocument(TypedDict):
    """`ok`: none failed."""

    format: str
    ok: bool
    judge: JudgeDocument | None
    tests: list[TestResultDocument]
    summary: TestSummaryDocument
