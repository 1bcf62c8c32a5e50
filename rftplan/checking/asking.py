"""What a service says of graders and models before anything is launched. Asks through the port alone; judges nothing.

`graders/run` asks a judge, which may cost tokens: a few rows of each grader, and only for whoever asked for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from rftplan.address import Address
from rftplan.api.port import GraderRun, Port, RemoteModel
from rftplan.api.profiles import Capability
from rftplan.checking.samples import Sample, body_of, runs_there, samples_of
from rftplan.checks.models import judged, to_launch
from rftplan.checks.preflight import GraderTrial, Preflight, Told, Written, written_graders
from rftplan.config.request import NO_MODEL
from rftplan.errors import ApiError, NotFoundError, RejectedError
from rftplan.kinds.grader import GraderSpec

_AT_ONCE: Final = 4
_REFUSED: Final = frozenset({400, 422})
"""The service looked at the grader. Any other refusal is about the key or the way there, and ends the command."""


class Asked(Struct, frozen=True):
    """`told` is what the service said, `graders` how many it validated, `runs` how many answers it graded, `models`
    how many it was asked about; `unasked` is what it could not be asked, `failure` why it was asked nothing more."""

    told: Told
    graders: int = 0
    runs: int = 0
    models: int = 0
    unasked: tuple[str, ...] = ()
    failure: ApiError | None = None


class _Answers(Struct):
    """What came back so far: a failure takes nothing of it away. `trials` are by their samples' order."""

    promoted: Mapping[str, str]
    shutdowns: dict[str, date] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    refusals: dict[str, str] = field(default_factory=dict)
    trials: dict[int, GraderTrial] = field(default_factory=dict)
    graders: int = 0
    models: int = 0
    unasked: list[str] = field(default_factory=list)

    def asked(self, failure: ApiError | None) -> Asked:
        told = Told(
            promoted=self.promoted,
            shutdowns=self.shutdowns,
            missing=frozenset(self.missing),
            refusals=self.refusals,
            trials=tuple(trial for _, trial in sorted(self.trials.items())),
        )
        return Asked(told, self.graders, len(self.trials), self.models, tuple(self.unasked), failure)


async def ask(
    preflight: Preflight, port: Port, *, paths: Mapping[Address, Path], promoted: Mapping[str, str], try_graders: bool
) -> Asked:
    """Everything that the service can be asked about what is about to be launched, until it does not answer.

    `paths` are the data files', `promoted` the live models by their deployments' names; `try_graders` is false where
    it is known that graders fail.
    """
    answers = _Answers(promoted)
    try:
        await _about_models(preflight, port, answers)  # before anything that may cost tokens
        await _validate(port, preflight, answers)
        samples, unasked = samples_of(preflight, paths, refused=answers.refusals, try_graders=try_graders)
        answers.unasked += unasked
        await _at_once(_trials(port, samples, answers))
    except ApiError as error:
        return answers.asked(error)
    if not preflight.profile.can(Capability.SHUTDOWN_DATES):
        answers.unasked.append(f"when models shut down: provider {preflight.profile.type} does not say")
    return answers.asked(None)


async def shutdown_dates(port: Port, *, promoted: Mapping[str, str]) -> Told:
    """The days that the service names, in one request."""
    return Told(shutdowns=_dated(await port.list_models()), promoted=promoted)


def _dated(models: Iterable[RemoteModel]) -> dict[str, date]:
    return {model.id: model.shutdown for model in models if model.shutdown is not None}


async def _at_once(calls: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """A few at a time, so that no service takes it for an attack."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(call: Callable[[], Awaitable[None]]) -> None:
        async with gate:
            await call()

    tasks = [asyncio.ensure_future(one(call)) for call in calls]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:  # the first failure ends them all
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _validate(port: Port, preflight: Preflight, answers: _Answers) -> None:
    def call(where: Written, spec: GraderSpec) -> Callable[[], Awaitable[None]]:
        async def validate() -> None:
            try:
                await port.validate_grader(body_of(where, spec))
            except RejectedError as error:
                if error.status not in _REFUSED:
                    raise
                answers.refusals[where.of] = error.message
            answers.graders += 1

        return validate

    graders = [(where, spec) for where, spec in written_graders(preflight) if runs_there(preflight, spec)]
    await _at_once(call(where, spec) for where, spec in graders)


def _trials(port: Port, samples: Iterable[Sample], answers: _Answers) -> Iterator[Callable[[], Awaitable[None]]]:
    def call(turn: int, sample: Sample) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            try:
                done = await port.run_grader(sample.grader, model_sample=sample.text, item=sample.item)
            except RejectedError as error:
                if error.status not in _REFUSED:
                    raise
                done = GraderRun(None, {"refused": error.message})
            answers.trials[turn] = GraderTrial(sample.of, sample.file, sample.line, sample.right, done.errors)

        return run

    return (call(turn, sample) for turn, sample in enumerate(samples))


async def _about_models(preflight: Preflight, port: Port, answers: _Answers) -> None:
    """Days and absence of the models that matter. One that is not listed is asked for by its name: lists leave out
    what may be used all the same."""
    dates = preflight.profile.can(Capability.SHUTDOWN_DATES)
    names = {*answers.promoted.values(), *(_needed(preflight) if dates else ())}
    found = await port.list_models() if names else []
    listed = {model.id for model in found}
    answers.shutdowns.update(_dated(found))
    life = preflight.profile.life
    unlisted = sorted(name for name in names if not {name, life.snapshot(name) if life else name} & listed)
    if preflight.profile.can(Capability.ANY_MODEL):
        unlisted = [name for name in unlisted if name.startswith("ft:")]
        names = {*unlisted, *(names & listed)}
    answers.models = len(names) - len(unlisted)
    for name in unlisted:
        try:
            answers.shutdowns.update(_dated([await port.get_model(name)]))
        except NotFoundError:
            answers.missing.add(name)
        answers.models += 1


def _needed(preflight: Preflight) -> Iterator[str]:
    yield from (job.spec.model for job in to_launch(preflight) if job.spec.model != NO_MODEL)
    yield from (scorer.model for _, scorer in judged(preflight))
