"""The reply of `graders/run`."""

from __future__ import annotations

from rftplan.grading import Flag, Result, TokenUsage

DOCUMENTED_ERRORS = {
    "formula_parse_error", "sample_parse_error", "truncated_observation_error", "unresponsive_reward_error",
    "invalid_variable_error", "other_error", "python_grader_server_error", "python_grader_server_error_type",
    "python_grader_runtime_error", "python_grader_runtime_error_details", "model_grader_server_error",
    "model_grader_refusal_error", "model_grader_parse_error", "model_grader_server_error_details",
}  # fmt: skip


def test_a_result_answers_with_every_key_of_the_vendor() -> None:
    member = Result("judge", "score_model", 0.5)
    result = Result(
        "all",
        "multi",
        0.75,
        {Flag.SAMPLE_PARSE: "not JSON"},
        {"m": TokenUsage(10, 5, 1), "n": TokenUsage(1, 1)},
        "m",
        {"judge": member},
    )
    reply = result.reply(execution_time=0.25)
    metadata = reply["metadata"]
    errors = metadata.pop("errors")
    assert reply == {
        "reward": 0.75,
        "sub_rewards": {"judge": 0.5},
        "model_grader_token_usage_per_model": {
            "m": {"prompt_tokens": 10, "total_tokens": 15, "completion_tokens": 5, "cached_tokens": 1},
            "n": {"prompt_tokens": 1, "total_tokens": 2, "completion_tokens": 1, "cached_tokens": 0},
        },
        "metadata": {
            "name": "all",
            "type": "multi",
            "execution_time": 0.25,
            "scores": {"judge": 0.5},
            "token_usage": {
                "prompt_tokens": 11,
                "total_tokens": 17,
                "completion_tokens": 6,
                "cached_tokens": 1,
            },
            "sampled_model_name": "m",
        },
    }
    assert set(errors) >= DOCUMENTED_ERRORS
    assert {key for key, value in errors.items() if value} == {
        "sample_parse_error",
        "sample_parse_error_details",
    }


def test_without_a_model_there_is_no_token_usage() -> None:
    reply = Result("x", "string_check", 1.0).reply(execution_time=0.0)
    assert reply["metadata"]["token_usage"] is None
    assert reply["metadata"]["sampled_model_name"] is None
    assert reply["model_grader_token_usage_per_model"] == {}


def test_usage_adds_up() -> None:
    assert TokenUsage(1, 2, 3) + TokenUsage(10, 20, 30) == TokenUsage(11, 22, 33)
    assert TokenUsage(1, 2, 3).times(3) == TokenUsage(3, 6, 9)
