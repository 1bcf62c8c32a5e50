"""One scripted life of a job, for any service of this API: what a client does, step by step, and what it must see.

Knows nothing of the service but its URL and key. A step raises AssertionError for what it sees otherwise, and
SkipStep for what the service does not offer.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import openai
import pytest
from openai import OpenAI

MODEL = "o4-mini-2025-04-16"
ROWS, VALIDATION_ROWS = 40, 10
ENDED = ("succeeded", "failed", "cancelled")
LONGEST_WAIT = 14_400.0  # seconds: what a small job may take at a real service
GRADER: dict[str, Any] = {
    "type": "string_check",
    "name": "answer",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}


class SkipStep(Exception):
    """The service does not offer this, or an earlier step did not bring what it needs."""


@dataclass
class Life:
    """A client, and what its life brought so far. `wait` lets so many seconds pass at the service."""

    client: OpenAI
    admin: OpenAI
    wait: Callable[[float], None]
    wrong_key: OpenAI
    pause_between: float
    mark: str
    have: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        if name not in self.have:
            raise SkipStep(f"there is no {name}")
        return self.have[name]

    def job(self) -> dict[str, Any]:
        return self.raw_job(self["job"])

    def raw_job(self, job_id: str) -> dict[str, Any]:
        reply = self.client.fine_tuning.jobs.with_raw_response.retrieve(job_id)
        body: dict[str, Any] = json.loads(reply.text)
        return body

    def until(self, met: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The job as soon as it is as wanted; AssertionError if it never is."""
        waited = 0.0
        while not met(job := self.job()):
            assert waited < LONGEST_WAIT, f"the job is still {job['status']}"
            assert job["status"] not in ENDED, f"the job has {job['status']} ({job['error']})"
            self.wait(self.pause_between)
            waited += self.pause_between
        return job


@dataclass(frozen=True)
class Step:
    what: str
    spends: bool
    take: Callable[[Life], None]


STEPS: list[Step] = []


def step(what: str, *, spends: bool = False) -> Callable[[Callable[[Life], None]], Callable[[Life], None]]:
    """The next step of the life. One that `spends` starts work that is paid for, or needs such work."""

    def add(take: Callable[[Life], None]) -> Callable[[Life], None]:
        STEPS.append(Step(what, spends, take))
        return take

    return add


def rows(count: int, mark: str) -> bytes:
    lines = (
        {"messages": [{"role": "user", "content": f"{mark}: is {n} even?"}], "answer": "no" if n % 2 else "yes"}
        for n in range(count)
    )
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def refused(call: Callable[[], object], status: int) -> dict[str, Any]:
    """The error's body."""
    with pytest.raises(openai.APIStatusError) as caught:
        call()
    assert caught.value.status_code == status, caught.value
    assert isinstance(caught.value.body, dict)
    return caught.value.body


@step("a wrong key is 401")
def _wrong_key(life: Life) -> None:
    refused(life.wrong_key.models.list, 401)


@step("models are listed, and the base model is one of them")
def _models(life: Life) -> None:
    assert MODEL in {model.id for model in life.client.models.list()}
    assert life.client.models.retrieve(MODEL).object == "model"


@step("a model that is not there is 404")
def _no_model(life: Life) -> None:
    refused(lambda: life.client.models.retrieve("ft:o4-mini-2025-04-16:nobody::nothing"), 404)


@step("a file that is not there is 404 with param id")
def _no_file(life: Life) -> None:
    assert refused(lambda: life.client.files.retrieve("file-doesnotexist00000000"), 404)["param"] == "id"


@step("a file is uploaded, and its content comes back")
def _upload(life: Life) -> None:
    content = rows(ROWS, life.mark)
    file = life.client.files.create(file=("train.jsonl", content), purpose="fine-tune")
    life.have["training file"] = file.id
    assert (file.bytes, file.filename, file.purpose) == (len(content), "train.jsonl", "fine-tune")
    assert life.client.files.retrieve(file.id).id == file.id
    assert life.client.files.content(file.id).content == content


@step("a file is uploaded in parts, and is its parts in the order that complete says")
def _parts(life: Life) -> None:
    content = rows(VALIDATION_ROWS, f"valid {life.mark}")
    upload = life.client.uploads.create(
        filename="valid.jsonl", purpose="fine-tune", bytes=len(content), mime_type="text/jsonl"
    )
    half = len(content) // 2
    second = life.client.uploads.parts.create(upload.id, data=content[half:])
    first = life.client.uploads.parts.create(upload.id, data=content[:half])
    done = life.client.uploads.complete(
        upload.id, part_ids=[first.id, second.id], md5=hashlib.md5(content, usedforsecurity=False).hexdigest()
    )
    assert done.status == "completed"
    assert done.file is not None
    life.have["validation file"] = done.file.id
    assert life.client.files.content(done.file.id).content == content


