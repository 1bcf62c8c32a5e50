"""What is sent to a model, and what is made of its answer."""

from __future__ import annotations

from typing import Any

import pytest

from rftplan.api.question import ModelAnswer, Question, answered, request_body

MESSAGES = [{"role": "user", "content": "2 + 2?"}]
ROW = Question("ft:x", MESSAGES, "row 1", item={"answer": "4"}, grader={"type": "string_check"})


def test_what_is_right_is_told_to_nobody_but_a_service_that_simulates() -> None:
    assert request_body(ROW, simulated=False) == {"model": "ft:x", "messages": MESSAGES}
    assert request_body(ROW, simulated=True)["simulate"] == {
        "item": {"answer": "4"},
        "grader": {"type": "string_check"},
    }


def test_a_body_has_what_the_job_says() -> None:
    wanted = {"type": "json_object"}
    question = Question("m", MESSAGES, "row 1", wanted, [{"type": "function"}], {"reasoning_effort": "low"})
    assert request_body(question, simulated=True) == {
        "model": "m",
        "messages": MESSAGES,
        "reasoning_effort": "low",
        "response_format": wanted,
        "tools": [{"type": "function"}],
    }


def reply(finish: str = "stop", **message: Any) -> dict[str, Any]:
    return {
        "choices": [{"message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5},
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (reply(content="4"), ModelAnswer("4", (), False, 3, 5)),
        (reply("length", content=""), ModelAnswer("", (), True, 3, 5)),
        (reply(content=None, tool_calls=[{"id": "c"}]), ModelAnswer("", ({"id": "c"},), False, 3, 5)),
        (reply(content=None, refusal="I may not."), ModelAnswer("I may not.", (), False, 3, 5)),
        ({"choices": [{"message": {"content": "4"}}], "usage": None}, ModelAnswer("4")),
    ],
)
def test_an_answer(body: dict[str, Any], expected: ModelAnswer) -> None:
    assert answered(body) == expected


@pytest.mark.parametrize("body", [{}, {"choices": []}, {"choices": [{}]}, {"choices": {}}])
def test_what_is_no_answer(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no choice with a message"):
        answered(body)
