"""Graders that can be tried at a service, and answers made up to try them on. Asks nobody and judges nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from rftplan.address import Address
from rftplan.api.profiles import PROFILES, Capability
from rftplan.canonical import JsonObject
from rftplan.checks.models import to_launch
from rftplan.checks.preflight import Preflight, Role, Written, grader_of, uses, written_graders
from rftplan.config import Declared
from rftplan.data.rows import row_of
from rftplan.grading import Grader, GraderError, Namespace, parse_grader
from rftplan.grading import Multi as MultiGrader
from rftplan.grading.candidates import AnswerBook, item_of
from rftplan.grading.candidates import Kind as AnswerKind
from rftplan.kinds.grader import GraderSpec, Multi, Python, sent
from rftplan.reading import BOM, UnreadableError, read_at_most

SAMPLE_ROWS: Final = 3
"""Of each grader's training file, so many are graded."""
_FIRST_BYTES: Final = 1024 * 1024


class Sample(Struct, frozen=True):
    """One answer to be graded. `line` is that of its row."""

    grader: JsonObject
    of: str
    file: Address
    line: int
    text: str
    item: JsonObject = field(default_factory=dict)
    right: bool = False


class _Try(Struct, frozen=True):
    """A grader that shall grade answers to rows of `file`, as `job` uses it."""

    job: Declared
    where: Written
    spec: GraderSpec
    file: Declared

    @property
    def body(self) -> JsonObject:
        return body_of(self.where, self.spec)


def samples_of(
    preflight: Preflight, paths: Mapping[Address, Path], *, refused: Collection[str], try_graders: bool
) -> tuple[list[Sample], list[str]]:
    """The answers to be graded, and what cannot be tried so; `refused` graders are not."""
    if not preflight.profile.can(Capability.GRADER_RUN):
        return [], [f"how graders score: provider {preflight.profile.type} does not run them on request"]
    if not try_graders:
        return [], ["how graders score, until the errors above are mended"]
    unasked: list[str] = []
    if _has_python_here(preflight):
        unasked.append("how Python graders score: they would run on this machine, for which --run-python asks")
    samples: list[Sample] = []
    for one in _to_try(preflight):
        grader = None if one.where.of in refused else _parsed(one)
        if grader is None:
            continue
        calling = [_reads_calls(member) for member in _members(grader)]
        if any(calling):
            unasked.append(f"how {one.where.of} scores answers that call tools, which none made up here does")
        if not all(calling):
            samples += _answers(one, grader, paths, whole=not any(calling))
    return samples, unasked


def runs_there(preflight: Preflight, spec: GraderSpec) -> bool:
    """What the provider cannot run has a finding already."""
    return spec.root.type in preflight.profile.grader_types


def body_of(where: Written, spec: GraderSpec) -> JsonObject:
    return sent(spec, name=where.declared.address.name)


def _is_python(spec: GraderSpec) -> bool:
    members = spec.root.graders.values() if isinstance(spec.root, Multi) else [spec.root]
    return any(isinstance(member, Python) for member in members)


def _has_python_here(preflight: Preflight) -> bool:
    """Whether the service inside this process would run code of the specs."""
    here = preflight.profile == PROFILES["local"]
    return here and any(_is_python(spec) for _, spec in written_graders(preflight))


def _to_try(preflight: Preflight) -> Iterator[_Try]:
    """Each grader that a job trains with, once, with the first job's training file."""
    done: set[str] = set()
    training = {use.job.address: use.file for use in uses(preflight) if use.role is Role.TRAINING}
    here = preflight.profile == PROFILES["local"]
    for job in to_launch(preflight):
        found, file = grader_of(preflight, job), training.get(job.address)
        if found is None or file is None or found[0].of in done or not runs_there(preflight, found[1]):
            continue
        if here and _is_python(found[1]):
            continue
        done.add(found[0].of)
        yield _Try(job, *found, file)


def _parsed(one: _Try) -> Grader | None:
    try:
        return parse_grader(one.body)
    except GraderError:
        return None  # what is wrong with it is a finding already


def _members(grader: Grader) -> list[Grader]:
    return list(grader.members.values()) if isinstance(grader, MultiGrader) else [grader]


def _reads_calls(grader: Grader) -> bool:
    return any(ref.namespace is Namespace.SAMPLE and ref.path[0] == "output_tools" for ref in grader.references)


def _answers(one: _Try, grader: Grader, paths: Mapping[Address, Path], *, whole: bool) -> Iterator[Sample]:
    """Answers to the first rows: right ones where it is known what is right, if they have the `whole` of it."""
    rows = first_rows(paths[one.file.address], SAMPLE_ROWS) if one.file.address in paths else []
    items = [item_of(row) for _, row in rows]
    book = AnswerBook(items, grader, one.job.spec.reinforcement.response_format)
    for turn, ((line, _), item) in enumerate(zip(rows, items, strict=True)):
        texts = book.candidates(item, turn=turn)
        right = texts.get(AnswerKind.RIGHT)
        text = texts[AnswerKind.CONSTANT] if right is None else right
        certain = whole and right is not None and not book.reads_what_is_made_up(item)
        yield Sample(one.body, one.where.of, one.file.address, line, text, item, right=certain)


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