@step("an upload that was cancelled takes no part")
def _cancelled_upload(life: Life) -> None:
    upload = life.client.uploads.create(filename="a.jsonl", purpose="fine-tune", bytes=2, mime_type="text/jsonl")
    assert life.client.uploads.cancel(upload.id).status == "cancelled"
    refused(lambda: life.client.uploads.parts.create(upload.id, data=b"{}"), 400)


@step("files are listed by purpose, newest first, page by page")
def _list_files(life: Life) -> None:
    listed = life.client.files.list(purpose="fine-tune", limit=1)
    ids = [file.id for file in itertools.islice(listed, 50)]
    assert ids.index(life["validation file"]) < ids.index(life["training file"])


@step("a grader is validated, and comes back")
def _validate(life: Life) -> None:
    assert life.client.fine_tuning.alpha.graders.validate(grader=GRADER).grader is not None  # type: ignore[arg-type]


@step("a grader with an unknown operation is 400")
def _invalid_grader(life: Life) -> None:
    wrong: Any = {**GRADER, "operation": "neq"}
    refused(lambda: life.client.fine_tuning.alpha.graders.validate(grader=wrong), 400)


@step("a grader is run on an answer, right and wrong")
def _run(life: Life) -> None:
    run: Any = life.client.fine_tuning.alpha.graders.run
    assert run(grader=GRADER, model_sample="yes", item={"answer": "yes"}).reward == 1
    assert run(grader=GRADER, model_sample="no", item={"answer": "yes"}).reward == 0


@step("a grader that fails on an answer is 200 with a flag and reward 0")
def _failing_grader(life: Life) -> None:
    run: Any = life.client.fine_tuning.alpha.graders.run
    result = run(grader=GRADER, model_sample="yes", item={"another": "field"})
    assert result.reward == 0
    assert result.metadata.errors.invalid_variable_error


@step("a job that is not there is 404 fine_tune_not_found")
def _no_job(life: Life) -> None:
    error = refused(lambda: life.client.fine_tuning.jobs.retrieve("ftjob-doesnotexist0000000"), 404)
    assert error["code"] == "fine_tune_not_found"


@step("a job without validation file is refused for reinforcement")
def _no_validation(life: Life) -> None:
    method: Any = {"type": "reinforcement", "reinforcement": {"grader": GRADER}}
    create: Any = life.client.fine_tuning.jobs.create
    refused(lambda: create(model=MODEL, training_file="file-doesnotexist00000000", method=method), 400)


def _create(life: Life, name: str) -> str:
    method: Any = {
        "type": "reinforcement",
        "reinforcement": {"grader": GRADER, "hyperparameters": {"n_epochs": 1, "reasoning_effort": "low"}},
    }
    job = life.client.fine_tuning.jobs.create(
        model=MODEL,
        training_file=life["training file"],
        validation_file=life["validation file"],
        method=method,
        suffix="contract",
        seed=7,
        metadata={"contract": life.mark, "name": name},
    )
    assert job.status in ("validating_files", "queued", "running")
    return job.id


@step("a job is created, and comes back with what was sent", spends=True)
def _create_job(life: Life) -> None:
    life.have["job"] = _create(life, "first")
    job = life.job()
    assert (job["seed"], job["metadata"]) == (7, {"contract": life.mark, "name": "first"})
    assert job["user_provided_suffix"] == "contract"
    assert job["training_file"] == life["training file"]
    assert job["method"]["reinforcement"]["grader"]["operation"] == "eq"
    assert job["finished_at"] is None


@step("jobs are listed by metadata", spends=True)
def _list_jobs(life: Life) -> None:
    jobs = life.client.fine_tuning.jobs
    assert [job.id for job in jobs.list(metadata={"contract": life.mark})] == [life["job"]]
    assert [job.id for job in jobs.list(metadata={"contract": f"not {life.mark}"})] == []


@step("a job that does not run cannot be resumed: 400", spends=True)
def _early_resume(life: Life) -> None:
    job = life["job"]
    refused(lambda: life.client.fine_tuning.jobs.resume(job), 400)


@step("a running job is paused, after a step", spends=True)
def _pause(life: Life) -> None:
    life.until(lambda job: job["status"] == "running" and _steps(life) > 0)
    assert life.client.fine_tuning.jobs.pause(life["job"]).status in ("pausing", "paused")
    life.until(lambda job: job["status"] == "paused")


