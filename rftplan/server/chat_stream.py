"""A chat completion as server-sent events: the same answer in pieces. Finds no answer and waits for nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from rftplan.server.asking import Reply
from rftplan.server.chat_shape import finish_reason, tool_call_shape, usage_of
from rftplan.server.event_stream import pieces


def chat_events(reply: Reply, *, head: Mapping[str, Any], include_usage: bool) -> Iterator[str]:
    """`head` is what all chunks have in common, except that the first alone says how the answer was simulated.

    With usage, all but the last chunk have a null there.
    """
    first = {"object": "chat.completion.chunk", **head} | ({"usage": None} if include_usage else {})
    common = {key: value for key, value in first.items() if key != "simulation"}
    choices = chain.from_iterable(_choices(reply, place, str(head["id"])) for place in range(len(reply.answers)))
    yield _sent({**first, "choices": [next(choices)]})
    for choice in choices:
        yield _sent({**common, "choices": [choice]})
    if include_usage:
        yield _sent({**common, "choices": [], "usage": usage_of(reply.answers)})
    yield "data: [DONE]\n\n"


def _choices(reply: Reply, place: int, reply_id: str) -> Iterator[dict[str, Any]]:
    for delta in _deltas(reply, place, reply_id):
        yield _choice(place, delta, None)
    yield _choice(place, {}, finish_reason(reply, place))


def _choice(place: int, delta: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
    return {"index": place, "delta": delta, "logprobs": None, "finish_reason": reason}


def _deltas(reply: Reply, place: int, reply_id: str) -> Iterator[dict[str, Any]]:
    answer = reply.answers[place]
    empty = None if answer.tool_calls and not answer.text else ""
    yield {"role": "assistant", "content": empty, "refusal": None}
    for piece in pieces(answer.text):
        yield {"content": piece}
    for number, call in enumerate(answer.tool_calls):
        shape = tool_call_shape(call, reply_id=reply_id, choice=place, place=number)
        started = {**shape, "function": {"name": call.name, "arguments": ""}}
        yield {"tool_calls": [{"index": number, **started}]}
        for piece in pieces(call.arguments):
            yield {"tool_calls": [{"index": number, "function": {"arguments": piece}}]}


def _sent(body: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"
