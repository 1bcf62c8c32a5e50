"""What grading one sample gave, in memory and in the shape of a `graders/run` reply. Grades nothing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field


class Flag(StrEnum):
    """The vendor's names for what can go wrong while grading; a failing grader is a reply with a flag."""

    FORMULA_PARSE = "formula_parse_error"
    SAMPLE_PARSE = "sample_parse_error"
    TRUNCATED_OBSERVATION = "truncated_observation_error"
    UNRESPONSIVE_REWARD = "unresponsive_reward_error"
    INVALID_VARIABLE = "invalid_variable_error"
    OTHER = "other_error"
    PYTHON_SERVER = "python_grader_server_error"
    PYTHON_RUNTIME = "python_grader_runtime_error"
    MODEL_SERVER = "model_grader_server_error"
    MODEL_REFUSAL = "model_grader_refusal_error"
    MODEL_PARSE = "model_grader_parse_error"
    MODEL_EXCEEDED_MAX_TOKENS = "model_grader_exceeded_max_tokens_error"


# Beside these flags the reply has a key for what happened; `python_grader_server_error` says a type instead.
_DETAIL_KEYS = {
    Flag.SAMPLE_PARSE: "sample_parse_error_details",
    Flag.INVALID_VARIABLE: "invalid_variable_error_details",
    Flag.PYTHON_SERVER: "python_grader_server_error_type",
    Flag.PYTHON_RUNTIME: "python_grader_runtime_error_details",
    Flag.MODEL_SERVER: "model_grader_server_error_details",
    Flag.MODEL_REFUSAL: "model_grader_refusal_error_details",
    Flag.MODEL_PARSE: "model_grader_parse_error_details",
}


class TokenUsage(Struct, frozen=True):
    """Tokens that a grader model used for one score."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0

    def __add__(self, other: TokenUsage) -> TokenUsage:
        return TokenUsage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
        )

    def times(self, count: int) -> TokenUsage:
        """What so many equal scores used."""
        return TokenUsage(self.prompt_tokens * count, self.completion_tokens * count, self.cached_tokens * count)

    def reply(self) -> dict[str, int]:
        """The vendor's object; `total_tokens` is prompt plus completion."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "completion_tokens": self.completion_tokens,
            "cached_tokens": self.cached_tokens,
        }


class Result(Struct, frozen=True):
    """One sample's score.

    `errors` holds only the flags that were raised, each with what happened. `sampled_model_name` is the model
    that judged, or the stand-in's own name. A `multi` has its members' results, by their keys.
    """

    name: str
    type: str
    reward: float
    errors: Mapping[Flag, str] = field(default_factory=dict)
    token_usage: Mapping[str, TokenUsage] = field(default_factory=dict)
    sampled_model_name: str | None = None
    members: Mapping[str, Result] = field(default_factory=dict)

    @property
    def sub_rewards(self) -> dict[str, float]:
        """Each member's reward by its key; empty unless the grader is a `multi`."""
        return {key: member.reward for key, member in self.members.items()}

    def reply(self, *, execution_time: float) -> dict[str, Any]:
        """The body of a `graders/run` reply; `execution_time` in seconds, measured by the caller."""
        return {
            "reward": self.reward,
            "sub_rewards": self.sub_rewards,
            "model_grader_token_usage_per_model": {model: usage.reply() for model, usage in self.token_usage.items()},
            "metadata": {
                "name": self.name,
                "type": self.type,
                "execution_time": execution_time,
                "scores": self.sub_rewards,
                "token_usage": self._total_usage(),
                "sampled_model_name": self.sampled_model_name,
                "errors": error_reply(self.errors),
            },
        }

    def _total_usage(self) -> dict[str, int] | None:
        if not self.token_usage:
            return None
        return sum(self.token_usage.values(), TokenUsage()).reply()


def error_reply(errors: Mapping[Flag, str]) -> dict[str, bool | str | None]:
    """Every flag of the vendor as a boolean, with its details key where it has one (null if not raised)."""
    body: dict[str, bool | str | None] = {}
    for flag in Flag:
        body[flag.value] = flag in errors
        if flag in _DETAIL_KEYS:
            body[_DETAIL_KEYS[flag]] = errors.get(flag)
    return body
