"""The shapes of what `grade --json` prints. Types alone; fields may be added, never renamed."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class TriedOnDocument(TypedDict):
    """Where answers came from: made of the rows of a file, or the samples in it."""

    kind: str
    path: str
    total: int
    used: int


class JudgeDocument(TypedDict):
    name: str
    stand_in: bool


class GraderErrorDocument(TypedDict):
    flag: str
    count: int
    detail: str


class PairsDocument(TypedDict):
    """Rows in which the right answer scores more than this one, as much, or less; `undecided` are those that only the
    stand-in judge tells apart. Answers that are right, or partly so, are left out."""

    higher: int
    ties: int
    lower: int
    undecided: int


class AnswersDocument(TypedDict):
    """All answers of one kind."""

    answer: str
    count: int
    mean: float
    low: float
    high: float
    members: dict[str, float]
    failed: int
    errors: list[GraderErrorDocument]
    pairs: PairsDocument | None
    text: NotRequired[str]


class SampleScoreDocument(TypedDict):
    line: int
    score: float
    members: dict[str, float]
    errors: list[GraderErrorDocument]


class BinDocument(TypedDict):
    low: float
    high: float
    counts: dict[str, int]


class GradeDocument(TypedDict):
    """`ok` is false only for the verdict "does-not-separate"."""

    format: str
    ok: bool
    grader: str
    type: str
    job: str | None
    tried_on: TriedOnDocument
    judge: JudgeDocument | None
    python: str | None
    answers: list[AnswersDocument]
    samples: NotRequired[list[SampleScoreDocument]]
    histogram: list[BinDocument]
    verdict: str
    why: str
    detail: str
    hint: str | None
    remarks: list[str]
