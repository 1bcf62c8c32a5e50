"""Simulations that draw from what a real model said: read, matched with rows, trained on, answered from."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from rftplan.grading.calls import Call, Spoken
from rftplan.server.datafile import DataError
from rftplan.server.recorded import MOST_RECORDED, Recordings, read_recorded
from rftplan.server.simulate import SimulatingTrainer
from rftplan.server.trainer import Trajectory

from .conftest import World, jsonl, raw, rft_body, upload
from .inference import simulating
from .simulation import EXACT, GRADER, RESPONSE_FORMAT, make_run, question_rows, short_rows

ROWS = short_rows(32)


def entries(rows: list[dict[str, Any]], *, right: int = 1, wrong: int = 3) -> list[dict[str, Any]]:
    """Of each row so many right samples and so many wrong ones of one text; found by their messages."""
    return [
        {"sample": said, "item": {"answer": row["answer"]}, "messages": row["messages"]}
        for row in rows
        for said in [row["answer"]] * right + ["no idea"] * wrong
    ]


def trained(recorded: list[dict[str, Any]], *, grader: Any = EXACT, **changed: Any) -> Trajectory:
    return SimulatingTrainer().train(
        make_run(ROWS, ROWS[:16], grader=grader, response_format=None, recorded=recorded, **changed)
    )


def read(tmp_path: Path, *lines: str) -> Any:
    path = tmp_path / "recorded.jsonl"
    path.write_text("\n".join(lines))
    return read_recorded(path)


def test_what_is_drawn_at_first_is_what_was_recorded_as_often_as_it_was() -> None:
    slow = {"learning_rate_multiplier": 1e-6, "eval_samples": 50, "batch_size": 32, "n_epochs": 1}
    first = trained(entries(ROWS), **slow).steps[0].metrics
    assert first["full_valid_mean_reward"] == pytest.approx(0.25, abs=0.05)
    assert first["simulation"]["candidate_shares"].keys() == {"right", "wrong"}
    assert first["simulation"]["valid_right_share"] == pytest.approx(first["full_valid_mean_reward"])


def test_a_base_model_that_is_sometimes_right_learns_and_one_that_never_is_does_not() -> None:
    last = trained(entries(ROWS)).steps[-1].metrics
    assert last["full_valid_mean_reward"] > 0.8
    never = trained(entries(ROWS, right=0))
    assert never.steps[-1].metrics["full_valid_mean_reward"] == 0
    assert all(step.metrics["simulation"]["flat_prompts"] == 1.0 for step in never.steps)
    assert "[SIMULATED] 48 of 48 rows are answered with 144 recorded samples: 144 wrong." in never.notes


def test_rows_without_a_sample_are_answered_with_constructed_ones_and_counted() -> None:
    strange = {"sample": "Oslo", "item": {"answer": "a row that is not there"}}
    notes = trained([*entries(ROWS[:8]), strange, strange]).notes
    assert "[SIMULATED] 16 of 48 rows are answered with 64 recorded samples: 16 right, 48 wrong." in notes
    assert "[SIMULATED] 32 of 48 rows have no recorded sample: their answers are made up." in notes
    assert "[SIMULATED] 2 of 66 recorded samples belong to no row and are never drawn." in notes


def test_where_nothing_says_what_is_right_quality_is_unknown_and_that_is_said() -> None:
    grader = {
        "type": "text_similarity",
        "name": "alike",
        "input": "{{sample.output_text}}",
        "reference": "{{item.answer}}",
        "evaluation_metric": "rouge_l",
    }
    trajectory = trained(entries(ROWS), grader=grader)
    assert trajectory.steps[-1].checkpoint is not None
    assert trajectory.steps[-1].metrics["simulation"]["valid_right_share"] is None
    assert any("moves that prompt alone" in note for note in trajectory.notes)
    rewards = [step.metrics["train_mean_reward"] for step in trajectory.steps]
    assert rewards[-1] > rewards[0]


def test_a_sample_belongs_to_the_rows_with_its_messages_or_else_with_its_item() -> None:
    first, second = ({"messages": [{"role": "user", "content": text}], "a": 1, "b": [2]} for text in ("x", "y"))
    found = Recordings.of(
        [
            {"sample": "both", "item": {"b": [2], "a": 1}},
            {"sample": {"output_json": {"c": 1}}, "item": {}, "messages": [{"role": "user", "content": "x"}]},
            {"sample": {"output_tools": [{"function": {"name": "f", "arguments": "{}"}}] * 2}, "item": {"a": 2}},
        ]
    )
    assert found.of_row(first) == {Spoken("both"): 1, Spoken('{"c": 1}'): 1}
    assert found.of_row(second) == {Spoken("both"): 1}
    assert found.left_over == 1
    call = Call("f", "{}")
    assert found.of_row({"messages": [], "a": 2}) == {Spoken("", call, (call,)): 1}
    strange = {"sample": {"output_tools": [{"id": 1}, {"function": {"name": "f", "arguments": {}}}]}, "item": {}}
    assert Recordings.of([strange]).of_row({"messages": []}) == {Spoken("", Call("", ""), (call,)): 1}
    assert found.left_over == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "Line 2 is not valid JSON"),
        ("[]", "Line 2 is not a dictionary"),
        ('{"sample": "a"}', 'Line 2: it is not {"sample": "the answer", "item": {…}}'),
        ('{"sample": 1, "item": {}}', "Line 2: 'sample' must be a string, or an object with"),
        ('{"sample": {"text": "a"}, "item": {}}', "Line 2: 'sample' must be a string, or an object with"),
        ('{"sample": {"output_text": 1}, "item": {}}', "'sample.output_text' must be a string"),
        ('{"sample": {"output_text": 0}, "item": {}}', "'sample.output_text' must be a string"),
        ('{"sample": {"output_tools": 0}, "item": {}}', "'sample.output_tools' must be an array"),
        ('{"sample": "a", "item": {}, "messages": [{"role": ["user"]}]}', "'messages' must be an array of messages"),
        ('{"sample": {"output_tools": [1]}, "item": {}}', "'sample.output_tools' must be an array of objects"),
        ('{"sample": "a", "item": {}, "messages": "hi"}', "'messages' must be an array of messages"),
    ],
)
def test_a_line_that_is_no_sample_fails_the_job_with_its_number(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(DataError) as wrong:
        read(tmp_path, '{"sample": "a", "item": {}}', line)
    assert said in str(wrong.value)
    assert (wrong.value.code, wrong.value.param) == ("invalid_candidates_file", "simulate.candidates")


def test_a_file_without_samples_and_one_with_too_many_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no sample"):
        read(tmp_path, "")
    with pytest.raises(DataError, match="more than the 200,000 samples"):
        read(tmp_path, *['{"sample":"a","item":{}}'] * (MOST_RECORDED + 1))


@pytest.fixture
async def service(make_world: Callable[..., World]) -> AsyncIterator[tuple[World, openai.AsyncOpenAI]]:
    async with simulating(make_world) as both:
        yield both


@pytest.mark.anyio
async def test_a_job_draws_from_the_file_that_it_names_and_its_checkpoints_answer_from_it(
    service: tuple[World, openai.AsyncOpenAI],
) -> None:
    world, sdk = service
    rows = question_rows(16)
    said = {"compliant": "yes", "explanation": "What a real model wrote."}
    recorded = [{"sample": json.dumps(said), "item": {}, "messages": row["messages"]} for row in rows]
    file = await upload(sdk, jsonl(*recorded), "recorded.jsonl")
    body = await rft_body(
        sdk,
        training_file=await upload(sdk, jsonl(*rows)),
        validation_file=await upload(sdk, jsonl(*rows[:4])),
        method={"type": "reinforcement", "reinforcement": {"grader": GRADER, "response_format": RESPONSE_FORMAT}},
        extra_body={"simulate": {"candidates": file}},
    )
    job = raw(await sdk.fine_tuning.jobs.with_raw_response.create(**body))
    assert job["simulation"]["candidates"] == file
    await sdk.files.delete(file)
    world.clock.forward(3600)
    model = (await sdk.fine_tuning.jobs.retrieve(job["id"])).fine_tuned_model
    assert model is not None
    reply = await sdk.chat.completions.create(model=model, messages=rows[0]["messages"])
    assert json.loads(reply.choices[0].message.content or "") == said
    async with world.http() as http:
        last = (await http.get(f"/fine_tuning/jobs/{job['id']}/checkpoints")).json()["data"][0]["step_number"]
        samples = (await http.get(f"/fine_tuning/jobs/{job['id']}/samples", params={"step": last})).json()["data"]
    assert {json.loads(one["output_text"])["explanation"] for row in samples for one in row["samples"]} == {
        "What a real model wrote."
    }


@pytest.mark.anyio
async def test_what_the_samples_route_gives_is_recorded_again_with_one_filter(
    service: tuple[World, openai.AsyncOpenAI], tmp_path: Path
) -> None:
    world, sdk = service
    job = raw(await sdk.fine_tuning.jobs.with_raw_response.create(**await rft_body(sdk)))
    world.clock.forward(3600)
    async with world.http() as http:
        last = (await http.get(f"/fine_tuning/jobs/{job['id']}/checkpoints")).json()["data"][0]["step_number"]
        rows = (await http.get(f"/fine_tuning/jobs/{job['id']}/samples", params={"step": last})).json()["data"]
    lines = [
        {"sample": {key: one[key] for key in ("output_text", "output_tools")}, "item": row["item"]}
        for row in rows
        for one in row["samples"]
    ]
    assert len(read(tmp_path, *map(json.dumps, lines))) == 12


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"extra_body": {"simulate": {"candidates": "file-nowhere"}}}, "simulate.candidates"),
        ({"extra_body": {"simulate": {}}}, "simulate.candidates"),
        ({"extra_body": {"simulate": {"candidates": "file-1", "seed": 1}}}, "simulate.seed"),
        ({"extra_body": {"simulate": {"candidates": "file-1"}}, "method": {"type": "supervised"}}, "simulate"),
    ],
)
async def test_a_simulation_that_cannot_be_is_refused(
    service: tuple[World, openai.AsyncOpenAI], changed: dict[str, Any], param: str
) -> None:
    _, sdk = service
    with pytest.raises(openai.BadRequestError) as refused:
        await sdk.fine_tuning.jobs.create(**await rft_body(sdk, **changed))
    assert refused.value.param == param


@pytest.mark.anyio
async def test_a_trainer_that_trains_takes_no_candidates(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.trainer.simulated = False
    async with world.sdk() as sdk:
        body = await rft_body(sdk, extra_body={"simulate": {"candidates": "file-1"}})
        with pytest.raises(openai.BadRequestError, match="nothing is simulated here"):
            await sdk.fine_tuning.jobs.create(**body)
