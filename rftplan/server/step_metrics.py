"""Tallies of one step → the data of its metrics event and its checkpoint's metrics (FACTS §3.4, §3.5).

Decides nothing about training. Times are simulated seconds, computed from the tokens, so that a trajectory
can be repeated. Where validation did not run at a step its means are null and its counts 0: our policy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from rftplan.grading import Flag, Grader, GraderType, Multi, Result, ScoreModel, TokenUsage
from rftplan.server import tally
from rftplan.server.tally import Graded, Tally

_SECONDS_PER_SAMPLED_TOKEN = 0.0001
_SECONDS_PER_TRAINED_TOKEN = 0.0002
_SECONDS_AROUND_A_STEP = 1.0
LATENCY = {  # seconds a grader takes, as all that reports a time here says
    GraderType.STRING_CHECK: 0.0001,
    GraderType.TEXT_SIMILARITY: 0.0005,
    GraderType.SCORE_MODEL: 2.0,
    GraderType.PYTHON: 0.2,
    GraderType.MULTI: 0.0001,
}
_COMMON_ERRORS = (Flag.OTHER, Flag.SAMPLE_PARSE, Flag.INVALID_VARIABLE)
_ERRORS = {
    GraderType.PYTHON: (*_COMMON_ERRORS, Flag.PYTHON_SERVER, Flag.PYTHON_RUNTIME),
    GraderType.SCORE_MODEL: (*_COMMON_ERRORS, Flag.MODEL_SERVER),
}


class Part(Struct, frozen=True):
    """A grader as the event lists it: a member of a `multi` by its key, or the whole for None."""

    grader: Grader
    key: str | None

    @property
    def label(self) -> dict[str, Any]:
        return {"name": self.grader.name, "type": self.grader.type.value}

    @property
    def counted_flags(self) -> Sequence[Flag]:
        """The errors that the event counts for this type; all others are other_error."""
        return _ERRORS.get(self.grader.type, _COMMON_ERRORS)

    def result(self, graded: Graded) -> Result:
        return graded.result if self.key is None else graded.result.members[self.key]

    def reward(self, graded: Graded) -> float:
        return self.result(graded).reward

    def prompt_tokens(self, graded: Graded) -> float:
        return sum(usage.prompt_tokens for usage in self.result(graded).token_usage.values())

    def completion_tokens(self, graded: Graded) -> float:
        return sum(usage.completion_tokens for usage in self.result(graded).token_usage.values())

    def failed(self, samples: Tally) -> Counter[Flag]:
        """How many samples are to be counted under each flag; a sample counts once under each."""
        counted, failed = self.counted_flags, Counter[Flag]()
        for graded, count in samples.counts.items():
            for flag in {raised if raised in counted else Flag.OTHER for raised in self._raised(graded)}:
                failed[flag] += count
        return failed

    def _raised(self, graded: Graded) -> Sequence[Flag]:
        if self.key is None and graded.result.members:
            return [flag for flag in graded.result.errors if flag is Flag.FORMULA_PARSE]
        return list(self.result(graded).errors)


def parts_of(grader: Grader) -> list[Part]:
    """The graders whose rewards and tokens are listed: a `multi`'s members, or the grader itself."""
    if isinstance(grader, Multi):
        return [Part(member, key) for key, member in grader.members.items()]
    return [Part(grader, None)]


