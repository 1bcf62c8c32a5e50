"""A project with one grader, and what the rules about graders say of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rftplan.errors import Diagnostic
from tests.world import Small

Row = Mapping[str, Any]

CHECK: Mapping[str, Any] = {
    "type": "string_check",
    "input": "{{sample.output_text}}",
    "operation": "eq",
    "reference": "{{item.answer}}",
}
JUDGE: Mapping[str, Any] = {
    "type": "score_model",
    "model": "gpt-4o-2024-08-06",
    "input": [{"role": "user", "content": "Compare {{item.answer}} with {{sample.output_text}}."}],
}
SIMILAR: Mapping[str, Any] = {
    "type": "text_similarity",
    "input": "{{sample.output_text}}",
    "evaluation_metric": "fuzzy_match",
    "reference": "{{item.answer}}",
}


def multi(formula: str, **members: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "multi", "graders": members, "calculate_output": formula}


def python(source: str, **rest: Any) -> dict[str, Any]:
    return {"type": "python", "source": source, **rest}


def rows(answers: Sequence[Any] = tuple("abcdefghijkl"), **more: Any) -> list[Row]:
    """A row for each answer."""
    return [
        {"messages": [{"role": "user", "content": f"Question {number}"}], "answer": answer, **more}
        for number, answer in enumerate(answers)
    ]


def strict(schema: Any, **more: Any) -> dict[str, Any]:
    """A response format; strict unless `more` says otherwise."""
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema, **more}}


def an_object(**properties: Any) -> dict[str, Any]:
    """A schema of an object as strict schemas have it."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@dataclass
class Graded:
    """Writes the project and reads what is found in it; only what the rules about graders find."""

    small: Small
    found: list[Diagnostic] = field(default_factory=list)

    def codes(
        self,
        grader: Any,
        *,
        train: Sequence[Row] | None = None,
        test: Sequence[Row] | None = None,
        response_format: Any = None,
    ) -> list[str]:
        """The codes found, in the order of the findings; the findings are kept."""
        reinforcement = {"grader": "match", **({"response_format": response_format} if response_format else {})}
        spec = {
            "project": {"name": "demo", "provider": "openai"},
            "files": {"train": {"path": "data/train.jsonl"}, "test": {"path": "data/test.jsonl"}},
            "graders": {"match": grader},
            "jobs": {
                "review": {
                    "model": "o4-mini-2025-04-16",
                    "training_file": "train",
                    "validation_file": "test",
                    "method": {"type": "reinforcement", "reinforcement": reinforcement},
                }
            },
        }
        self.small.write("specs/main.yaml", json.dumps(spec, indent=1))
        for name, written in (("train", train or rows()), ("test", test or train or rows())):
            self.small.write(f"specs/data/{name}.jsonl", "".join(json.dumps(row) + "\n" for row in written))
        found = self.small.check()
        assert [one for one in found if one.code.startswith("S")] == [], found
        self.found = [one for one in found if one.code.startswith("G")]
        return [one.code for one in self.found]

    def detail(self) -> str:
        """The one finding's detail."""
        (one,) = self.found
        return one.detail

    def hint(self) -> str | None:
        (one,) = self.found
        return one.hint
