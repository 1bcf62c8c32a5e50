"""Whatever comes in whatever order: a file is made of exactly its parts, once, or not at all, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rftplan.grading import StandInJudge
from rftplan.server.app import close_app, create_app, make_store
from rftplan.server.settings import Settings
from rftplan.server.uploads import LIFE

from .conftest import KEY, START, Clock, CountingIds, TrivialTrainer, World
from .uploading import GOOD, md5_of, on_disk

LARGEST_PART, LARGEST_UPLOAD, LIFETIME = 24, 60, 7_200

WRITER = """
import asyncio, sys
from pathlib import Path
from rftplan.grading import StandInJudge
from rftplan.server.settings import Settings
from tests.server.conftest import KEY, TrivialTrainer, World
from rftplan.server.app import create_app

async def main(store):
    settings = Settings(store=Path(store), key=KEY, trainer=TrivialTrainer(), judge=StandInJudge())
    world = World(settings, None, settings.trainer, create_app(settings))
    async with world.sdk() as sdk:
        for number in range(1000):
            begun = await sdk.uploads.create(
                bytes=200_000, filename=f"{number}.jsonl", mime_type="text/jsonl", purpose="fine-tune")
            print(begun.id, flush=True)
            parts = []
            for half in (b"a", b"b"):
                part = await sdk.uploads.parts.create(begun.id, data=half * 100_000)
                parts.append(part.id)
                print(begun.id, *parts, flush=True)
            if number % 3:
                done = await sdk.uploads.complete(begun.id, part_ids=parts)
                print(begun.id, done.file.id, flush=True)

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.anyio
@pytest.mark.parametrize("acknowledged", [2, 7, 12, 13])
async def test_a_killed_service_loses_nothing_that_it_acknowledged(
    make_world: Callable[..., World], tmp_path: Path, acknowledged: int
) -> None:
    store = tmp_path / "local" / "service.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(store)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    with process:
        assert process.stdout is not None
        told = [process.stdout.readline().split() for _ in range(acknowledged)]
        process.kill()
    latest = {line[0]: line[1:] for line in told}
    whole = b"a" * 100_000 + b"b" * 100_000
    world = make_world(now=lambda: START)  # the writer's clock is real, and later
    async with world.sdk() as sdk:
        for upload_id, ids in latest.items():
            if not any(one.startswith("file-") for one in ids):
                with contextlib.suppress(openai.BadRequestError):  # completed, which nobody was told any more
                    for data in (b"a" * 100_000, b"b" * 100_000)[len(ids) :]:
                        ids = [*ids, (await sdk.uploads.parts.create(upload_id, data=data)).id]
                    ids = [(await sdk.uploads.complete(upload_id, part_ids=ids)).file.id]  # type: ignore[union-attr]
        kept = {file.id: file.filename async for file in sdk.files.list()}
        for file_id in kept:
            assert (await sdk.files.content(file_id)).content == whole
    assert {f"{number}.jsonl" for number in range(len(latest))} <= set(kept.values())
    placed = {name for name in on_disk(world) if name.startswith("file-")}
    assert len(placed - kept.keys()) <= 1, "at most what was being placed when it was killed"


@dataclass
class Announced:
    """What a client knows of its upload."""

    size: int
    created_at: float
    lifetime: int | None
    parts: dict[str, bytes] = field(default_factory=dict)
    end: str | None = None

    def status(self, now: float) -> str:
        return self.end or ("expired" if now >= int(self.created_at) + LIFE else "pending")