class StepFigures(Struct, frozen=True):
    """What one step gave."""

    number: int
    total: int
    grader: Grader
    train: Tally
    valid: Tally

    @property
    def validated(self) -> bool:
        return bool(self.valid.counts)

    @property
    def message(self) -> str:
        """The vendor's line; without validation it stops after the training reward."""
        line = f"Step {self.number}/{self.total} , train mean reward={self.train.mean_of(tally.reward):.2f}"
        if not self.validated:
            return line
        return (
            f"{line}, full validation mean reward={self.valid.mean_of(tally.reward):.2f}"
            f", full validation mean parse error={self.valid.mean_of(tally.parse_error):.2f}"
        )

    def event_data(self) -> dict[str, Any]:
        """The data of the step's metrics event."""
        parts = parts_of(self.grader)
        # A formula fails as a whole, not in a member, so a `multi` itself is listed among the errors.
        failing = parts if parts[0].key is None else [*parts, Part(self.grader, None)]
        return {
            "step": self.number,
            "total_steps": self.total,
            "usage": {
                "graders": [self._usage(part) for part in parts if isinstance(part.grader, ScoreModel)],
                "samples": self._figure("reasoning_tokens", tally.reasoning_tokens),
            },
            "errors": {"graders": [self._errors(part) for part in failing]},
            "scores": {
                "graders": [part.label | self._means("reward", part.reward) for part in parts],
                **self._means("reward", tally.reward),
            },
            "timing": {"step": self._seconds(), "graders": [self._latency(part) for part in parts]},
            **self._flat_keys(),
            "model_graders_token_usage": self._usage_per_model(),
        }

    def checkpoint(self) -> dict[str, float] | None:
        """The metrics of the checkpoint that a validated step leaves; None for another step."""
        if not self.validated:
            return None
        figures = self._flat_keys()
        names = (
            "train_mean_reward",
            "full_valid_mean_reward",
            "full_valid_mean_parse_error",
            "completion_tokens_mean",
            "reasoning_tokens_mean",
            "valid_reasoning_tokens_mean",
            "mean_unresponsive_rewards",
        )
        metrics = {name: value for name in names if (value := figures[name]) is not None}
        return {
            **metrics,
            "train_reward_mean": metrics["train_mean_reward"],
            "valid_reward_mean": metrics["full_valid_mean_reward"],
        }

    def _flat_keys(self) -> dict[str, float | None]:
        return {
            "train_mean_reward": self.train.mean_of(tally.reward),
            "full_valid_mean_reward": self.valid.mean_of(tally.reward),
            "full_valid_mean_parse_error": self.valid.mean_of(tally.parse_error),
            "mean_unresponsive_rewards": self.train.mean_of(tally.unresponsive),
            "reasoning_tokens_mean": self.train.mean_of(tally.reasoning_tokens),
            "valid_reasoning_tokens_mean": self.valid.mean_of(tally.reasoning_tokens),
            "completion_tokens_mean": self.train.mean_of(tally.completion_tokens),
        }

    def _means(self, name: str, figure: Callable[[Graded], float]) -> dict[str, Any]:
        return {
            f"train_{name}_mean": self.train.mean_of(figure),
            f"valid_{name}_mean": self.valid.mean_of(figure),
        }

    def _figure(self, name: str, figure: Callable[[Graded], float]) -> dict[str, Any]:
        return self._totals(name, self.train.sum_of(figure), self.valid.sum_of(figure))

    def _totals(self, name: str, train: float, valid: float) -> dict[str, Any]:
        """Means and counts; the vendor's `count` is a total, not a number of samples."""
        return {
            f"train_{name}_mean": self.train.share_of(train),
            f"valid_{name}_mean": self.valid.share_of(valid),
            f"train_{name}_count": train,
            f"valid_{name}_count": valid,
        }

    def _usage(self, part: Part) -> dict[str, Any]:
        assert isinstance(part.grader, ScoreModel)
        return {
            **part.label,
            "model": part.grader.model,
            **self._figure("prompt_tokens", part.prompt_tokens),
            **self._figure("completion_tokens", part.completion_tokens),
        }

    def _errors(self, part: Part) -> dict[str, Any]:
        train, valid = part.failed(self.train), part.failed(self.valid)
        errors = part.label
        for flag in part.counted_flags:
            errors |= self._totals(flag.value, float(train[flag]), float(valid[flag]))
        return errors

    def _seconds(self) -> dict[str, float]:
        trained = self.train.sum_of(tally.completion_tokens)
        step = {
            "sampling": trained * _SECONDS_PER_SAMPLED_TOKEN,
            "training": trained * _SECONDS_PER_TRAINED_TOKEN,
            "eval": self.valid.sum_of(tally.completion_tokens) * _SECONDS_PER_SAMPLED_TOKEN,
        }
        return step | {"full_iteration": sum(step.values()) + _SECONDS_AROUND_A_STEP}

    def _latency(self, part: Part) -> dict[str, Any]:
        seconds = LATENCY[part.grader.type]
        return {
            **part.label,
            "train_execution_latency_mean": seconds,
            "valid_execution_latency_mean": seconds if self.validated else None,
        }

    def _usage_per_model(self) -> dict[str, dict[str, int]]:
        train, valid = _usage_of(self.train), _usage_of(self.valid)
        return {model: _both(train.get(model), valid.get(model)) for model in sorted({*train, *valid})}


def _usage_of(samples: Tally) -> Mapping[str, TokenUsage]:
    usage: dict[str, TokenUsage] = {}
    for graded, count in samples.counts.items():
        for model, tokens in graded.result.token_usage.items():
            usage[model] = usage.get(model, TokenUsage()) + tokens.times(count)
    return usage


def _both(train: TokenUsage | None, valid: TokenUsage | None) -> dict[str, int]:
    body: dict[str, int] = {}
    for split, usage in (("train", train or TokenUsage()), ("eval", valid or TokenUsage())):
        body[f"{split}_prompt_tokens"] = usage.prompt_tokens
        body[f"{split}_completion_tokens"] = usage.completion_tokens
        body[f"{split}_cached_tokens"] = usage.cached_tokens
    return body
