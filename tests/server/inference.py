"""Models that can be asked: jobs of the simulating trainer that ran to their end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import openai

from rftplan.server.simulate import SimulatingTrainer

from .conftest import World, jsonl, upload
from .simulation import GRADER, RESPONSE_FORMAT, question_rows

TRAIN, VALID = question_rows(24), question_rows(8, seed=1)
UNKNOWN = [{"role": "user", "content": "What nobody asked before?"}]


@dataclass
class Trained:
    """A job that succeeded, and its world."""

    world: World
    sdk: openai.AsyncOpenAI
    job_id: str
    model: str

    async def say(self, messages: Any, *, model: str | None = None, **wanted: Any) -> Any:
        """The typed chat completion."""
        return await self.sdk.chat.completions.create(model=model or self.model, messages=messages, **wanted)

    async def texts(self, messages: Any, **wanted: Any) -> list[str]:
        return [choice.message.content for choice in (await self.say(messages, **wanted)).choices]


@asynccontextmanager
async def simulating(make_world: Callable[..., World]) -> AsyncIterator[tuple[World, openai.AsyncOpenAI]]:
    """A world whose trainer is the product's own, and a client of it."""
    world = make_world(trainer=SimulatingTrainer())
    async with world.sdk() as sdk:
        yield world, sdk


async def train(world: World, sdk: openai.AsyncOpenAI, **body: Any) -> Trained:
    """Trains on the questionnaire by reinforcement unless the body says otherwise; the clock stands at its end."""
    wanted: dict[str, Any] = {
        "model": "o4-mini",
        "training_file": await upload(sdk, jsonl(*TRAIN)),
        "validation_file": await upload(sdk, jsonl(*VALID), "test.jsonl"),
        "method": reinforcement(),
        "seed": 7,
    }
    job = await sdk.fine_tuning.jobs.create(**{**wanted, **body})
    world.clock.forward(100)
    model = (await sdk.fine_tuning.jobs.retrieve(job.id)).fine_tuned_model
    assert model is not None
    return Trained(world, sdk, job.id, model)


def reinforcement(**changes: Any) -> dict[str, Any]:
    settings: Mapping[str, Any] = {"grader": {**GRADER, "name": "both"}, "response_format": RESPONSE_FORMAT}
    return {"type": "reinforcement", "reinforcement": {**settings, **changes}}
