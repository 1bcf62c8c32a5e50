"""A service of one's own for each test: fake clock, counted ids, a trivial trainer, the real SDK."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from starlette.applications import Starlette

from rftplan.grading import StandInJudge
from rftplan.server.app import close_app, create_app
from rftplan.server.settings import Settings
from rftplan.server.trainer import Answer, Question, Said, Step, TrainingFailedError, TrainingRun, Trajectory

KEY = "sk-local-test"
START = 1_790_000_000.0


@dataclass
class Clock:
    """Stands still until a test moves it."""

    time: float = START

    def __call__(self) -> float:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class CountingIds:
    """Ids that a test can foresee: `file-1`, `ftjob-2`, …"""

    counter: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __call__(self, prefix: str) -> str:
        return f"{prefix}{next(self.counter)}"


@dataclass
class TrivialTrainer:
    """A second Trainer beside the product's own: a step and a checkpoint for each reward of a table.

    Its checkpoints answer with their reward and what they were asked last.
    """

    name: str = "trivial"
    simulated: bool = True
    rewards: tuple[float, ...] = (0.1, 0.5, 0.9, 0.4, 0.6)
    notes: tuple[str, ...] = ()
    failure: TrainingFailedError | None = None
    runs: list[TrainingRun] = field(default_factory=list)

    def train(self, run: TrainingRun) -> Trajectory:
        self.runs.append(run)
        if self.failure is not None:
            raise self.failure
        steps = [
            Step(
                number=number,
                message=f"Step {number}/{len(self.rewards)}",
                metrics={"step": number, "train_mean_reward": reward},
                checkpoint={"full_valid_mean_reward": reward},
                model={"reward": reward},
                samples=[[0] for _ in run.valid],
            )
            for number, reward in enumerate(self.rewards, start=1)
        ]
        answers = [[Said("yes", "yes", 0.5, {"reward": 0.5})] for _ in run.valid]
        declared = run.hyperparameters.get("n_epochs")
        settings = {"n_epochs": declared if isinstance(declared, int) else 2, "batch_size": 4}
        return Trajectory(steps, settings, trained_tokens=1234, notes=self.notes, answers=answers)

    def answer(self, question: Question) -> Answer:
        said = "nothing learned" if question.learned is None else f"{question.learned.model['reward']}"
        return Answer(f"{said} {question.messages[-1]['content']}", prompt_tokens=1, completion_tokens=4)


@dataclass
class World:
    """One service, and what a test can turn in it."""

    settings: Settings
    clock: Clock
    trainer: TrivialTrainer
    app: Starlette

    def http(self, **headers: str) -> httpx2.AsyncClient:
        """A bare client that sends the key."""
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app),
            base_url="http://local/v1",
            headers={"authorization": f"Bearer {KEY}", **headers},
        )

    def sdk(self) -> openai.AsyncOpenAI:
        http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app))
        return openai.AsyncOpenAI(api_key=KEY, base_url="http://local/v1", http_client=http, max_retries=0)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Services over one store (`tmp_path`/local/service.sqlite) unless another is given."""
    made: list[World] = []

    def make(**changes: Any) -> World:
        clock, trainer = Clock(), TrivialTrainer()
        settings = Settings(
            store=tmp_path / "local" / "service.sqlite",
            key=KEY,
            trainer=trainer,
            judge=StandInJudge(),
            now=clock,
            new_id=CountingIds(),
        )
        settings = replace(settings, **changes)
        world = World(settings, clock, trainer, create_app(settings))
        made.append(world)
        return world

    yield make
    for world in made:
        close_app(world.app)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture
async def sdk(world: World) -> AsyncIterator[openai.AsyncOpenAI]:
    async with world.sdk() as client:
        yield client


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async with world.http() as client:
        yield client


def jsonl(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def rft_rows(count: int) -> bytes:
    """Rows with a question and the field `answer`."""
    return jsonl(
        *(
            {"messages": [{"role": "user", "content": f"Question {n}?"}], "answer": "yes" if n % 2 else "no"}
            for n in range(count)
        )
    )


GRADER: Mapping[str, Any] = {
    "type": "string_check",
    "name": "answer",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}


async def upload(sdk: openai.AsyncOpenAI, content: bytes, name: str = "train.jsonl") -> str:
    file = await sdk.files.create(file=(name, content), purpose="fine-tune")
    return file.id


async def rft_body(sdk: openai.AsyncOpenAI, **changes: Any) -> dict[str, Any]:
    """A create request that succeeds, over two files just uploaded, with top-level fields changed."""
    body: dict[str, Any] = {
        "model": "o4-mini",
        "training_file": await upload(sdk, rft_rows(12)),
        "validation_file": await upload(sdk, rft_rows(4), "test.jsonl"),
        "method": {"type": "reinforcement", "reinforcement": {"grader": GRADER}},
    }
    return {**body, **changes}


async def create_job(sdk: openai.AsyncOpenAI, **changes: Any) -> dict[str, Any]:
    """The raw reply of a create request that succeeds."""
    body = await rft_body(sdk, **changes)
    reply = await sdk.fine_tuning.jobs.with_raw_response.create(**body)
    return raw(reply)


def raw(reply: Any) -> dict[str, Any]:
    """A raw SDK response's JSON, as the service sent it."""
    body: dict[str, Any] = json.loads(reply.text if isinstance(reply.text, str) else reply.text())
    return body
