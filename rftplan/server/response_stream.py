"""A response as server-sent events: begun, item by item, ended. Finds no answer and waits for nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from rftplan.server.event_stream import pieces

Event = dict[str, Any]


def response_events(begun: Mapping[str, Any], ended: Mapping[str, Any]) -> Iterator[str]:
    """Numbered from 0. The last event has the whole response."""
    numbers = count()
    for event in _events(begun, ended):
        body = {"type": event["type"], "sequence_number": next(numbers), **event}
        yield f"event: {event['type']}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"


def _events(begun: Mapping[str, Any], ended: Mapping[str, Any]) -> Iterator[Event]:
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    output: Sequence[Mapping[str, Any]] = ended["output"]
    for index, item in enumerate(output):
        yield {"type": "response.output_item.added", "output_index": index, "item": _started(item)}
        where = {"item_id": item["id"], "output_index": index}
        if item["type"] == "message":
            for place, part in enumerate(item["content"]):
                yield from _text(part, {**where, "content_index": place})
        if item["type"] == "function_call":
            yield from _arguments(item, where)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{ended['status']}", "response": ended}


def _started(item: Mapping[str, Any]) -> Event:
    """An item before it says anything."""
    match item["type"]:
        case "message":
            return {**item, "status": "in_progress", "content": []}
        case "function_call":
            return {**item, "status": "in_progress", "arguments": ""}
        case _:
            return dict(item)


def _text(part: Mapping[str, Any], where: Mapping[str, Any]) -> Iterator[Event]:
    yield {"type": "response.content_part.added", **where, "part": {**part, "text": ""}}
    for piece in pieces(part["text"]):
        yield {"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **where, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **where, "part": part}


def _arguments(item: Mapping[str, Any], where: Mapping[str, Any]) -> Iterator[Event]:
    for piece in pieces(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **where, "delta": piece}
    said = {"name": item["name"], "arguments": item["arguments"]}
    yield {"type": "response.function_call_arguments.done", **where, **said}
