"""A process that does all there is to do on a store and tells what it was promised, and whether a store kept that.

Its lines: `will` before a call, `did` or `refused` after it, what, and its names. Whoever is killed has at most one
call open. It dies by its own hand before a chosen call of the system or the database, in any thread.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import openai

from rftplan.grading import StandInJudge
from rftplan.server.app import close_app, create_app
from rftplan.server.settings import Settings

from .conftest import GRADER, KEY, Clock, TrivialTrainer, World, rft_rows

FOREVER = 0
SAID = {
    "pause": "Pausing fine-tuning job",
    "resume": "Fine-tuning job resumed, moving job to queued state",
    "cancel": "Fine-tuning job cancelled",
}
_SYSTEM = ("replace", "unlink", "mkdir", "write", "open")


def acting(store: Path, *, seed: int, acts: int, dies_at: int = FOREVER) -> subprocess.Popen[str]:
    """`dies_at` counts the calls after which it is killed; by then it may have ended."""
    words = [sys.executable, "-m", "tests.server.acting", str(store), str(seed), str(acts), str(dies_at)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


@dataclass
class Actor:
    """`lasting` are files that are there, as far as it knows; of jobs it knows those that it made and saw."""

    rng: Random
    clock: Clock
    sdk: openai.AsyncOpenAI
    lasting: set[str] = field(default_factory=set)
    jobs: list[str] = field(default_factory=list)
    permissions: list[tuple[str, str]] = field(default_factory=list)

    async def act(self) -> None:
        often = (self.create, self.command, self.command, self.grant)
        once = (self.upload, self.create, self.delete_file, self.revoke, self.delete_model, self.read)
        await self.rng.choice([*often, *often, *once])()
        self.clock.forward(self.rng.choice([0, 0.3, 0.7, 1.5]))

    async def promised(self, what: str, *names: str, by: Awaitable[Any]) -> Any:
        """The reply, or None where it is refused."""
        _say("will", what, *names)
        try:
            return await by
        except openai.APIStatusError as error:
            if error.status_code >= 500 or error.status_code == 409:
                raise
            _say("refused", what, *names)
            return None

    async def upload(self) -> str:
        content = rft_rows(self.rng.randint(3, 300))
        file = await self.promised("upload", by=self.sdk.files.create(file=("a.jsonl", content), purpose="fine-tune"))
        self.lasting.add(file.id)
        _say("did", "upload", file.id)
        return str(file.id)

    async def create(self) -> None:
        job = await self.promised(
            "job",
            by=self.sdk.fine_tuning.jobs.create(
                model="o4-mini",
                training_file=await self.upload(),
                validation_file=await self.upload(),
                method={"type": "reinforcement", "reinforcement": {"grader": GRADER}},  # type: ignore[typeddict-item]
            ),
        )
        if job is not None:
            self.jobs.append(job.id)
            _say("did", "job", job.id)

    async def command(self) -> None:
        """Mostly one that the job's state allows."""
        if self.jobs:
            job = await self.sdk.fine_tuning.jobs.retrieve(self.rng.choice(self.jobs[-4:]))
            fitting = {"running": "pause", "paused": "resume"}.get(job.status, "cancel")
            verb = self.rng.choice([fitting, fitting, fitting, *SAID])
            if await self.promised(verb, job.id, by=getattr(self.sdk.fine_tuning.jobs, verb)(job.id)):
                _say("did", verb, job.id)

    async def delete_file(self) -> None:
        if self.lasting:
            file = self.rng.choice(sorted(self.lasting))
            self.lasting.discard(file)
            if await self.promised("delete", file, by=self.sdk.files.delete(file)):
                _say("did", "delete", file)

    async def model(self) -> str | None:
        if not self.jobs:
            return None
        job = await self.sdk.fine_tuning.jobs.retrieve(self.rng.choice(self.jobs))
        self.lasting.update(job.result_files)
        return job.fine_tuned_model

    async def grant(self) -> None:
        if model := await self.model():
            project = f"proj_{self.rng.randrange(3)}"
            grant = self.sdk.fine_tuning.checkpoints.permissions.create(model, project_ids=[project])
            if pages := await self.promised("grant", model, project, by=_all(grant)):
                self.permissions.append((model, pages[0].id))
                _say("did", "grant", model, project, pages[0].id)

    async def revoke(self) -> None:
        if self.permissions:
            model, one = self.permissions.pop()
            revoke = self.sdk.fine_tuning.checkpoints.permissions.delete(one, fine_tuned_model_checkpoint=model)
            if await self.promised("revoke", model, one, by=revoke):
                _say("did", "revoke", model, one)

    async def delete_model(self) -> None:
        model = await self.model()
        if model and await self.promised("unmake", model, by=self.sdk.models.delete(model)):
            _say("did", "unmake", model)

    async def read(self) -> None:
        """Each object once, what was promised among them."""
        jobs = [job.id async for job in self.sdk.fine_tuning.jobs.list(limit=3)]
        assert len(set(jobs)) == len(jobs) and set(self.jobs) <= set(jobs)
        self.jobs = list(dict.fromkeys([*self.jobs, *jobs]))
        files = [file.id async for file in self.sdk.files.list(limit=4)]
        assert len(set(files)) == len(files)
        models = [model.id async for model in self.sdk.models.list()]
        assert len(set(models)) == len(models)


