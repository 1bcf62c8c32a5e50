"""What a service says of graders and models before anything is launched. Asks through the port alone; judges nothing.

`graders/run` asks a judge, which may cost tokens: a few rows of each grader, and only for whoever asked for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from rftplan.address import Address
from rftplan.api.port import GraderRun, Port, RemoteModel
from rftplan.api.profiles import PROFILES, Capability
from rftplan.canonical import JsonObject
from rftplan.checks.models import judged, to_launch
from rftplan.checks.preflight import GraderTrial, Preflight, Role, Told, Written, grader_of, uses, written_graders
from rftplan.config import Declared
from rftplan.config.request import NO_MODEL
from rftplan.data.rows import row_of
from rftplan.errors import NotFoundError, RejectedError
from rftplan.grading import GraderError, parse_grader
from rftplan.grading.candidates import AnswerBook, item_of
from rftplan.grading.candidates import Kind as AnswerKind
from rftplan.kinds.grader import GraderSpec, Multi, Python, sent
from rftplan.reading import BOM, UnreadableError, read_at_most

SAMPLE_ROWS: Final = 3
"""Of each grader's training file, so many are graded."""
_AT_ONCE: Final = 4
_FIRST_BYTES: Final = 1024 * 1024
_REFUSED: Final = frozenset({400, 422})
"""The service looked at the grader. Any other refusal is about the key or the way there, and ends the command."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """`told` is what the service said, `graders` how many it validated, `runs` how many answers it graded, `models`
    how many it was asked about; `unasked` is what it could not be asked."""

    told: Told
    graders: int = 0
    runs: int = 0
    models: int = 0
    unasked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sample:
    """One answer to be graded. `line` is that of its row."""

    grader: JsonObject
    of: str
    file: Address
    line: int
    text: str
    item: JsonObject = field(default_factory=dict)
    right: bool = False


async def ask(
    preflight: Preflight, port: Port, *, paths: Mapping[Address, Path], promoted: Mapping[str, str], try_graders: bool
) -> Asked:
    """Everything that the service can be asked about what is about to be launched. ApiError if it does not answer.

    `paths` are the data files', `promoted` the live models by their deployments' names; `try_graders` is false where
    it is known that graders fail.
    """
    profile = preflight.profile
    graders = [(where, spec) for where, spec in written_graders(preflight) if _runs_there(preflight, spec)]
    asked = await _about_models(preflight, port, Told(promoted=promoted))  # before anything that may cost tokens
    refusals = await _refusals(port, graders)
    unasked: list[str] = []
    samples: list[_Sample] = []
    if not profile.can(Capability.GRADER_RUN):
        unasked.append(f"how graders score: provider {profile.type} does not run them on request")
    elif not try_graders:
        unasked.append("how graders score, until the errors above are mended")
    else:
        samples = [one for one in _samples(preflight, paths) if one.of not in refusals]
        if _has_python_here(preflight):
            unasked.append("how Python graders score: they would run on this machine, for which --run-python asks")
    trials = await _at_once(_trial(port, sample) for sample in samples)
    told = replace(asked.told, refusals=refusals, trials=tuple(trials))
    if not profile.can(Capability.SHUTDOWN_DATES):
        unasked.append(f"when models shut down: provider {profile.type} does not say")
    return replace(asked, told=told, graders=len(graders), runs=len(samples), unasked=tuple(unasked))


async def shutdown_dates(port: Port, *, promoted: Mapping[str, str]) -> Told:
    """The days that the service names, in one request."""
    return Told(shutdowns=_dated(await port.list_models()), promoted=promoted)


def _dated(models: Iterable[RemoteModel]) -> dict[str, Any]:
    return {model.id: model.shutdown for model in models if model.shutdown is not None}


async def _at_once(calls: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """A few at a time, so that no service takes it for an attack."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(call: Callable[[], Awaitable[T]]) -> T:
        async with gate:
            return await call()

    tasks = [asyncio.ensure_future(one(call)) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:  # the first failure ends the command
            task.cancel()


def _runs_there(preflight: Preflight, spec: GraderSpec) -> bool:
    """What the provider cannot run has a finding already."""
    return spec.root.type in preflight.profile.grader_types


async def _refusals(port: Port, graders: Sequence[tuple[Written, GraderSpec]]) -> dict[str, str]:
    def call(where: Written, spec: GraderSpec) -> Callable[[], Awaitable[tuple[str, str] | None]]:
        async def validate() -> tuple[str, str] | None:
            try:
                await port.validate_grader(_body(where, spec))
            except RejectedError as error:
                if error.status not in _REFUSED:
                    raise
                return where.of, error.message
            return None

        return validate

    said = await _at_once(call(where, spec) for where, spec in graders)
    return dict(one for one in said if one is not None)


def _body(where: Written, spec: GraderSpec) -> JsonObject:
    return sent(spec, name=where.declared.address.name)


def _trial(port: Port, sample: _Sample) -> Callable[[], Awaitable[GraderTrial]]:
    async def run() -> GraderTrial:
        try:
            done = await port.run_grader(sample.grader, model_sample=sample.text, item=sample.item)
        except RejectedError as error:
            if error.status not in _REFUSED:
                raise
            done = GraderRun(None, {"refused": error.message})
        return GraderTrial(sample.of, sample.file, sample.line, sample.right, done.errors)

    return run


def _is_python(spec: GraderSpec) -> bool:
    members = spec.root.graders.values() if isinstance(spec.root, Multi) else [spec.root]
    return any(isinstance(member, Python) for member in members)


def _has_python_here(preflight: Preflight) -> bool:
    """Whether the service inside this process would run code of the specs."""
    here = preflight.profile == PROFILES["local"]
    return here and any(_is_python(spec) for _, spec in written_graders(preflight))


def _samples(preflight: Preflight, paths: Mapping[Address, Path]) -> Iterator[_Sample]:
    """For each grader that a job trains with, answers to the first rows of the first job's training file."""
    done: set[str] = set()
    training = {use.job.address: use.file for use in uses(preflight) if use.role is Role.TRAINING}
    here = preflight.profile == PROFILES["local"]
    for job in to_launch(preflight):
        found, file = grader_of(preflight, job), training.get(job.address)
        if found is None or file is None or found[0].of in done or not _runs_there(preflight, found[1]):
            continue
        if here and _is_python(found[1]):
            continue
        done.add(found[0].of)
        yield from _answers(job, found, file, paths)


def _answers(
    job: Declared, found: tuple[Written, GraderSpec], file: Declared, paths: Mapping[Address, Path]
) -> Iterator[_Sample]:
    where, spec = found
    body = _body(where, spec)
    rows = first_rows(paths[file.address], SAMPLE_ROWS) if file.address in paths else []
    items = [item_of(row) for _, row in rows]
    try:
        book = AnswerBook(items, parse_grader(body), job.spec.reinforcement.response_format)
    except GraderError:
        return
    for turn, ((line, _), item) in enumerate(zip(rows, items, strict=True)):
        texts = book.candidates(item, turn=turn)
        right = texts.get(AnswerKind.RIGHT)
        text = texts[AnswerKind.CONSTANT] if right is None else right
        certain = right is not None and not book.reads_what_is_made_up(item)
        yield _Sample(body, where.of, file.address, line, text, item, right=certain)


def first_rows(path: Path, count: int) -> list[tuple[int, JsonObject]]:
    """The first good rows with their lines, of the first megabyte; none where the file cannot be read."""
    try:
        head = read_at_most(path, _FIRST_BYTES).removeprefix(BOM)
    except UnreadableError:
        return []
    lines = head.split(b"\n")
    whole = lines if len(head) < _FIRST_BYTES else lines[:-1]
    rows: list[tuple[int, JsonObject]] = []
    for number, line in enumerate(whole, 1):
        if len(rows) == count:
            break
        row = row_of(line)[0] if line.strip() else None
        if row is not None:
            rows.append((number, row))
    return rows


async def _about_models(preflight: Preflight, port: Port, told: Told) -> Asked:
    """Days and absence of the models that matter. One that is not listed is asked for by its name: lists leave out
    what may be used all the same."""
    dates = preflight.profile.can(Capability.SHUTDOWN_DATES)
    names = {*told.promoted.values(), *(_needed(preflight) if dates else ())}
    listed = {model.id: model for model in await port.list_models()} if names else {}
    life = preflight.profile.life
    unlisted = sorted(name for name in names if not {name, life.snapshot(name) if life else name} & listed.keys())
    missing = set()
    for name in unlisted:
        try:
            listed[name] = await port.get_model(name)
        except NotFoundError:
            missing.add(name)
    found = replace(told, shutdowns=_dated(listed.values()), missing=frozenset(missing))
    return Asked(found, models=len(names))


def _needed(preflight: Preflight) -> Iterator[str]:
    yield from (job.spec.model for job in to_launch(preflight) if job.spec.model != NO_MODEL)
    yield from (scorer.model for _, scorer in judged(preflight))
