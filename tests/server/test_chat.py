"""Chat completions: a checkpoint answers from what it learned, in one reply or as a stream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import openai
import pydantic
import pytest

from .conftest import World, create_job, jsonl, upload
from .inference import TRAIN, UNKNOWN, VALID, Trained, simulating, train
from .simulation import CALLS, GRADER, RESPONSE_FORMAT, calling_rows, question_rows

pytestmark = pytest.mark.anyio


@pytest.fixture
async def trained(make_world: Callable[..., World]) -> AsyncIterator[Trained]:
    async with simulating(make_world) as (world, sdk):
        yield await train(world, sdk)


def right(row: dict[str, Any]) -> dict[str, Any]:
    return {"compliant": row["compliant"], "explanation": row["explanation"]}


async def test_the_whole_reply_is_the_vendors_and_says_that_it_is_simulated(trained: Trained) -> None:
    reply = await trained.say(VALID[0]["messages"], temperature=0, seed=1, metadata={"a": "b"}, store=True)
    body = reply.model_dump(exclude_unset=True)
    usage = body.pop("usage")
    assert body == {
        "object": "chat.completion",
        "id": body["id"],
        "created": int(trained.world.clock.time),
        "model": trained.model,
        "service_tier": "default",
        "system_fingerprint": "fp_simulated",
        "simulation": {
            "trainer": "simulation",
            "answers": [{"prompt": "validation", "row": 0, "kind": "right", "share": 1.0}],
        },
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": body["choices"][0]["message"]["content"],
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
    }
    assert json.loads(body["choices"][0]["message"]["content"]) == right(VALID[0])
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 1_500


async def test_training_moves_what_a_checkpoint_answers(trained: Trained) -> None:
    """The base model and the trained one are asked the same; one is right far more often."""

    async def share(model: str, **wanted: Any) -> float:
        answers = [
            text
            for row in VALID
            for text in await trained.texts(
                row["messages"],
                model=model,
                n=20,
                seed=3,
                extra_body={"simulate": {"item": right(row), **wanted}},
                response_format=RESPONSE_FORMAT,
            )
        ]
        rights = [json.dumps(right(row), ensure_ascii=False) for row in VALID for _ in range(20)]
        return sum(one == other for one, other in zip(answers, rights, strict=True)) / len(answers)

    base = await share("o4-mini", grader=GRADER)
    assert 0.05 < base < 0.35
    assert await share(trained.model) > base + 0.2


async def test_a_seed_makes_the_answer_and_n_makes_several(trained: Trained) -> None:
    texts = await trained.texts(VALID[1]["messages"], n=40, seed=5, temperature=2)
    assert len(texts) == 40 and len(set(texts)) > 1
    assert await trained.texts(VALID[1]["messages"], n=40, seed=5, temperature=2) == texts
    assert await trained.texts(VALID[1]["messages"], n=40, seed=6, temperature=2) != texts
    assert len(set(await trained.texts(VALID[1]["messages"], n=40, temperature=0))) == 1


async def test_a_prompt_may_say_the_same_in_parts_and_to_a_system(trained: Trained) -> None:
    text = VALID[2]["messages"][0]["content"]
    parts = [{"role": "user", "content": [{"type": "text", "text": text[:5]}, {"type": "text", "text": text[5:]}]}]
    assert await trained.texts(parts, seed=1) == await trained.texts(VALID[2]["messages"], seed=1)


async def test_what_is_right_for_an_unknown_prompt_nobody_knows(trained: Trained) -> None:
    reply = await trained.say(UNKNOWN, n=50, seed=1)
    told = reply.simulation["answers"]
    assert {one["prompt"] for one in told} == {"unknown"}
    assert {one["kind"] for one in told} <= {"wrong", "constant", "malformed"}
    known = {row["explanation"] for row in TRAIN}
    for choice, one in zip(reply.choices, told, strict=True):
        if one["kind"] != "malformed":
            assert json.loads(choice.message.content)["explanation"] in known


async def test_a_request_may_bring_the_row(trained: Trained) -> None:
    row = {"compliant": "yes", "explanation": "Because it is so."}
    hint = {"simulate": {"item": row}}
    assert [json.loads(text) for text in await trained.texts(UNKNOWN, temperature=0, extra_body=hint)] == [row]


async def test_an_alias_answers_as_its_snapshot_and_a_base_model_says_that_it_is_not_there(trained: Trained) -> None:
    reply = await trained.say(UNKNOWN, model="gpt-4o")
    assert reply.model == "gpt-4o-2024-08-06"
    assert reply.choices[0].message.content.startswith("[SIMULATED] There is no gpt-4o here")
    assert reply.usage.completion_tokens_details.reasoning_tokens == 0


async def test_a_base_model_that_must_say_json_does(trained: Trained) -> None:
    (text,) = await trained.texts(UNKNOWN, model="o4-mini", response_format=RESPONSE_FORMAT, temperature=0)
    assert json.loads(text) == {"compliant": "yes", "explanation": "Not stated."}


async def test_reasoning_effort_takes_tokens_and_a_limit_cuts_the_answer(trained: Trained) -> None:
    ask = {"messages": VALID[0]["messages"], "temperature": 0}
    low, high = [(await trained.say(**ask, reasoning_effort=effort)).usage for effort in ("low", "high")]
    assert low.completion_tokens < high.completion_tokens
    cut = await trained.say(**ask, reasoning_effort="low", max_completion_tokens=410)
    assert cut.choices[0].finish_reason == "length"
    assert cut.choices[0].message.content == (await trained.texts(**ask))[0][:40]
    assert cut.usage.completion_tokens == 410
    nothing = await trained.say(**ask, max_completion_tokens=10)
    assert nothing.choices[0].message.content == ""


@pytest.mark.parametrize("wanted", [{}, {"n": 3}, {"max_completion_tokens": 1_510}, {"n": 2, "temperature": 2}])
async def test_a_stream_says_what_one_reply_says(trained: Trained, wanted: dict[str, Any]) -> None:
    ask: dict[str, Any] = {"messages": VALID[3]["messages"], "seed": 2, **wanted}
    whole = await trained.say(**ask)
    stream = await trained.say(**ask, stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]
    texts, reasons = [""] * len(whole.choices), [""] * len(whole.choices)
    for chunk in chunks[:-1]:
        assert chunk.usage is None
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            reasons[choice.index] += choice.finish_reason or ""
    assert texts == [choice.message.content for choice in whole.choices]
    assert reasons == [choice.finish_reason for choice in whole.choices]
    assert (chunks[-1].choices, chunks[-1].usage) == ([], whole.usage)
    assert chunks[0].simulation == whole.simulation
    assert chunks[0].choices[0].delta.role == "assistant"


async def test_the_sdks_own_stream_puts_the_answer_together(trained: Trained) -> None:
    messages: Any = VALID[3]["messages"]
    async with trained.sdk.chat.completions.stream(model=trained.model, messages=messages, seed=2) as stream:
        final = await stream.get_final_completion()
    assert [final.choices[0].message.content] == await trained.texts(messages, seed=2)


async def test_a_stream_ends_with_done_and_is_written_as_events(trained: Trained) -> None:
    async with trained.world.http() as http:
        reply = await http.post("/chat/completions", json={"model": "o3", "messages": UNKNOWN, "stream": True})
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    *events, last = reply.text.removesuffix("\n\n").split("\n\n")
    assert last == "data: [DONE]"
    assert all(json.loads(event.removeprefix("data: "))["object"] == "chat.completion.chunk" for event in events)


async def test_a_checkpoint_answers_from_its_own_step(world: World, sdk: openai.AsyncOpenAI) -> None:
    """With a trainer of the tests' own, whose checkpoints answer with their reward."""
    job_id = (await create_job(sdk))["id"]
    world.clock.forward(100)
    model = (await sdk.fine_tuning.jobs.retrieve(job_id)).fine_tuned_model

    async def says(name: str) -> str | None:
        return (
            (await sdk.chat.completions.create(model=name, messages=[{"role": "user", "content": "?"}]))
            .choices[0]
            .message.content
        )

    assert await says(f"{model}") == "0.6 ?"
    assert await says(f"{model}:ckpt-step-3") == "0.9 ?"
    assert await says("o4-mini") == "nothing learned ?"


