"""Responses: the same answers as chat completions give, in the other API's shape and events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import openai
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.server.chat_request import read_chat_request
from rftplan.server.errors import ApiError
from rftplan.server.event_stream import pieces
from rftplan.server.response_request import read_response_request
from rftplan.server.trainer import Answer, Question, ToolCall

from .conftest import TrivialTrainer, World
from .inference import UNKNOWN, VALID, Trained, simulating, train
from .simulation import RESPONSE_FORMAT

pytestmark = pytest.mark.anyio
WORDS = (
    "model", "input", "messages", "role", "content", "type", "text", "input_text", "format", "json_schema", "schema",
    "name", "tools", "function", "function_call", "arguments", "call_id", "output", "reasoning", "effort", "stream",
    "stream_options", "include_usage", "simulate", "item", "metadata", "n", "temperature", "tool_choice", "user",
    "response_format", "image_url", "refusal",
)  # fmt: skip
TOOL = {"type": "function", "name": "look_up", "parameters": {"type": "object"}, "strict": True}
MESSAGE_EVENTS = [
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
]


@pytest.fixture
async def trained(make_world: Callable[..., World]) -> AsyncIterator[Trained]:
    async with simulating(make_world) as (world, sdk):
        yield await train(world, sdk)


class CallingTrainer(TrivialTrainer):
    """Wants a function called where one is offered."""

    def answer(self, question: Question) -> Answer:
        calls = [ToolCall("look_up", '{"id": 7}')] if question.tools else []
        said = json.dumps([dict(message) for message in question.messages])
        return Answer("" if calls else said, prompt_tokens=1, completion_tokens=9, tool_calls=calls)


async def test_the_whole_reply_is_the_vendors_and_says_that_it_is_simulated(trained: Trained) -> None:
    reply = await trained.sdk.responses.create(
        model=trained.model,
        input=VALID[0]["messages"][0]["content"],
        temperature=0,
        metadata={"a": "b"},
        reasoning={"effort": "low"},
    )
    body = reply.model_dump(exclude_unset=True)
    assert json.loads(reply.output_text) == {key: VALID[0][key] for key in ("compliant", "explanation")}
    assert [item["type"] for item in body["output"]] == ["reasoning", "message"]
    assert body["usage"]["output_tokens_details"] == {"reasoning_tokens": 400}
    assert body["usage"]["total_tokens"] == body["usage"]["input_tokens"] + body["usage"]["output_tokens"]
    assert body["simulation"]["answers"] == [{"prompt": "validation", "row": 0, "kind": "right", "share": 1.0}]
    expected = {
        "object": "response", "status": "completed", "error": None, "incomplete_details": None, "metadata": {"a": "b"},
        "model": trained.model, "reasoning": {"effort": "low", "summary": None}, "text": {"format": {"type": "text"}},
        "tool_choice": "auto", "tools": [], "parallel_tool_calls": True, "temperature": 0.0, "store": False,
    }  # fmt: skip
    assert expected.items() <= body.items()


async def test_both_apis_answer_alike(trained: Trained) -> None:
    for row in VALID[:3]:
        (chat,) = await trained.texts(row["messages"], temperature=0)
        reply = await trained.sdk.responses.create(model=trained.model, input=row["messages"], temperature=0)
        assert reply.output_text == chat


async def test_the_sdks_own_stream_ends_with_what_one_reply_says(trained: Trained) -> None:
    ask: dict[str, Any] = {"model": trained.model, "input": VALID[1]["messages"], "temperature": 0}
    async with trained.sdk.responses.stream(**ask) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_response()
    whole = await trained.sdk.responses.create(**ask)
    assert final.output_text == whole.output_text
    assert final.usage == whole.usage
    types = [event.type for event in events]
    once = list(dict.fromkeys(types))
    begun, reasoning = ["response.created", "response.in_progress"], [MESSAGE_EVENTS[0], MESSAGE_EVENTS[-1]]
    assert once == [*begun, *reasoning, *MESSAGE_EVENTS[1:5], "response.completed"]
    assert types[:5] == [*begun, *reasoning, MESSAGE_EVENTS[0]]
    assert types[-1] == "response.completed"
    raw_events = [event async for event in await trained.sdk.responses.create(**ask, stream=True)]
    assert [event.sequence_number for event in raw_events] == list(range(len(raw_events)))
    deltas = "".join(event.delta for event in raw_events if event.type == "response.output_text.delta")
    assert deltas == whole.output_text


async def test_a_limit_makes_it_incomplete(trained: Trained) -> None:
    ask: dict[str, Any] = {"model": trained.model, "input": VALID[1]["messages"], "temperature": 0}
    reply = await trained.sdk.responses.create(**ask, max_output_tokens=1_504)
    assert reply.status == "incomplete" and reply.incomplete_details is not None
    assert (reply.incomplete_details.reason, len(reply.output_text)) == ("max_output_tokens", 16)
    only_thought = await trained.sdk.responses.create(**ask, max_output_tokens=10)
    assert [item.type for item in only_thought.output] == ["reasoning"]
    events = [event async for event in await trained.sdk.responses.create(**ask, max_output_tokens=10, stream=True)]
    assert events[-1].type == "response.incomplete"


async def test_a_flat_schema_is_one(trained: Trained) -> None:
    flat: Any = {"type": "json_schema", **RESPONSE_FORMAT["json_schema"]}
    reply = await trained.sdk.responses.create(
        model="gpt-4o", input="?", text={"format": flat}, extra_body={"simulate": {"item": {"compliant": "no"}}}
    )
    assert set(json.loads(reply.output_text)) == {"compliant", "explanation"}
    assert reply.output[0].type == "message"  # gpt-4o does not reason


async def test_a_call_and_its_result_go_back_and_forth(make_world: Callable[..., World]) -> None:
    world = make_world(trainer=CallingTrainer())
    async with world.sdk() as sdk:
        tools: Any = [TOOL]
        ask: dict[str, Any] = {"model": "gpt-4o", "input": "7?", "tools": tools}
        (call,) = (await sdk.responses.create(**ask)).output
        assert call.type == "function_call" and (call.name, call.arguments) == ("look_up", '{"id": 7}')
        async with sdk.responses.stream(**ask) as stream:
            (streamed,) = (await stream.get_final_response()).output
        assert streamed.type == "function_call" and streamed.arguments == call.arguments
        chat_tool: Any = {"type": "function", "function": {"name": "look_up"}}
        chat = await sdk.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "7?"}], tools=[chat_tool]
        )
        assert chat.choices[0].finish_reason == "tool_calls" and chat.choices[0].message.tool_calls
        async with sdk.chat.completions.stream(
            model="gpt-4o", messages=[{"role": "user", "content": "7?"}], tools=[chat_tool]
        ) as streaming:
            final = (await streaming.get_final_completion()).choices[0]
        assert final.message.content is None and final.message.tool_calls
        assert final.message.tool_calls[0].function.arguments == '{"id": 7}'
        answered = await sdk.responses.create(
            model="gpt-4o",
            instructions="Be brief.",
            input=[
                {"role": "user", "content": [{"type": "input_text", "text": "7?"}]},
                {"type": "function_call", "call_id": "call_1", "name": "look_up", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "call_1", "output": "seven"},
            ],
            tools=tools,
            tool_choice="none",
        )
    assert json.loads(answered.output_text) == [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "7?"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "seven"},
    ]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"input": 3}, "input"),
    ({"input": []}, "input"),
    ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type"),
    ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role"),
    ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "input[0].content[0].type"),
    ({"previous_response_id": "resp_1"}, "previous_response_id"),
    ({"background": True}, "background"),
    ({"text": {"format": {"type": "grammar"}}}, "text.format.type"),
    ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema"),
    ({"text": {"verbosity": "high"}}, "text.verbosity"),
    ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ({"seed": 3}, "seed"),
    ({"max_output_tokens": 0}, "max_output_tokens"),
    ({"instructions": 3}, "instructions"),
]


@pytest.mark.parametrize(("wrong", "param"), WRONG)
async def test_what_it_cannot_do_is_refused_loudly(http: httpx2.AsyncClient, wrong: dict[str, Any], param: str) -> None:
    reply = await http.post("/responses", json={"model": "o4-mini", "input": "?", **wrong})
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param), reply.text


async def test_an_unknown_model_is_a_404_also_in_a_stream(trained: Trained) -> None:
    with pytest.raises(openai.NotFoundError):
        await trained.sdk.responses.create(model="gpt-2", input="?", stream=True)
    with pytest.raises(openai.NotFoundError):
        await trained.say(UNKNOWN, model="gpt-2", stream=True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(WORDS), JSON, max_size=6))
@pytest.mark.parametrize(
    ("read", "asks"),
    [
        (read_response_request, {"model": "m", "input": "?"}),
        (read_chat_request, {"model": "m", "messages": [{"role": "user", "content": "?"}]}),
    ],
)
def test_any_body_is_read_or_refused(read: Callable[[object], Any], asks: dict[str, Any], body: dict[str, Any]) -> None:
    for whole in (body, {**asks, **body}, {**body, **asks}):
        try:
            assert read(whole).asked.messages
        except ApiError as error:
            assert error.message


@given(st.text())
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


class Verdict(pydantic.BaseModel):
    compliant: str
    explanation: str


async def test_what_the_sdk_parsed_may_be_sent_back(trained: Trained) -> None:
    """Node's keeps `parsed` in what it sends back, Python's takes it out of its own objects."""
    asked: Any = VALID[0]["messages"]
    wanted: dict[str, Any] = {"model": trained.model, "temperature": 0}
    reply = await trained.sdk.responses.parse(input=asked, text_format=Verdict, **wanted)
    assert isinstance(reply.output_parsed, Verdict)
    said = [one.model_dump(warnings=False) for one in reply.output]
    assert any("parsed" in part for one in said for part in one.get("content") or ())
    for back in (reply.output, said):
        again: Any = [*asked, *back, *asked]
        assert (await trained.sdk.responses.create(input=again, **wanted)).status == "completed"
