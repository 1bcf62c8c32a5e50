"""Raw replies about the samples of a validation into the port's types. Sends nothing; knows no SDK and no fault."""

from __future__ import annotations

from typing import Any

from rftplan.api.port import SampledAnswer, SampledRow
from rftplan.api.wire import grader_run, needed_integer, needed_text, simulation
from rftplan.canonical import JsonObject


def sampled_row(body: JsonObject) -> SampledRow:
    """ValueError, saying what is wrong, as all of `wire` does."""
    return SampledRow(
        id=needed_text(body, "id"),
        step=needed_integer(body, "step_number"),
        row=needed_integer(body, "row"),
        messages=_objects(body, "messages"),
        item=_object(body, "item"),
        answers=tuple(_answer(one) for one in _objects(body, "samples")),
        simulation=simulation(body),
    )


def _answer(body: JsonObject) -> SampledAnswer:
    kind, reply, text = body.get("kind"), _object(body, "grader"), body.get("output_text")
    if not isinstance(text, str):  # an empty one is an answer
        raise ValueError("its output_text is no text")
    return SampledAnswer(
        text=text,
        tools=_objects(body, "output_tools"),
        scored=grader_run(reply),
        kind=kind if isinstance(kind, str) else None,
        grader=reply,
    )


def _object(body: JsonObject, key: str) -> JsonObject:
    value: Any = body.get(key)
    if not isinstance(value, dict):
        raise ValueError(f"its {key} is not an object")
    return value


def _objects(body: JsonObject, key: str) -> tuple[JsonObject, ...]:
    value: Any = body.get(key)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError(f"its {key} is not a list of objects")
    return tuple(value)
