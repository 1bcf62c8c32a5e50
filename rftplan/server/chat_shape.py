"""What a chat completion is made of: choices, calls, usage. Finds no answer and reads no request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rftplan.server.asking import Reply
from rftplan.server.trainer import Answer, ToolCall


def usage_of(answers: Sequence[Answer]) -> dict[str, Any]:
    """The prompt counts once, however many answers there are."""
    prompt = answers[0].prompt_tokens
    completion = sum(answer.completion_tokens for answer in answers)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": sum(answer.reasoning_tokens for answer in answers),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def finish_reason(reply: Reply, place: int) -> str:
    if place in reply.cut:
        return "length"
    return "tool_calls" if reply.answers[place].tool_calls else "stop"


def tool_call_shape(call: ToolCall, *, reply_id: str, choice: int, place: int) -> dict[str, Any]:
    """Its id is made from the reply's."""
    own = f"call_{reply_id.removeprefix('chatcmpl-')}_{choice}_{place}"
    return {"id": own, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def choice_shape(reply: Reply, place: int, reply_id: str) -> dict[str, Any]:
    answer = reply.answers[place]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if answer.tool_calls and not answer.text else answer.text,
        "refusal": None,
        "annotations": [],
    }
    if answer.tool_calls:
        message["tool_calls"] = [
            tool_call_shape(call, reply_id=reply_id, choice=place, place=number)
            for number, call in enumerate(answer.tool_calls)
        ]
    return {"index": place, "message": message, "logprobs": None, "finish_reason": finish_reason(reply, place)}
