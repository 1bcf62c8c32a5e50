"""Rows, graders and runs for the trainer's tests, made from a number: no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from rftplan.grading import Judge, StandInJudge, parse_grader
from rftplan.server.trainer import TrainingRun

VERDICTS = ("yes", "no", "needs review")
SUBJECTS = ("backups", "passwords", "audit logs", "sign-in", "retention", "encryption at rest", "staff access")
REASONS = (
    "the policy says so for every system that stores customer data",
    "section four limits it to thirty days after the contract ends",
    "nothing in the policy mentions it, so somebody has to be asked",
    "it is offered on the enterprise plan only, after approval by the owner",
)

GRADER: dict[str, Any] = {
    "type": "multi",
    "graders": {
        "compliant": {
            "type": "string_check",
            "name": "verdict",
            "input": "{{sample.output_json.compliant}}",
            "operation": "eq",
            "reference": "{{item.compliant}}",
        },
        "explanation": {
            "type": "score_model",
            "model": "gpt-4o-2024-08-06",
            "input": [{"role": "user", "content": "{{item.explanation}}\n---\n{{sample.output_json.explanation}}"}],
        },
    },
    "calculate_output": "0.5 * compliant + 0.5 * explanation",
}
RESPONSE_FORMAT: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "compliant": {"type": "string", "enum": list(VERDICTS)},
                "explanation": {"type": "string"},
            },
            "required": ["compliant", "explanation"],
            "additionalProperties": False,
        },
    },
}
EXACT: dict[str, Any] = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "operation": "eq",
    "reference": "{{item.answer}}",
}

CALLS: dict[str, Any] = {
    "type": "multi",
    "graders": {
        part: {
            "type": "string_check",
            "name": part,
            "input": f"{{{{sample.output_tools[0].function.{part}}}}}",
            "operation": "eq",
            "reference": f"{{{{item.{part}}}}}",
        }
        for part in ("name", "arguments")
    },
    "calculate_output": "0.5 * name + 0.5 * arguments",
}


def question_rows(count: int, *, seed: int = 0) -> list[dict[str, Any]]:
    """Rows of a security questionnaire, with a verdict and an explanation."""
    rng = Random(seed)
    return [_question_row(rng, 1_000 * seed + number) for number in range(count)]


def _question_row(rng: Random, number: int) -> dict[str, Any]:
    subject = rng.choice(SUBJECTS)
    return {
        "messages": [{"role": "user", "content": f"{number}. What about {subject}?"}],
        "compliant": rng.choice(VERDICTS),
        "explanation": f"For {subject} {rng.choice(REASONS)} (see paragraph {number}).",
    }


def short_rows(count: int) -> list[dict[str, Any]]:
    """Rows with a one-word answer."""
    words = ("Paris", "Rome", "Oslo", "42")
    return [
        {"messages": [{"role": "user", "content": f"q{number}"}], "answer": words[number % 4]}
        for number in range(count)
    ]


def calling_rows(count: int) -> list[dict[str, Any]]:
    """Rows with three tools, of which one is to be called with arguments of the row's own."""
    names = ("look_up", "send", "archive")
    return [
        {**row, "tools": [{"type": "function", "function": {"name": name}} for name in names]}
        | {"name": names[place % 3], "arguments": f'{{"ticket": {place}}}'}
        for place, row in enumerate(short_rows(count))
    ]


def make_run(
    train: Sequence[Mapping[str, Any]],
    valid: Sequence[Mapping[str, Any]],
    *,
    grader: Mapping[str, Any] | None = GRADER,
    response_format: Mapping[str, Any] | None = RESPONSE_FORMAT,
    seed: int = 7,
    judge: Judge | None = None,
    method: str = "reinforcement",
    start: Mapping[str, Any] | None = None,
    recorded: Sequence[Mapping[str, Any]] = (),
    **hyperparameters: Any,
) -> TrainingRun:
    """A run as the service would hand it to a trainer."""
    return TrainingRun(
        job_id="ftjob-1",
        model="o4-mini-2025-04-16",
        method=method,
        hyperparameters=hyperparameters,
        seed=seed,
        train=train,
        valid=valid,
        grader=None if grader is None else parse_grader(grader),
        response_format=response_format,
        judge=judge or StandInJudge(),
        start=start,
        recorded=recorded,
    )