@step("a paused job is resumed, and succeeds", spends=True)
def _resume(life: Life) -> None:
    assert life.client.fine_tuning.jobs.resume(life["job"]).status in ("queued", "resuming", "running")
    job = life.until(lambda job: job["status"] == "succeeded")
    life.have["model"] = job["fine_tuned_model"]
    assert job["fine_tuned_model"].startswith("ft:")
    assert job["finished_at"] >= job["created_at"]


@step("events come newest first, and pages of two have them all, once", spends=True)
def _events(life: Life) -> None:
    jobs = life.client.fine_tuning.jobs
    paged = [event.id for event in jobs.list_events(life["job"], limit=2)]
    whole = jobs.list_events(life["job"], limit=100).data
    assert paged[: len(whole)] == [event.id for event in whole]
    assert len(set(paged)) == len(paged)
    times = [event.created_at for event in whole]
    assert times == sorted(times, reverse=True)


@step("metrics events have the step, and rewards of training", spends=True)
def _metrics(life: Life) -> None:
    events = life.client.fine_tuning.jobs.list_events(life["job"], limit=100)
    data: list[Any] = [event.data for event in events if event.type == "metrics"]
    assert {"step", "total_steps", "scores", "errors", "usage", "timing"} <= set(data[0])


@step("checkpoints are listed, highest step first, and name models", spends=True)
def _checkpoints(life: Life) -> None:
    found = life.client.fine_tuning.jobs.checkpoints.list(life["job"]).data
    steps = [checkpoint.step_number for checkpoint in found]
    assert steps
    assert steps == sorted(steps, reverse=True)
    life.have["checkpoint"] = found[-1].fine_tuned_model_checkpoint
    assert life.client.models.retrieve(life["checkpoint"]).id == life["checkpoint"]


@step("a permission is granted, listed and revoked, with the admin key", spends=True)
def _permissions(life: Life) -> None:
    permissions = life.admin.fine_tuning.checkpoints.permissions
    checkpoint = life["checkpoint"]
    granted = permissions.create(checkpoint, project_ids=["proj_contract"]).data[0]
    assert granted.id in {one.id for one in permissions.list(checkpoint)}
    assert permissions.delete(granted.id, fine_tuned_model_checkpoint=checkpoint).deleted
    assert granted.id not in {one.id for one in permissions.list(checkpoint)}


@step("the fine-tuned model answers, at once and as a stream", spends=True)
def _chat(life: Life) -> None:
    ask: Any = life.client.chat.completions.create
    messages = [{"role": "user", "content": f"{life.mark}: is 2 even?"}]
    reply = ask(model=life["model"], messages=messages)
    assert isinstance(reply.choices[0].message.content, str)
    chunks = list(ask(model=life["model"], messages=messages, stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"


@step("the fine-tuned model answers through responses", spends=True)
def _respond(life: Life) -> None:
    reply: Any = life.client.responses.create(model=life["model"], input=f"{life.mark}: is 2 even?")
    assert reply.status == "completed"
    assert isinstance(reply.output_text, str)


@step("what a validated step sampled is there, where the service offers it", spends=True)
def _samples(life: Life) -> None:
    path = f"/fine_tuning/jobs/{life['job']}/samples"
    try:
        step = life.client.fine_tuning.jobs.checkpoints.list(life["job"]).data[0].step_number
        page: Any = life.client.get(path, cast_to=object, options={"params": {"step": step}})
    except openai.NotFoundError as error:
        raise SkipStep("the service has no such route") from error
    assert page["data"][0]["samples"]


@step("another job is cancelled, once", spends=True)
def _cancel(life: Life) -> None:
    job = _create(life, "second")
    jobs = life.client.fine_tuning.jobs
    assert jobs.cancel(job).status == "cancelled"
    refused(lambda: jobs.cancel(job), 400)


@step("a model is deleted, and is gone", spends=True)
def _delete_model(life: Life) -> None:
    model = life["checkpoint"]
    assert life.client.models.delete(model).deleted
    refused(lambda: life.client.models.retrieve(model), 404)


@step("files are deleted, and are gone")
def _delete_files(life: Life) -> None:
    for name in ("training file", "validation file"):
        file = life[name]
        assert life.client.files.delete(file).deleted
        refused(lambda file=file: life.client.files.retrieve(file), 404)  # type: ignore[misc]


def _steps(life: Life) -> int:
    return sum(event.type == "metrics" for event in _first_events(life))


def _first_events(life: Life) -> Iterator[Any]:
    return iter(life.client.fine_tuning.jobs.list_events(life["job"], limit=100).data)