async def _all(pages: Any) -> list[Any]:
    return [one async for one in pages]


def _say(*words: str) -> None:
    sys.stdout.write(f"{json.dumps(words)}\n")
    sys.stdout.flush()


def _die_at(point: int) -> None:
    """Kills this process just before the point-th call that changes something, which is just after the one before."""
    calls = count(1)

    def watch(frame: object, event: str, called: Any) -> None:
        if event != "c_call":
            return
        of = getattr(called, "__self__", None)
        if isinstance(of, sqlite3.Connection):
            changes = of.in_transaction
        else:
            changes = called.__name__ in _SYSTEM and (of is sys.modules["posix"] or isinstance(of, io.IOBase))
        if changes and next(calls) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(watch)
    sys.setprofile(watch)


async def _run(store: str, seed: str, acts: str, dies_at: str) -> None:
    clock = Clock()
    settings = Settings(store=Path(store), key=KEY, trainer=TrivialTrainer(), judge=StandInJudge(), now=clock)
    if int(dies_at) != FOREVER:
        _die_at(int(dies_at))
    world = World(settings, clock, TrivialTrainer(), create_app(settings))
    async with world.sdk() as sdk:
        actor = Actor(Random(int(seed)), clock, sdk)
        for _ in range(int(acts)):
            await actor.act()
    close_app(world.app)


@dataclass
class Promises:
    """What the lines of some processes come to; `open` are the calls that nobody knows the end of."""

    done: list[tuple[str, ...]] = field(default_factory=list)
    open: list[tuple[str, ...]] = field(default_factory=list)

    def take(self, lines: Sequence[str]) -> None:
        waiting: tuple[str, ...] | None = None
        for line in lines:
            if line.endswith("\n"):  # the last one may be torn
                told, *words = json.loads(line)
                waiting = tuple(words) if told == "will" else None
                if told == "did":
                    self.done.append(tuple(words))
        if waiting is not None:
            self.open.append(waiting)

    def names(self, what: str) -> set[str]:
        return {words[1] for words in self.done if words[0] == what}

    def perhaps(self, what: str, name: str) -> bool:
        return any(words[:2] == (what, name) for words in self.open)


async def assert_kept(make_world: Callable[..., World], promises: Promises) -> None:
    """That the store has all that was promised, whole, and of what was open all or nothing."""
    world = make_world()
    world.clock.forward(100_000)  # by then every job has ended, or is paused
    if world.settings.store.exists():  # it may have died before it made one
        with closing(sqlite3.connect(world.settings.store)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    async with world.sdk() as sdk:
        jobs = {job.id: job async for job in sdk.fine_tuning.jobs.list()}
        files = {file.id: file async for file in sdk.files.list()}
        for file in files.values():
            assert len((await sdk.files.content(file.id)).content) == file.bytes
        assert promises.names("job") <= jobs.keys()
        assert not promises.names("delete") & files.keys()
        results = {file for job in jobs.values() for file in job.result_files}
        for file_id in (promises.names("upload") | results) - promises.names("delete"):
            assert file_id in files or promises.perhaps("delete", file_id)
        for job in jobs.values():
            await _assert_commanded(sdk, job, promises)
            if job.status == "succeeded":
                await _assert_shown(world, job)
            if job.fine_tuned_model is not None:
                await _assert_models(sdk, job.fine_tuned_model, promises)


async def _assert_commanded(sdk: openai.AsyncOpenAI, job: Any, promises: Promises) -> None:
    events = Counter([event.message async for event in sdk.fine_tuning.jobs.list_events(job.id)])
    for verb, message in SAID.items():
        done = promises.done.count((verb, job.id))
        assert done <= events[message] <= done + promises.perhaps(verb, job.id), (verb, job.id)
    assert events["Created fine-tuning job"] == 1
    assert job.status in {"paused", "succeeded", "cancelled"}
    if events[SAID["cancel"]]:
        assert job.status == "cancelled"
    else:
        assert job.status == ("paused" if events[SAID["pause"]] > events[SAID["resume"]] else "succeeded")
    steps = [one.step_number async for one in sdk.fine_tuning.jobs.checkpoints.list(job.id)]
    assert steps == sorted(set(steps), reverse=True)


async def _assert_shown(world: World, job: Any) -> None:
    """Its samples, for which its validation file is read, be that deleted or not."""
    async with world.http() as http:
        reply = await http.get(f"/fine_tuning/jobs/{job.id}/samples", params={"step": 1})
        assert reply.status_code == 200 and reply.json()["data"], reply.text


async def _assert_models(sdk: openai.AsyncOpenAI, model: str, promises: Promises) -> None:
    made = {one.id async for one in sdk.models.list()}
    if model in promises.names("unmake"):
        assert model not in made
    if model not in made:
        assert model in promises.names("unmake") or promises.perhaps("unmake", model)
        return
    there = {one.id for one in await _all(sdk.fine_tuning.checkpoints.permissions.list(model, limit=100))}
    granted = {words[3] for words in promises.done if words[:2] == ("grant", model)}
    revoked = {words[2] for words in promises.done if words[:2] == ("revoke", model)}
    assert not there & revoked
    assert len(there - granted) <= promises.perhaps("grant", model)
    assert len(granted - revoked - there) <= promises.perhaps("revoke", model)


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))