async def test_there_is_no_answer_of_what_is_not_there(trained: Trained) -> None:
    gone = f"{trained.model}:ckpt-step-1"
    await trained.sdk.models.delete(trained.model)
    for name in ("gpt-2", "ft:o4-mini:local::nobody", gone, trained.model):
        with pytest.raises(openai.NotFoundError) as caught:
            await trained.say(UNKNOWN, model=name)
        assert caught.value.code == "model_not_found"


async def test_a_model_is_not_asked_before_its_job_has_succeeded(
    make_world: Callable[..., World],
) -> None:
    async with simulating(make_world) as (world, sdk):
        done = await train(world, sdk)
        again = await sdk.fine_tuning.jobs.create(
            model=done.model,
            training_file=await upload(sdk, jsonl(*TRAIN)),
            validation_file=await upload(sdk, jsonl(*VALID)),
            method={"type": "reinforcement", "reinforcement": {"grader": {**GRADER, "name": "x"}}},  # type: ignore[typeddict-item]
        )
        world.clock.forward(0.1)
        assert again.fine_tuned_model is None
        names = [model.id async for model in sdk.models.list() if model.id.startswith("ft:")]
        assert names[0] == done.model


async def test_a_models_data_stays_as_long_as_it_answers(trained: Trained) -> None:
    job = await trained.sdk.fine_tuning.jobs.retrieve(trained.job_id)
    files = [job.training_file, str(job.validation_file)]
    unused = await upload(trained.sdk, jsonl(*question_rows(2)))
    for file in (*files, unused):
        await trained.sdk.files.delete(file)
        with pytest.raises(openai.NotFoundError):
            await trained.sdk.files.content(file)
    contents = trained.world.settings.store.with_name("service.sqlite-files")
    results = set(job.result_files)
    assert {path.name for path in contents.glob("file-*")} == set(files) | results
    assert json.loads((await trained.texts(VALID[0]["messages"], temperature=0))[0]) == right(VALID[0])


