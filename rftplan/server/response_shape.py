"""What a response is made of: the object, its output items, its usage. Finds no answer and reads no request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rftplan.server.asking import Reply
from rftplan.server.trainer import Answer

Shape = dict[str, Any]


def response_shape(reply_id: str, reply: Reply, said: Mapping[str, Any], *, created_at: int) -> Shape:
    """A response that has not begun: without output, end and usage."""
    return {
        "id": reply_id,
        "object": "response",
        "created_at": created_at,
        "completed_at": None,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "max_tool_calls": None,
        "model": reply.model,
        "output": [],
        "previous_response_id": None,
        "prompt_cache_key": None,
        "safety_identifier": None,
        "service_tier": "default",
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        **said,
    }


def ended(begun: Mapping[str, Any], reply: Reply, output: Sequence[Shape], *, at: int) -> Shape:
    """The same response with all that it said."""
    details = {"reason": "max_output_tokens"} if reply.cut else None
    return {
        **begun,
        "status": "incomplete" if reply.cut else "completed",
        "completed_at": None if reply.cut else at,
        "incomplete_details": details,
        "output": list(output),
        "usage": _usage(reply.answers[0]),
    }


def output_items(reply: Reply, new_id: Callable[[str], str]) -> list[Shape]:
    """What the model thought, if it does, then what it says, or the calls it wants."""
    answer, status = reply.answers[0], "incomplete" if reply.cut else "completed"
    items: list[Shape] = []
    if answer.reasoning_tokens:
        items.append({"id": new_id("rs_"), "type": "reasoning", "summary": []})
    if answer.text or not (answer.tool_calls or reply.cut):
        items.append(
            {
                "id": new_id("msg_"),
                "type": "message",
                "status": status,
                "role": "assistant",
                "content": [{"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}],
            }
        )
    for call in answer.tool_calls:
        items.append(
            {
                "id": new_id("fc_"),
                "type": "function_call",
                "status": status,
                "call_id": new_id("call_"),
                "name": call.name,
                "arguments": call.arguments,
            }
        )
    return items


def _usage(answer: Answer) -> Shape:
    return {
        "input_tokens": answer.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": answer.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }
