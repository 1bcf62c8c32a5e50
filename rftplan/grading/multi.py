"""A formula over other graders. Knows nothing of how they grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rftplan.grading.expressions import Formula, FormulaError
from rftplan.grading.graders import Grader, GraderType, Item
from rftplan.grading.judges import Judge
from rftplan.grading.result import Flag, Result, TokenUsage
from rftplan.grading.sample import Sample
from rftplan.grading.templates import Reference


@dataclass(frozen=True, slots=True)
class Multi:
    """A formula over other graders' rewards. A member that fails counts as 0; its flags are the whole's."""

    name: str
    members: Mapping[str, Grader]
    formula: Formula
    definition: Mapping[str, Any] = field(repr=False)

    @property
    def type(self) -> GraderType:
        return GraderType.MULTI

    @property
    def references(self) -> Sequence[Reference]:
        return tuple(reference for member in self.members.values() for reference in member.references)

    @property
    def refusal(self) -> str | None:
        refusals = ((key, refusal) for key, member in self.members.items() if (refusal := member.refusal) is not None)
        return next((f"Grader '{key}': {refusal}" for key, refusal in refusals), None)

    def grade(self, sample: Sample, item: Item, judge: Judge) -> Result:
        return self.combined({key: member.grade(sample, item, judge) for key, member in self.members.items()})

    def combined(self, results: Mapping[str, Result]) -> Result:
        """What the members' results of one answer come to."""
        errors = _merged_errors(results)
        try:
            reward = self.formula.value({key: result.reward for key, result in results.items()})
        except FormulaError as error:
            reward, errors[Flag.FORMULA_PARSE] = 0.0, error.message
        models = dict.fromkeys(result.sampled_model_name for result in results.values())
        return Result(
            self.name,
            "multi",
            reward,
            errors,
            _merged_usage(results),
            ", ".join(model for model in models if model) or None,
            results,
        )


def _merged_errors(results: Mapping[str, Result]) -> dict[Flag, str]:
    errors: dict[Flag, str] = {}
    for key, result in results.items():
        for flag, details in result.errors.items():
            errors[flag] = f"{errors[flag]}; {key}: {details}" if flag in errors else f"{key}: {details}"
    return errors


def _merged_usage(results: Mapping[str, Result]) -> dict[str, TokenUsage]:
    usage: dict[str, TokenUsage] = {}
    for result in results.values():
        for model, tokens in result.token_usage.items():
            usage[model] = usage.get(model, TokenUsage()) + tokens
    return usage
