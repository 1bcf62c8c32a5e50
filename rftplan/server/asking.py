"""Ask a model: which checkpoint a name means, what a request says to the trainer, what it answers. Knows no shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool

from rftplan.server.errors import ApiError
from rftplan.server.fields import Fields
from rftplan.server.file_store import FileStore
from rftplan.server.grader_request import named_grader, refused_grader
from rftplan.server.job_store import JobStore
from rftplan.server.models import ALIASES, base_of, checkpoint_of, found_model, refuse_retired
from rftplan.server.service import Service
from rftplan.server.stored_job import StoredJob
from rftplan.server.tokens import CHARACTERS_PER_TOKEN
from rftplan.server.trainer import Answer, Hint, Learned, Question, RefusedQuestionError, Rows, TrainingRun
from rftplan.server.validation_store import ValidationStore

if TYPE_CHECKING:
    from rftplan.grading import Grader

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
MOST_ANSWERS = 128


class Asked(Struct, frozen=True):
    """What every way of asking has in common. `most_tokens` counts those of reasoning, too."""

    model: str
    messages: Sequence[Mapping[str, Any]]
    simulate: Fields | None
    tools: Sequence[Mapping[str, Any]] = ()
    response_format: Mapping[str, Any] | None = None
    temperature: float = 1.0
    seed: int | None = None
    effort: str | None = None
    most_tokens: int | None = None
    answers: int = 1


class Reply(Struct, frozen=True):
    """What was answered. `model` is the snapshot that an alias means; `cut` has the places of what was cut off."""

    model: str
    answers: Sequence[Answer]
    cut: frozenset[int] = field(default=frozenset())


async def ask(service: Service, asked: Asked, *, reply_id: str) -> Reply:
    """Raises ApiError: 404 where there is no such model, 400 where it cannot answer.

    Without a seed the reply's id is one, so that the service needs no randomness of its own.
    """
    question = _question(service, asked)
    seed = reply_id if asked.seed is None else str(asked.seed)
    questions = [replace(question, seed=f"{seed}:{place}") for place in range(asked.answers)]
    try:
        answers = await run_in_threadpool(lambda: [service.settings.trainer.answer(one) for one in questions])
    except FileNotFoundError as error:
        message = f"The model '{asked.model}' cannot answer: the data it was trained from is gone."
        raise ApiError(message, param="model") from error
    except RefusedQuestionError as error:
        raise ApiError(f"Invalid 'simulate': {error}", param="simulate", code="invalid_value") from error
    cut = [_shortened(answer, asked.most_tokens) for answer in answers]
    places = frozenset(place for place, answer in enumerate(answers) if cut[place] is not answer)
    return Reply(ALIASES.get(asked.model, asked.model), cut, places)


def simulation(service: Service, reply: Reply) -> dict[str, Any] | None:
    """What a reply says of itself where no model is asked."""
    trainer = service.settings.trainer
    if not trainer.simulated:
        return None
    return {"trainer": trainer.name, "answers": [dict(answer.told) for answer in reply.answers]}


def _question(service: Service, asked: Asked) -> Question:
    learned = _learned(service, asked.model)
    return Question(
        base=base_of(asked.model),
        learned=learned,
        messages=asked.messages,
        seed="",
        tools=asked.tools,
        response_format=asked.response_format,
        hint=_hint(service, asked.simulate, learned),
        temperature=asked.temperature,
        reasoning_effort=asked.effort,
    )


def learned_by(service: Service, name: str) -> tuple[StoredJob, Mapping[str, Any] | None]:
    """The job of a fine-tuned model, and what the model answers from; None where nothing was kept of it. Raises
    ApiError where there is no such model."""
    found_model(service, name)
    model, step = checkpoint_of(name)
    job = JobStore(service.store).by_model(model)
    assert job is not None  # it has just been found
    return job, ValidationStore(service.store).model(job.seq, step or job.life.steps)


def _learned(service: Service, name: str) -> Learned | None:
    """None for a base model."""
    refuse_retired(service, name)
    if name in ALIASES or name in ALIASES.values():
        return None
    job, state = learned_by(service, name)
    if state is None:
        raise ApiError(
            f"The model '{name}' cannot answer: when it was made, nothing was kept that it could answer from. "
            "A job that is created now makes models that can.",
            param="model",
        )
    return Learned(job.id, state, partial(_run_of, service, job))


def _run_of(service: Service, job: StoredJob) -> TrainingRun:
    """The job's run, as its trainer had it; raises OSError where its data cannot be read."""
    from rftplan.server.datafile import DataRole, read_again
    from rftplan.server.job_request import Method
    from rftplan.server.recorded import read_recorded

    request = job.request
    settings = request["method"][job.method]
    grader, files = settings.get("grader"), FileStore(service.store)
    recorded = (job.simulation or {}).get("candidates")

    def rows(role: DataRole) -> Rows:
        file = request[role.param]
        return [] if file is None else read_again(files.content(file), role=role, method=Method(job.method))

    return TrainingRun(
        job_id=job.id,
        model=request["model"],
        method=job.method,
        hyperparameters=settings["hyperparameters"],
        seed=request["seed"],
        train=rows(DataRole.TRAINING),
        valid=rows(DataRole.VALIDATION),
        grader=None if grader is None else service.settings.read_grader(grader),
        response_format=settings.get("response_format"),
        judge=service.settings.sitting_judge(),
        recorded=() if recorded is None else read_recorded(files.content(recorded)),
    )


def _hint(service: Service, simulate: Fields | None, learned: Learned | None) -> Hint | None:
    """Our own field `simulate`: the row that is asked about and, for a base model, the grader that would score it."""
    if simulate is None:
        return None
    simulate.expect("item", "grader")
    item = simulate.need("item")
    Fields(item, simulate.name("item"))  # only that it is an object: its fields are the user's
    body = simulate.take("grader")
    if body is not None and learned is not None:
        message = "Invalid 'simulate.grader': the grader of a fine-tuned model is that of its job."
        raise ApiError(message, param="simulate.grader", code="invalid_value")
    return Hint(item, None if body is None else _grader(service, body))


def _grader(service: Service, body: object) -> Grader:
    from rftplan.grading import GraderError

    try:
        named = named_grader(body, service.settings.new_id, path="simulate.grader")
        return service.settings.read_grader(named, param="simulate.grader")
    except GraderError as error:
        raise refused_grader(error) from error


def _shortened(answer: Answer, most: int | None) -> Answer:
    """The answer if it has at most so many tokens, else its beginning. Reasoning comes first, as the vendor counts."""
    if most is None or answer.completion_tokens <= most:
        return answer
    reasoning = min(most, answer.reasoning_tokens)
    text = answer.text[: (most - reasoning) * CHARACTERS_PER_TOKEN]
    return replace(answer, text=text, tool_calls=(), completion_tokens=most, reasoning_tokens=reasoning)
