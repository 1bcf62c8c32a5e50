"""Jobs: created, listed, commanded, and what becomes of them as the clock goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest

from rftplan.server.datafile import BLOCKED_ROW
from rftplan.server.trainer import TrainingFailedError

from .conftest import GRADER, START, World, create_job, jsonl, raw, rft_body, rft_rows, upload
from .inference import simulating, train

pytestmark = pytest.mark.anyio
AUTO = {
    "batch_size": "auto",
    "learning_rate_multiplier": "auto",
    "n_epochs": "auto",
    "compute_multiplier": "auto",
    "eval_interval": "auto",
    "eval_samples": "auto",
    "reasoning_effort": "default",
}


async def get(sdk: openai.AsyncOpenAI, job_id: str) -> dict[str, Any]:
    return raw(await sdk.fine_tuning.jobs.with_raw_response.retrieve(job_id))


async def test_a_job_is_answered_in_full_with_the_vendors_nulls(sdk: openai.AsyncOpenAI) -> None:
    response_format = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": {}}}
    reinforcement = {"grader": GRADER, "response_format": response_format}
    job = await create_job(
        sdk,
        suffix="my suffix/1",
        metadata={"slot": "a", "empty": ""},
        seed=7,
        method={"type": "reinforcement", "reinforcement": reinforcement},
    )
    assert job == {
        "object": "fine_tuning.job",
        "id": job["id"],
        "model": "o4-mini-2025-04-16",
        "created_at": int(START),
        "finished_at": None,
        "estimated_finish": None,
        "fine_tuned_model": None,
        "organization_id": "org-local",
        "result_files": [],
        "status": "validating_files",
        "training_file": job["training_file"],
        "validation_file": job["validation_file"],
        "trained_tokens": None,
        "error": None,
        "user_provided_suffix": "my suffix/1",
        "seed": 7,
        "integrations": [],
        "method": {"type": "reinforcement", "reinforcement": {"hyperparameters": AUTO, **reinforcement}},
        "hyperparameters": None,
        "metadata": {"slot": "a", "empty": ""},
        "usage_metrics": None,
        "shared_with_openai": False,
        "eval_id": None,
        "simulation": {"trainer": "trivial", "judge": None},
    }


async def test_the_clock_alone_reveals_a_job_that_was_trained_once(world: World, sdk: openai.AsyncOpenAI) -> None:
    job = await create_job(sdk, suffix="my suffix/1")
    seen = []
    for _ in range(6):
        now = await get(sdk, job["id"])
        seen.append((now["status"], now["fine_tuned_model"] is not None, now["estimated_finish"]))
        world.clock.forward(0.9)
    done = await get(sdk, job["id"])
    assert seen[0] == ("validating_files", False, None)
    assert seen[1] == ("running", False, int(START + 4.3))
    assert seen[-1][0] == "succeeded"
    assert done["fine_tuned_model"].startswith("ft:o4-mini-2025-04-16:local:my-suffix-1:")
    assert (done["trained_tokens"], done["finished_at"]) == (1234, int(START + 4.3))
    assert done["method"]["reinforcement"]["hyperparameters"] == {**AUTO, "n_epochs": 2, "batch_size": 4}
    assert len(world.trainer.runs) == 1


async def test_the_trainer_is_given_the_rows_the_grader_and_what_was_asked(
    world: World, sdk: openai.AsyncOpenAI
) -> None:
    job = await create_job(sdk)
    (run,) = world.trainer.runs
    assert (len(run.train), len(run.valid), run.seed) == (12, 4, job["seed"])
    assert (run.job_id, run.model, run.hyperparameters) == (job["id"], "o4-mini-2025-04-16", AUTO)
    assert run.grader is not None and run.grader.definition == GRADER


async def test_a_service_started_again_shows_the_same_job(
    make_world: Callable[..., World], world: World, sdk: openai.AsyncOpenAI
) -> None:
    job = await create_job(sdk)
    again = make_world(speed=100.0)
    async with again.sdk() as other:
        assert await get(other, job["id"]) == job
        again.clock.forward(2)
        world.clock.forward(2)
        assert await get(other, job["id"]) == await get(sdk, job["id"])


async def test_a_supervised_job_has_top_level_hyperparameters(sdk: openai.AsyncOpenAI) -> None:
    rows = jsonl(*[{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}] * 10)
    reply = await sdk.fine_tuning.jobs.with_raw_response.create(
        model="gpt-4o-mini", training_file=await upload(sdk, rows), hyperparameters={"n_epochs": 3}
    )
    job = raw(reply)
    assert job["model"] == "gpt-4o-mini-2024-07-18"
    assert job["hyperparameters"] == job["method"]["supervised"]["hyperparameters"]
    assert job["hyperparameters"]["n_epochs"] == 3


async def test_a_missing_grader_name_is_made_up(sdk: openai.AsyncOpenAI) -> None:
    part = {key: value for key, value in GRADER.items() if key != "name"}
    multi = {"type": "multi", "graders": {"a": part}, "calculate_output": "a"}
    job = await create_job(sdk, method={"type": "reinforcement", "reinforcement": {"grader": multi}})
    grader = job["method"]["reinforcement"]["grader"]
    assert grader["name"].startswith("grader-")
    assert grader["graders"]["a"]["name"].startswith("grader-")


async def test_who_judged_is_said(sdk: openai.AsyncOpenAI) -> None:
    grader = {
        "type": "score_model",
        "name": "judge",
        "model": "gpt-4o",
        "input": [{"role": "user", "content": "{{item.answer}}"}],
    }
    job = await create_job(sdk, method={"type": "reinforcement", "reinforcement": {"grader": grader}})
    assert job["simulation"] == {"trainer": "trivial", "judge": "stand-in judge (text overlap)"}


async def test_a_trainer_that_trains_claims_no_simulation(world: World, sdk: openai.AsyncOpenAI) -> None:
    world.trainer.simulated = False
    job = await create_job(sdk)
    events = [event.message async for event in sdk.fine_tuning.jobs.list_events(job["id"])]
    assert job["simulation"] is None
    assert not any("SIMULATED" in message for message in events)


async def test_jobs_are_listed_newest_first_by_page_and_by_metadata(sdk: openai.AsyncOpenAI) -> None:
    body = await rft_body(sdk)
    kinds = [{"a": "1"}, {"a": "1", "b": ""}, None, {"a": "2"}]
    ids = [(await sdk.fine_tuning.jobs.create(**body, metadata=kind)).id for kind in kinds]

    async def listed(**query: Any) -> list[str]:
        return [job.id async for job in sdk.fine_tuning.jobs.list(limit=1, **query)]

    assert await listed() == ids[::-1]
    assert await listed(metadata={"a": "1"}) == [ids[1], ids[0]]
    assert await listed(metadata={"a": "1", "b": ""}) == [ids[1]]
    assert await listed(metadata={"a": "3"}) == []
    assert await listed(metadata="null") == [ids[2]]
    assert await listed(after=ids[1]) == [ids[0]]


MANY_PAIRS = "&".join(f"metadata[k{n}]=v" for n in range(17))


@pytest.mark.parametrize(
    "query", ["metadata=x", "metadata[a=1", "metadata=null&metadata[a]=1", "order=asc", "limit=0", MANY_PAIRS]
)
async def test_a_wrong_list_query_is_refused(http: httpx2.AsyncClient, query: str) -> None:
    assert (await http.get(f"/fine_tuning/jobs?{query}")).status_code == 400


async def test_an_unknown_job_is_the_vendors_404(sdk: openai.AsyncOpenAI) -> None:
    calls = (sdk.fine_tuning.jobs.retrieve, sdk.fine_tuning.jobs.pause, sdk.fine_tuning.jobs.cancel)
    for call in calls:
        with pytest.raises(openai.NotFoundError) as caught:
            await call("ftjob-nope")
        assert caught.value.body == {
            "message": "Could not find fine tune: ftjob-nope",
            "type": "invalid_request_error",
            "param": "fine_tune_id",
            "code": "fine_tune_not_found",
        }


async def test_a_job_is_paused_resumed_and_ends_later(world: World, sdk: openai.AsyncOpenAI) -> None:
    jobs = sdk.fine_tuning.jobs
    job = await create_job(sdk)
    world.clock.forward(2.5)
    assert (await jobs.pause(job["id"])).status == "pausing"
    world.clock.forward(100)
    assert (await jobs.retrieve(job["id"])).status == "paused"
    assert (await jobs.resume(job["id"])).status == "queued"
    world.clock.forward(0.4)
    assert (await jobs.retrieve(job["id"])).status == "running"
    world.clock.forward(1.8)
    assert (await jobs.retrieve(job["id"])).status == "succeeded"


async def test_a_command_in_a_wrong_state_is_400_and_changes_nothing(world: World, sdk: openai.AsyncOpenAI) -> None:
    jobs = sdk.fine_tuning.jobs
    job_id = (await create_job(sdk))["id"]
    for call in (jobs.pause, jobs.resume):
        with pytest.raises(openai.BadRequestError) as caught:
            await call(job_id)
        assert caught.value.type == "invalid_request_error"
    assert (await jobs.cancel(job_id)).status == "cancelled"
    for call in (jobs.pause, jobs.resume, jobs.cancel):
        with pytest.raises(openai.BadRequestError):
            await call(job_id)
    world.clock.forward(100)
    ended = await get(sdk, job_id)
    assert (ended["status"], ended["fine_tuned_model"], ended["finished_at"]) == (
        "cancelled",
        None,
        int(START),
    )


def rows_with(line: int, text: bytes) -> bytes:
    lines = rft_rows(12).splitlines(keepends=True)
    return b"".join([*lines[: line - 1], text + b"\n", *lines[line - 1 :]])


BAD_DATA = [
    (rows_with(4, b"{"), "invalid_training_file", "Line 4 is not valid JSON"),
    (rows_with(4, b"[1]"), "invalid_training_file", "Line 4 is not a dictionary"),
    (rows_with(4, b'{"a": NaN}'), "invalid_training_file", "Line 4 is not valid JSON"),
    (rows_with(1, b"\xff"), "invalid_training_file", "Line 1 is not valid JSON"),
    (b"\xef\xbb\xbf" + rft_rows(12), "invalid_training_file", "Line 1 is not valid JSON"),
    (rows_with(2, b'{"messages": []}'), "invalid_training_file", "Line 2: 'messages' must be an array"),
    (
        rows_with(2, b'{"messages": [{"role": "system", "content": ""}]}'),
        "invalid_training_file",
        'Line 2: a message has the role "system"',
    ),
    (
        rows_with(2, b'{"messages": [{"role": "user"}, {"role": "assistant"}]}'),
        "invalid_training_file",
        "Line 2: the last message must have the role 'user'",
    ),
    (
        rows_with(3, b'{"messages": [{"role": "developer"}, {"role": "user", "content": "Hi"}]}'),
        "invalid_training_file",
        "Line 3: a message of the role 'developer' has no content",
    ),
    (
        rows_with(3, b'{"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}'),
        "invalid_training_file",
        'Line 3: a part of a message has the type "input_audio", not one of text, image_url',
    ),
    (rft_rows(50_001), "invalid_training_file", "more than the 50,000 examples"),
]


@pytest.mark.parametrize(("content", "code", "message"), BAD_DATA, ids=range(len(BAD_DATA)))
async def test_bad_data_fails_the_job_when_it_starts(
    world: World, sdk: openai.AsyncOpenAI, content: bytes, code: str, message: str
) -> None:
    job = await create_job(sdk, training_file=await upload(sdk, content))
    assert (job["status"], job["error"]) == ("validating_files", None)
    world.clock.forward(0.4)
    failed = await get(sdk, job["id"])
    assert failed["status"] == "failed"
    assert (failed["error"]["code"], failed["error"]["param"]) == (code, "training_file")
    assert message in failed["error"]["message"]
    assert world.trainer.runs == []


def marked(*lines: int) -> bytes:
    """Rows of which moderation blocks some."""
    rows = rft_rows(30).splitlines(keepends=True)
    return b"".join(
        row.replace(b"Question", BLOCKED_ROW) if line in lines else row for line, row in enumerate(rows, start=1)
    )


@pytest.mark.parametrize("role", ["training", "validation"])
async def test_a_file_that_moderation_blocks_fails_the_job_and_an_event_says_which_lines(
    world: World, sdk: openai.AsyncOpenAI, role: str
) -> None:
    file_id = await upload(sdk, marked(2, 7))
    job = await create_job(sdk, **{f"{role}_file": file_id})
    assert (job["status"], job["error"]) == ("validating_files", None)
    world.clock.forward(0.4)
    failed = await get(sdk, job["id"])
    assert failed["status"] == "failed"
    assert failed["error"] == {
        "code": f"invalid_{role}_file",
        "param": f"{role}_file",
        "message": f"The job failed due to an invalid {role} file. This training file was blocked by our moderation"
        " system because it contains too many examples that violate OpenAI's usage policies.",
    }
    told, checked = [event async for event in sdk.fine_tuning.jobs.list_events(job["id"])][:2]
    assert (told.level, told.type, told.message) == ("error", "message", failed["error"]["message"])
    assert (checked.level, checked.type) == ("error", "moderation_checks")
    assert (checked.message, checked.created_at) == (f"Moderation checks of {file_id} failed", told.created_at)
    simulation = {"trainer": "trivial"}  # as in every event of a simulated job
    assert checked.data == {"blocked": True, "file": file_id, "lines": [2, 7], "simulation": simulation}
    assert told.data == {"simulation": simulation}
    assert world.trainer.runs == []


async def test_moderation_names_the_first_lines_alone_and_looks_at_rows_that_are_right_otherwise(
    world: World, sdk: openai.AsyncOpenAI
) -> None:
    blocked = await create_job(sdk, training_file=await upload(sdk, marked(*range(1, 31))))
    malformed = await create_job(sdk, training_file=await upload(sdk, marked(1) + b"{\n"))
    world.clock.forward(1)
    events = [event async for event in sdk.fine_tuning.jobs.list_events(blocked["id"])]
    assert events[1].data["lines"] == list(range(1, 21))  # type: ignore[index]
    assert "Line 31 is not valid JSON" in (await get(sdk, malformed["id"]))["error"]["message"]
    assert {event.type async for event in sdk.fine_tuning.jobs.list_events(malformed["id"])} == {"message"}


async def test_blank_lines_and_crlf_are_no_rows(world: World, sdk: openai.AsyncOpenAI) -> None:
    content = rft_rows(12).replace(b"\n", b"\r\n\r\n")
    await create_job(sdk, training_file=await upload(sdk, content))
    assert len(world.trainer.runs[0].train) == 12


async def test_a_bad_validation_file_is_named(world: World, sdk: openai.AsyncOpenAI) -> None:
    job = await create_job(sdk, validation_file=await upload(sdk, rft_rows(1_001)))
    world.clock.forward(1)
    error = (await get(sdk, job["id"]))["error"]
    assert (error["code"], error["param"]) == ("invalid_validation_file", "validation_file")


async def test_a_file_of_another_purpose_fails_the_job(world: World, sdk: openai.AsyncOpenAI) -> None:
    file = await sdk.files.create(file=("a.jsonl", rft_rows(12)), purpose="user_data")
    job = await create_job(sdk, training_file=file.id)
    world.clock.forward(1)
    assert (await get(sdk, job["id"]))["error"]["code"] == "invalid_training_file"


@pytest.mark.parametrize(
    "grader",
    [
        {**GRADER, "input": "{{ sample. }}"},
        {"type": "python", "name": "p", "source": "def grade(sample, item): return 1.0"},
        {"type": "multi", "graders": {"a": dict(GRADER)}, "calculate_output": "b"},
    ],
)
async def test_a_grader_that_cannot_grade_fails_the_job(
    world: World, sdk: openai.AsyncOpenAI, grader: dict[str, Any]
) -> None:
    job = await create_job(sdk, method={"type": "reinforcement", "reinforcement": {"grader": grader}})
    world.clock.forward(1)
    error = (await get(sdk, job["id"]))["error"]
    assert error["code"] == "invalid_grader"
    assert error["param"].startswith("method.reinforcement.grader")


async def test_a_training_that_fails_fails_the_job_while_it_runs(world: World, sdk: openai.AsyncOpenAI) -> None:
    world.trainer.failure = TrainingFailedError("Too many grader errors", code="grader_errors", param=None)
    job = await create_job(sdk)
    world.clock.forward(1)
    assert (await get(sdk, job["id"]))["status"] == "running"
    world.clock.forward(1)
    failed = await get(sdk, job["id"])
    assert failed["error"] == {"code": "grader_errors", "message": "Too many grader errors", "param": None}


async def test_reading_writes_nothing(world: World, sdk: openai.AsyncOpenAI) -> None:
    job = await create_job(sdk)
    before = world.app.state.service.store.rows("PRAGMA data_version")[0][0]
    changes = world.app.state.service.store.rows("SELECT total_changes()")[0][0]
    world.clock.forward(10)
    await get(sdk, job["id"])
    await sdk.fine_tuning.jobs.list_events(job["id"])
    await sdk.fine_tuning.jobs.checkpoints.list(job["id"])
    await sdk.models.list()
    assert world.app.state.service.store.rows("PRAGMA data_version")[0][0] == before
    assert world.app.state.service.store.rows("SELECT total_changes()")[0][0] == changes


async def test_the_key_is_nowhere_in_the_store(world: World, sdk: openai.AsyncOpenAI) -> None:
    await create_job(sdk)
    stored = b"".join(path.read_bytes() for path in world.settings.store.parent.rglob("*") if path.is_file())
    assert world.settings.key.encode() not in stored
    assert world.settings.key not in repr(world.settings)
    assert json.dumps(world.settings.key) not in repr(world.app.state.service)


@pytest.mark.parametrize(("method", "status"), [("supervised", "failed"), ("reinforcement", "queued")])
async def test_ten_examples_are_the_least_for_supervised_jobs_alone(
    world: World, sdk: openai.AsyncOpenAI, method: str, status: str
) -> None:
    row = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
    content = rft_rows(3) if method == "reinforcement" else (row * 3).encode()
    file_id = await upload(sdk, content)
    if method == "reinforcement":
        job = await create_job(sdk, training_file=file_id)
    else:
        made = await sdk.fine_tuning.jobs.create(
            model="gpt-4o-mini", training_file=file_id, method={"type": "supervised"}
        )
        job = {"id": made.id}
    world.clock.forward(0.45)
    now = await get(sdk, job["id"])
    assert now["status"] == status
    if status == "failed":
        assert now["error"]["code"] == "invalid_n_examples"
        assert "Training file has 3 example(s), but must have at least 10 examples" in now["error"]["message"]


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a multi"])
async def test_without_a_runner_a_job_with_a_python_grader_fails_with_the_reason(
    sdk: openai.AsyncOpenAI, world: World, inside: bool
) -> None:
    code = {"type": "python", "name": "code", "source": "def grade(sample, item):\n    return 1.0\n"}
    both = {
        "type": "multi",
        "name": "all",
        "graders": {"code": code, "other": GRADER},
        "calculate_output": "code + other",
    }
    method = {"type": "reinforcement", "reinforcement": {"grader": both if inside else code}}
    job = await create_job(sdk, method=method)
    world.clock.forward(3600)
    ended = await get(sdk, job["id"])
    said = "Grader 'code': Python graders are not run here." if inside else "Python graders are not run here."
    assert ended["status"] == "failed"
    assert ended["error"] == {
        "code": "invalid_grader",
        "message": f"The job failed due to an invalid grader. {said}",
        "param": "method.reinforcement.grader",
    }
    assert world.trainer.runs == []


async def test_a_fine_tuned_model_or_checkpoint_is_trained_further_from_what_it_learned(
    make_world: Callable[..., World],
) -> None:
    async with simulating(make_world) as (world, sdk):
        first = await train(world, sdk)
        checkpoints = [one async for one in sdk.fine_tuning.jobs.checkpoints.list(first.job_id)]
        assert len(checkpoints) > 1
        for start in checkpoints:
            further = await train(world, sdk, model=start.fine_tuned_model_checkpoint, seed=8)
            events = [event async for event in sdk.fine_tuning.jobs.list_events(further.job_id)]
            said = f"[SIMULATED] Training goes on from what {start.fine_tuned_model_checkpoint} learned."
            assert said in [event.message for event in events]
            steps = [event.data for event in reversed(events) if event.type == "metrics"]
            reached = start.metrics.to_dict()["train_mean_reward"]
            assert steps[0]["train_mean_reward"] == pytest.approx(reached, abs=0.15)


async def test_the_trainer_is_told_what_the_model_had_learned_and_nothing_of_a_base_model(
    sdk: openai.AsyncOpenAI, world: World
) -> None:
    first = await create_job(sdk)
    world.clock.forward(3600)
    ended = await get(sdk, first["id"])
    await create_job(sdk, model=ended["fine_tuned_model"])
    await create_job(sdk, model=f"{ended['fine_tuned_model']}:ckpt-step-3")
    assert [run.start for run in world.trainer.runs] == [None, {"reward": 0.6}, {"reward": 0.9}]


async def test_what_is_sent_back_in_an_error_is_shortened(world: World) -> None:
    names = ("x" * 50_000, "many words " * 10_000)
    async with world.http() as http:
        for name in names:
            bodies = ({"model": name}, {"model": "o4-mini", "training_file": name}, {name: 1}, {"seed": 10**4_000})
            asked = [{"training_file": "file-a", "model": "o4-mini", **body} for body in bodies]
            replies = [await http.post("/fine_tuning/jobs", json=body) for body in asked]
            replies.append(await http.get("/files", params={"after": name[:20_000]}))
            replies.append(
                await http.post("/uploads", json={"purpose": name, "filename": "a", "bytes": 1, "mime_type": "x"})
            )
            for reply in replies:
                assert (reply.status_code, len(reply.text) < 5_000) == (400, True)
                assert "…" in reply.json()["error"]["message"]
        for path in (f"/files/{names[0]}", f"/fine_tuning/jobs/{names[0]}/events", f"/{names[0]}"):
            reply = await http.get(path)
            assert (reply.status_code, len(reply.text) < 500) == (404, True)


async def test_a_member_that_asks_a_model_for_a_label_fails_the_job_when_it_starts(
    world: World, sdk: openai.AsyncOpenAI
) -> None:
    content = [{"role": "user", "content": "{{sample.output_text}}"}]
    label = {"type": "label_model", "name": "l", "model": "m", "input": content, "labels": ["a"], "passing_labels": []}
    grader = {"type": "multi", "name": "m", "graders": {"label": label}, "calculate_output": "label"}
    job = await create_job(sdk, method={"type": "reinforcement", "reinforcement": {"grader": grader}})
    world.clock.forward(1)
    failed = await get(sdk, job["id"])
    assert (failed["status"], failed["error"]["code"]) == ("failed", "invalid_grader")
    assert "'label_model' is in the API's schema, but rftplan cannot run it" in failed["error"]["message"]