async def test_without_its_data_a_model_cannot_answer_and_says_so(trained: Trained) -> None:
    for path in trained.world.settings.store.with_name("service.sqlite-files").glob("file-*"):
        path.unlink()
    with pytest.raises(openai.BadRequestError, match="the data it was trained from is gone"):
        await trained.say(UNKNOWN)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"messages": []}, "messages"),
    ({"messages": [{"role": "nobody", "content": "?"}]}, "messages[0].role"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0].type"),
    ({"n": 0}, "n"),
    ({"n": 129}, "n"),
    ({"temperature": 2.1}, "temperature"),
    ({"temperature": "hot"}, "temperature"),
    ({"stream": 1}, "stream"),
    ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"reasoning_effort": "huge"}, "reasoning_effort"),
    ({"max_tokens": 1, "max_completion_tokens": 1}, "max_tokens"),
    ({"max_completion_tokens": 0}, "max_completion_tokens"),
    ({"top_p": 0.5}, "top_p"),
    ({"stop": ["x"]}, "stop"),
    ({"logprobs": True}, "logprobs"),
    ({"logprobs": 0}, "logprobs"),
    ({"top_p": True}, "top_p"),
    ({"tools": [{"type": "custom"}]}, "tools[0].type"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"response_format": {"type": "yaml"}}, "response_format.type"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    ({"functions": []}, "functions"),
    ({"metadata": {"a": 1}}, "metadata.a"),
    ({"simulate": {}}, "simulate.item"),
    ({"simulate": {"item": 3}}, "simulate.item"),
    ({"simulate": {"item": {}, "rows": 1}}, "simulate.rows"),
    ({"simulate": {"item": {}, "grader": {"type": "string_check"}}}, "simulate.grader.input"),
    ({"simulate": {"item": {}, "grader": {"type": "magic"}}}, "simulate.grader.type"),
]


@pytest.mark.parametrize(("wrong", "param"), WRONG)
async def test_what_it_cannot_do_is_refused_loudly(http: httpx2.AsyncClient, wrong: dict[str, Any], param: str) -> None:
    reply = await http.post("/chat/completions", json={"model": "o4-mini", "messages": UNKNOWN, **wrong})
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param), reply.text


async def test_the_grader_of_a_trained_model_is_its_jobs(trained: Trained) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await trained.say(UNKNOWN, extra_body={"simulate": {"item": {}, "grader": GRADER}})
    assert caught.value.param == "simulate.grader"