@settings(deadline=None, max_examples=25, stateful_step_count=30, suppress_health_check=list(HealthCheck))
class Uploading(RuleBasedStateMachine):
    """Clients of one service that starts again now and then, and a model of what they were promised."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.settings = Settings(
            store=Path(self.folder.name) / "service.sqlite",
            key=KEY,
            trainer=TrivialTrainer(),
            judge=StandInJudge(),
            now=self.clock,
            new_id=CountingIds(),
            largest_part=LARGEST_PART,
            largest_upload=LARGEST_UPLOAD,
        )
        self.app = create_app(self.settings)
        self.uploads: dict[str, Announced] = {}
        self.files: dict[str, tuple[bytes, int | None]] = {}

    def teardown(self) -> None:
        if hasattr(self, "app"):
            self.restart()
            make_store(self.app)
            assert on_disk(self.world) == {*self.present(), *self.waiting()}, "nothing is left over, nothing is missing"
            close_app(self.app)
            self.folder.cleanup()

    @property
    def world(self) -> World:
        return World(self.settings, self.clock, TrivialTrainer(), self.app)

    def present(self) -> dict[str, bytes]:
        return {
            file_id: content
            for file_id, (content, expires_at) in self.files.items()
            if expires_at is None or expires_at > self.clock.time
        }

    def waiting(self) -> set[str]:
        return {
            f"parts/{upload_id}/{part_id}"
            for upload_id, known in self.uploads.items()
            if known.status(self.clock.time) == "pending"
            for part_id in known.parts
        }

    def ask(self, *requests: tuple[str, dict[str, Any]]) -> list[httpx2.Response]:
        async def all_at_once() -> list[httpx2.Response]:
            async with self.world.http() as http:
                return await asyncio.gather(*(http.post(path, **rest) for path, rest in requests))

        return asyncio.run(all_at_once())

    @rule(size=st.integers(1, LARGEST_UPLOAD + 3), lifetime=st.sampled_from([None, None, LIFETIME]))
    def announce(self, size: int, lifetime: int | None) -> None:
        expires_after = {"expires_after": {"anchor": "created_at", "seconds": lifetime}} if lifetime else {}
        (reply,) = self.ask(("/uploads", {"json": {**GOOD, "bytes": size, **expires_after}}))
        assert reply.status_code == (200 if size <= LARGEST_UPLOAD else 400)
        if reply.status_code == 200:
            self.uploads[reply.json()["id"]] = Announced(size, self.clock.time, lifetime)

    @precondition(lambda self: self.uploads)
    @rule(data=st.data(), contents=st.lists(st.binary(max_size=LARGEST_PART + 2), min_size=1, max_size=4))
    def send_parts(self, data: st.DataObject, contents: list[bytes]) -> None:
        self.send(data.draw(st.sampled_from(sorted(self.uploads))), contents)

    @precondition(lambda self: self.uploads)
    @rule(data=st.data(), fill=st.integers(0, 255))
    def send_what_is_missing(self, data: st.DataObject, fill: int) -> None:
        upload_id = data.draw(st.sampled_from(sorted(self.uploads)))
        known = self.uploads[upload_id]
        missing = known.size - sum(map(len, known.parts.values()))
        if missing > 0:
            whole = bytes([fill]) * missing
            self.send(upload_id, [whole[at : at + LARGEST_PART] for at in range(0, missing, LARGEST_PART)])

    def send(self, upload_id: str, contents: Sequence[bytes]) -> None:
        known = self.uploads[upload_id]
        replies = self.ask(*((f"/uploads/{upload_id}/parts", {"files": {"data": ("x", one)}}) for one in contents))
        for content, reply in zip(contents, replies, strict=True):
            if len(content) > LARGEST_PART:
                assert reply.status_code == 413
            elif not content or known.status(self.clock.time) != "pending":
                assert reply.status_code == 400
            elif reply.status_code == 200:
                known.parts[reply.json()["id"]] = content
            else:
                assert "more than 60 bytes together" in reply.json()["error"]["message"]
        total = sum(map(len, known.parts.values()))
        assert total <= LARGEST_UPLOAD

    @precondition(lambda self: self.uploads)
    @rule(data=st.data(), md5=st.sampled_from(["none", "right", "wrong"]), times=st.sampled_from([1, 1, 2]))
    def complete(self, data: st.DataObject, md5: str, times: int) -> None:
        upload_id = data.draw(st.sampled_from(sorted(self.uploads)))
        known = self.uploads[upload_id]
        order = data.draw(st.permutations(sorted(known.parts)))
        exact = [list(order[:count]) for count in range(len(order) + 1) if _size(known, order[:count]) == known.size]
        asked = exact[0] if exact else data.draw(st.lists(st.sampled_from([*order, "part_nope"])))
        whole = b"".join(known.parts.get(one, b"") for one in asked)
        digest = {"none": {}, "right": {"md5": md5_of(whole)}, "wrong": {"md5": md5_of(whole + b"x")}}[md5]
        was = known.status(self.clock.time)
        replies = self.ask(
            *((f"/uploads/{upload_id}/complete", {"json": {"part_ids": asked, **digest}}) for _ in range(times))
        )
        done = [reply.json() for reply in replies if reply.status_code == 200]
        assert {reply.status_code for reply in replies} <= {200, 400}
        right = was == "pending" and md5 != "wrong" and len(set(asked)) == len(asked) and "part_nope" not in asked
        assert len(done) == (right and len(whole) == known.size)
        for reply in done:
            known.end = reply["status"]
            assert reply["file"]["bytes"] == known.size
            expires_at = int(self.clock.time) + known.lifetime if known.lifetime else None
            assert reply["file"]["expires_at"] == expires_at
            self.files[reply["file"]["id"]] = (whole, expires_at)

    @precondition(lambda self: self.uploads)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        upload_id = data.draw(st.sampled_from(sorted(self.uploads)))
        known = self.uploads[upload_id]
        (reply,) = self.ask((f"/uploads/{upload_id}/cancel", {}))
        if known.status(self.clock.time) == "pending":
            assert reply.json()["status"] == "cancelled"
            known.end = "cancelled"
        else:
            assert reply.status_code == 400

    @rule(seconds=st.sampled_from([0.5, 100, 1_800, LIFE, LIFETIME]))
    def wait(self, seconds: float) -> None:
        self.clock.forward(seconds)

    @rule()
    def restart(self) -> None:
        close_app(self.app)
        self.app = create_app(self.settings)

    @invariant()
    def the_files_are_those_that_were_completed(self) -> None:
        if not hasattr(self, "app"):
            return

        async def listed() -> dict[str, bytes]:
            async with self.world.sdk() as sdk:
                return {file.id: (await sdk.files.content(file.id)).content async for file in sdk.files.list()}

        assert asyncio.run(listed()) == self.present()
        assert not any(name.startswith("incoming") for name in on_disk(self.world))


def _size(known: Announced, part_ids: Sequence[str]) -> int:
    return sum(len(known.parts[one]) for one in part_ids)


TestUploading = Uploading.TestCase
