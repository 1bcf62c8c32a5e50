"""What a model is asked once, and what it says. Values only; knows no wire and no grader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from rftplan.canonical import Json, JsonObject


class Question(Struct, frozen=True):
    """One prompt for one model. `params` are sent as the API names them.

    `item` is the row that the prompt is of, and `grader` what would score the answer: only a service that simulates is
    told, which cannot answer otherwise. `about` says in a message which row it is.
    """

    model: str
    messages: Sequence[Json]
    about: str
    response_format: Json = None
    tools: Sequence[Json] = ()
    params: JsonObject = field(default_factory=dict)
    item: JsonObject | None = None
    grader: JsonObject | None = None


class ModelAnswer(Struct, frozen=True):
    """`cut` where it ran into a limit. Tokens as the service counts them, those of reasoning with the completion's."""

    text: str
    tools: Sequence[JsonObject] = ()
    cut: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0


def request_body(question: Question, *, simulated: bool) -> JsonObject:
    """A chat completion's body. What only a simulating service is told goes to no other."""
    body: JsonObject = {"model": question.model, "messages": [*question.messages], **question.params}
    if question.response_format is not None:
        body["response_format"] = question.response_format
    if question.tools:
        body["tools"] = [*question.tools]
    if simulated and question.item is not None:
        told: JsonObject = {"item": question.item}
        body["simulate"] = {**told, "grader": question.grader} if question.grader is not None else told
    return body


def answered(body: Mapping[str, Json]) -> ModelAnswer:
    """The first choice of a chat completion. ValueError, saying what is wrong, as all of `wire` does."""
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise ValueError("it has no choice with a message")
    text, calls, refusal = message.get("content"), message.get("tool_calls"), message.get("refusal")
    said = text if isinstance(text, str) else refusal if isinstance(refusal, str) else ""
    usage = body.get("usage")
    return ModelAnswer(
        text=said,
        tools=tuple(call for call in calls if isinstance(call, dict)) if isinstance(calls, list) else (),
        cut=choice.get("finish_reason") == "length",
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
    )


def _count(usage: Json, key: str) -> int:
    value = usage.get(key) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
