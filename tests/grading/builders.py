"""Grader definitions for the tests, as a user would write them."""

from __future__ import annotations

from typing import Any

EQUAL: dict[str, Any] = {
    "type": "string_check",
    "name": "equal",
    "input": "{{sample.output_text}}",
    "reference": "{{item.label}}",
    "operation": "eq",
}
SIMILAR: dict[str, Any] = {
    "type": "text_similarity",
    "name": "similar",
    "input": "{{sample.output_text}}",
    "reference": "{{item.label}}",
    "evaluation_metric": "fuzzy_match",
}
JUDGED: dict[str, Any] = {
    "type": "score_model",
    "name": "judged",
    "model": "gpt-4o-2024-08-06",
    "input": [{"role": "user", "content": "Reference: {{item.label}}\nAnswer: {{sample.output_text}}"}],
}
PYTHON: dict[str, Any] = {
    "type": "python",
    "name": "code",
    "source": "def grade(sample, item):\n    return 1.0\n",
}


def multi(formula: str, **graders: dict[str, Any]) -> dict[str, Any]:
    """A multi grader over these members."""
    return {"type": "multi", "name": "all", "graders": graders, "calculate_output": formula}