async def test_a_checkpoint_that_learned_calls_makes_them(make_world: Callable[..., World]) -> None:
    rows = calling_rows(24)
    async with simulating(make_world) as (world, sdk):
        done = await train(
            world,
            sdk,
            training_file=await upload(sdk, jsonl(*rows)),
            validation_file=await upload(sdk, jsonl(*rows[:4])),
            method={"type": "reinforcement", "reinforcement": {"grader": {**CALLS, "name": "calls"}}},
        )
        reply = await done.say(rows[5]["messages"], tools=rows[5]["tools"], temperature=0)
        (choice,) = reply.choices
        assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
        (call,) = choice.message.tool_calls
        assert (call.function.name, call.function.arguments) == (rows[5]["name"], rows[5]["arguments"])
        strict = [{**tool, "function": {**tool["function"], "strict": True}} for tool in rows[5]["tools"]]
        parsed = await sdk.chat.completions.parse(
            model=done.model, messages=rows[5]["messages"], tools=strict, temperature=0
        )
        said = parsed.choices[0].message
        (made,) = said.tool_calls or ()
        assert made.function.parsed_arguments == json.loads(rows[5]["arguments"])
        result = {"role": "tool", "tool_call_id": made.id, "content": "done"}
        await done.say([*rows[5]["messages"], said, result])
        await done.say([*rows[5]["messages"], said.model_dump(warnings=False), result])
        without = await done.say(rows[5]["messages"], temperature=0)
        assert without.choices[0].message.tool_calls is None
        async with world.http() as http:
            (checkpoint, *_) = (await sdk.fine_tuning.jobs.checkpoints.list(done.job_id)).data
            listed = await http.get(f"/fine_tuning/jobs/{done.job_id}/samples?step={checkpoint.step_number}&limit=1")
        for sample in listed.json()["data"][0]["samples"]:
            assert sample["output_tools"][0]["function"]["name"] in ("look_up", "send", "archive")


async def test_a_supervised_model_answers_from_its_rows_and_takes_no_other(make_world: Callable[..., World]) -> None:
    def row(place: int) -> dict[str, Any]:
        return {"messages": [*asked(place), {"role": "assistant", "content": f"Answer {place}."}]}

    def asked(place: int) -> list[dict[str, str]]:
        return [{"role": "user", "content": f"Question {place}?"}]

    async with simulating(make_world) as (world, sdk):
        rows = jsonl(*map(row, range(12)))
        done = await train(
            world,
            sdk,
            model="gpt-4o",
            training_file=await upload(sdk, rows),
            validation_file=None,
            method={"type": "supervised"},
        )
        assert await done.texts(asked(7), temperature=0) == ["Answer 7."]
        with pytest.raises(openai.BadRequestError) as caught:
            await done.say(asked(7), extra_body={"simulate": {"item": {"answer": "x"}}})
        assert caught.value.param == "simulate"


@pytest.mark.parametrize("message", [{}, {"content": None}, {"tool_calls": []}, {"content": None, "tool_calls": None}])
async def test_an_assistants_message_that_says_nothing_and_calls_nothing_is_refused(
    sdk: openai.AsyncOpenAI, message: Any
) -> None:
    messages: Any = [{"role": "user", "content": "?"}, {"role": "assistant", **message}]
    with pytest.raises(
        openai.BadRequestError, match="Invalid value for 'content': expected a string, got null"
    ) as error:
        await sdk.chat.completions.create(model="o4-mini", messages=messages)
    assert error.value.param == "messages[1].content"


async def test_an_assistants_message_may_call_or_refuse_instead(sdk: openai.AsyncOpenAI) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    for said in ({"tool_calls": [call]}, {"refusal": "No."}, {"content": ""}):
        messages: Any = [{"role": "user", "content": "?"}, {"role": "assistant", **said}]
        messages.append({"role": "user", "content": "And?"})
        assert (await sdk.chat.completions.create(model="o4-mini", messages=messages)).choices


class Verdict(pydantic.BaseModel):
    compliant: str
    explanation: str


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")  # the SDK's own, of what it parsed
async def test_what_the_sdk_parsed_may_be_sent_back(trained: Trained) -> None:
    asked: Any = VALID[0]["messages"]
    wanted: dict[str, Any] = {"model": trained.model, "messages": asked, "temperature": 0}
    parsed = await trained.sdk.chat.completions.parse(response_format=Verdict, **wanted)
    async with trained.sdk.chat.completions.stream(response_format=Verdict, **wanted) as stream:
        streamed = await stream.get_final_completion()
    for message in (parsed.choices[0].message, streamed.choices[0].message):
        assert message.parsed == Verdict(**right(VALID[0]))
        for sent in (message, message.model_dump(warnings=False)):
            await trained.say([*asked, sent, *asked])
    with pytest.raises(openai.BadRequestError, match="parsed"):
        await trained.say([{**asked[0], "parsed": {}}])
