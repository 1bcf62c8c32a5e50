"""Findings about rows, from a project of two files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.findings import edited, found_in
from tests.world import SPEC, Small

TRAIN, TEST = "specs/data/train.jsonl", "specs/data/test.jsonl"
METHOD = SPEC[SPEC.index("    method:") : SPEC.index("deployments:")]
BY_METHOD = {
    "reinforcement": SPEC,
    "supervised": edited(
        (METHOD, "    method: {type: supervised}\n"),
        ("    gates:\n      - {metric: valid_reward_mean, at_least: 0.1}\n", ""),
    ),
    "dpo": edited(
        (METHOD, "    method: {type: dpo}\n"), ("    gates:\n      - {metric: valid_reward_mean, at_least: 0.1}\n", "")
    ),
}


def jsonl(rows: Sequence[Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def said(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def good(method: str, number: int) -> dict[str, Any]:
    """A row that is right for the method, unlike that of any other number."""
    asked = said("user", f"What is {number} + 1?")
    answered = said("assistant", f"{number + 1}")
    if method == "dpo":
        return {
            "input": {"messages": [asked]},
            "preferred_output": [answered],
            "non_preferred_output": [said("assistant", "no idea")],
        }
    if method == "supervised":
        return {"messages": [asked, answered]}
    return {"messages": [asked], "answer": f"{number + 1}"}


def found(
    small: Small, method: str, train: Sequence[Any], test: Sequence[Any] | None = None, *, spec: str | None = None
) -> list[str]:
    """What is found of these rows, filled up with good ones so that there are enough; other files aside."""
    filled = [*train, *(good(method, number) for number in range(1000, 1012))]
    test = [good(method, number) for number in range(2000, 2050)] if test is None else test
    lines = found_in(small, spec or BY_METHOD[method], **{TRAIN: jsonl(filled), TEST: jsonl(test)})
    return [line for line in lines if line.startswith("D")]
