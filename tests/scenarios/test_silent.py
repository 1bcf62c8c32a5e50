"""A service that takes connections and says nothing: every command says what it waits for, and until when, and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from rftplan import project
from rftplan.address import Address
from rftplan.api.faults import Call, Kind
from rftplan.api.pacing import Pace, Patience
from rftplan.checking.online import check_project
from rftplan.doctor import examine
from rftplan.errors import ApiError, RftplanError
from rftplan.events import Event, Outcome, Unanswered
from rftplan.intervening import Command, intervene
from rftplan.loading import load
from rftplan.render.look import Look
from rftplan.render.progress_text import silent_line
from rftplan.wiring import World, telling
from tests.world import Small

JOB = Address("job", "review")
SOON = 0.01
"""Seconds of the real clock."""


@dataclass
class Silent:
    """Takes what is sent to it and answers nothing, until somebody was told so; only then the call times out. What does
    not `match` is answered."""

    inner: Any
    told: asyncio.Event
    match: Callable[[str], bool]

    async def handle_async_request(self, request: Any) -> Any:
        if not self.match(request.method):
            return await self.inner.handle_async_request(request)
        await self.told.wait()
        raise httpx2.ReadTimeout("", request=request)

    async def __aenter__(self) -> Silent:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def aclose(self) -> None:
        if self.inner is not None:
            await self.inner.aclose()


@dataclass
class Heard:
    """What a command was told, and the world in which it hears it."""

    small: Small
    events: list[Event] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    match: Callable[[str], bool] = lambda _: True
    about: str = ""

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Unanswered) and self.about in event.what:
            self.told.set()

    @property
    def world(self) -> World:
        world = replace(self.small.world, quiet=SOON, wrap=lambda inner: Silent(inner, self.told, self.match))
        return telling(world, self)

    @property
    def silences(self) -> list[Unanswered]:
        return [event for event in self.events if isinstance(event, Unanswered)]


Do = Callable[[Small, Heard], Coroutine[Any, Any, Any]]


def by_hand(command: Command) -> Do:
    return lambda small, heard: intervene(small.options, command, JOB, world=heard.world)


COMMANDS: dict[str, Do] = {
    "status": lambda small, heard: project.status(small.options, on_event=heard, world=heard.world),
    "plan": lambda small, heard: project.plan(small.options, on_event=heard, world=heard.world),
    "apply": lambda small, heard: project.apply(
        small.options, consent=lambda _: True, on_event=heard, world=heard.world
    ),
    "pause": by_hand(Command.PAUSE),
    "resume": by_hand(Command.RESUME),
    "cancel": by_hand(Command.CANCEL),
    "doctor": lambda small, heard: examine(small.options, heard.world),
    "check --online": lambda small, heard: check_project(load(small.options), heard.world),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_silence_is_told_with_its_end_and_ends_in_words(small: Small, name: str) -> None:
    small.apply()
    heard = Heard(small)
    if name == "doctor":  # what lives in this process is never far
        small.environ["RFTPLAN_LOCAL_KEY"] = "a-key-of-eight"
        small.edit("specs/main.yaml", "provider: local", "provider: {type: local, base_url: http://127.0.0.1:9/v1}")
    try:
        done = asyncio.run(COMMANDS[name](small, heard))
    except RftplanError as error:
        assert isinstance(error, ApiError)
        assert "no answer in time" in str(error)
        assert error.hint
    else:  # these tell what they found, and that nobody answered is part of it
        said = str(done)
        assert "no answer in time" in said, said
    assert heard.silences, name
    first = heard.silences[0]
    assert first.service in ("http://local/v1", "http://127.0.0.1:9/v1") and first.quiet == SOON
    assert 9 < first.left <= 60


def test_an_effect_whose_answer_does_not_come_is_told_too(small: Small) -> None:
    small.launch_until_step()
    heard = Heard(small, match=lambda method: method == "POST", about="pause")
    done = asyncio.run(COMMANDS["pause"](small, heard))
    assert f"pause {small.lock().resources[JOB].id}" in [one.what for one in heard.silences]
    assert [one.outcome for one in done.jobs] == [Outcome.FAILED]
    assert "it may be done all the same" in done.jobs[0].detail


def test_what_answers_in_time_says_nothing(small: Small) -> None:
    heard: list[Event] = []
    asyncio.run(project.status(small.options, on_event=heard.append, world=telling(small.world, heard.append)))
    assert not any(isinstance(event, Unanswered) for event in heard)


def test_calls_at_the_same_time_are_one_silence_and_the_next_one_is_news() -> None:
    told: list[str] = []

    async def main() -> None:
        pace = Pace(Patience(quiet=0.0, late=lambda what, _quiet, _left: told.append(what)))
        one, other = Call(Kind.READ, "list the jobs"), Call(Kind.READ, "list the files")
        with pace.asked(one, 60), pace.asked(other, 60):
            for _ in range(5):
                await asyncio.sleep(0)
        assert len(told) == 1
        pace.answered()
        with pace.asked(other, 60):
            for _ in range(5):
                await asyncio.sleep(0)
        with pace.asked(Call(Kind.EFFECT, "upload", intake=70), 60):  # it carries more than that
            for _ in range(5):
                await asyncio.sleep(0)

    asyncio.run(main())
    assert told == ["list the jobs", "list the files"]


def test_the_line_says_who_what_and_until_when() -> None:
    line = silent_line(Unanswered("http://127.0.0.1:8099/v1", "list the jobs", 5.0, 55.0), Look())
    assert (
        line
        == "http://127.0.0.1:8099/v1 was asked to list the jobs 5 s ago and has not answered; waiting for 55 s more."
    )
