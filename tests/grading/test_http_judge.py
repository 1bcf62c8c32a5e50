"""A judge over HTTP: what it sends, what it makes of replies, and where its key goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from rftplan.grading import Flag, HttpJudge, JudgeFailure, JudgeMessage, JudgeRequest, TokenUsage

KEY = "secret-key-of-the-judge"
REQUEST = JudgeRequest(
    model="gpt-4o-2024-08-06",
    messages=(JudgeMessage("developer", "Be strict."), JudgeMessage("user", "Score \ud800 this.")),
    range=(0.0, 5.0),
    answer="a",
    references=("b",),
    sampling_params={"max_completions_tokens": 100, "seed": 3, "temperature": None},
)


def completion(content: Any, **choice: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}}
    message = {"role": "assistant", "content": content, "refusal": choice.pop("refusal", None)}
    return {"choices": [{"message": message, "finish_reason": "stop", **choice}], "usage": usage}


def judge(reply: Callable[[httpx2.Request], httpx2.Response], model: str | None = None) -> HttpJudge:
    transport = httpx2.MockTransport(reply)
    return HttpJudge("http://127.0.0.1:8000/v1/", model, KEY, transport=transport)


def answering(body: Any, status: int = 200) -> HttpJudge:
    return judge(lambda _: httpx2.Response(status, json=body))


def test_it_asks_the_graders_own_model_with_the_shape_that_the_service_imposes() -> None:
    seen: list[httpx2.Request] = []

    def reply(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json=completion('{"steps": [], "result": 4.5}'))

    asked = judge(reply)
    answer = asked.score(REQUEST)
    asked.close()
    assert answer.outcome == 4.5
    assert (answer.model, answer.usage) == ("gpt-4o-2024-08-06", TokenUsage(7, 3, 2))
    (request,) = seen
    assert str(request.url) == "http://127.0.0.1:8000/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    body = json.loads(request.content)
    schema = body.pop("response_format")["json_schema"]["schema"]
    assert set(schema["properties"]) == {"result", "steps"}
    assert body == {
        "model": "gpt-4o-2024-08-06",
        "messages": [
            {"role": "developer", "content": "Be strict."},
            {"role": "user", "content": "Score \ud800 this."},
        ],
        "max_completion_tokens": 100,
        "seed": 3,
    }


def test_a_model_of_its_own_takes_the_place_of_the_graders() -> None:
    answer = judge(lambda _: httpx2.Response(200, json=completion('{"result": 1}')), "llama").score(REQUEST)
    assert (answer.model, answer.outcome) == ("llama", 1.0)


@pytest.mark.parametrize(
    ("body", "flag"),
    [
        (completion("four"), Flag.MODEL_PARSE),
        (completion('{"result": "4"}'), Flag.MODEL_PARSE),
        (completion('{"result": true}'), Flag.MODEL_PARSE),
        (completion('{"result": 1e999}'), Flag.MODEL_PARSE),
        (completion('{"result": 1' + "0" * 400 + "}"), Flag.MODEL_PARSE),
        (completion(None), Flag.MODEL_PARSE),
        (completion(None, refusal="I will not."), Flag.MODEL_REFUSAL),
        (completion('{"resu', finish_reason="length"), Flag.MODEL_EXCEEDED_MAX_TOKENS),
        ({"choices": []}, Flag.MODEL_SERVER),
        ([1], Flag.MODEL_SERVER),
        ({"choices": [{"message": None}]}, Flag.MODEL_SERVER),
        (None, Flag.MODEL_SERVER),
    ],
)
def test_a_reply_without_a_score_is_a_flag(body: Any, flag: Flag) -> None:
    outcome = answering(body).score(REQUEST).outcome
    assert isinstance(outcome, JudgeFailure)
    assert outcome.flag is flag


def test_an_error_of_the_service_is_told_without_the_key() -> None:
    outcome = answering({"error": {"message": f"Incorrect API key: {KEY}"}}, 401).score(REQUEST).outcome
    assert isinstance(outcome, JudgeFailure)
    assert outcome.flag is Flag.MODEL_SERVER
    assert "HTTP 401" in outcome.details
    assert KEY not in outcome.details


def test_a_judge_that_cannot_be_reached_is_a_flag() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectTimeout("timed out", request=request)

    outcome = judge(refuse).score(REQUEST).outcome
    assert isinstance(outcome, JudgeFailure)
    assert outcome == JudgeFailure(Flag.MODEL_SERVER, "The judge could not be asked: timed out")


def test_a_base_url_that_is_none_is_a_flag() -> None:
    outcome = HttpJudge("http://[").score(REQUEST).outcome
    assert isinstance(outcome, JudgeFailure)
    assert outcome.flag is Flag.MODEL_SERVER


def test_a_key_that_no_header_can_carry_is_a_flag() -> None:
    outcome = HttpJudge("http://127.0.0.1:9/v1", None, "ключ").score(REQUEST).outcome
    assert isinstance(outcome, JudgeFailure)
    assert "ключ" not in outcome.details


def test_its_key_is_not_shown() -> None:
    assert KEY not in repr(HttpJudge("http://127.0.0.1/v1", None, KEY))
