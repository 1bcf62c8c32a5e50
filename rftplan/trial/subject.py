"""Which grader is tried, and which jobs' rows it is tried on. Grades nothing and reads no data file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from rftplan.address import Address
from rftplan.canonical import JsonObject
from rftplan.checks.preflight import Preflight, Role, Use, Written, grader_of, uses, written_graders
from rftplan.config import Declared
from rftplan.errors import UsageError, UserError
from rftplan.kinds.grader import GraderSpec, sent
from rftplan.spelling import close_names


class Subject(Struct, frozen=True):
    """A grader, with the jobs that train with it and their uses of files, in the order of the specs."""

    where: Written
    spec: GraderSpec
    jobs: tuple[Declared, ...]
    uses: tuple[Use, ...]

    @property
    def body(self) -> JsonObject:
        """As it is sent."""
        return sent(self.spec, name=self.where.declared.address.name)


def response_format_of(job: Declared | None) -> Mapping[str, Any] | None:
    """What a job's answers must be; None for plain text, and where there is no job."""
    reinforcement = None if job is None else job.spec.reinforcement
    return None if reinforcement is None else reinforcement.response_format


def subjects(preflight: Preflight) -> Iterator[Subject]:
    """Every grader, each once, with all its uses."""
    training: dict[str, list[Declared]] = {}
    for job in preflight.of_kind("job"):
        if (found := grader_of(preflight, job)) is not None:
            training.setdefault(found[0].of, []).append(job)
    for where, spec in written_graders(preflight):
        yield _of_jobs(preflight, where, spec, training.get(where.of, ()))


def _of_jobs(preflight: Preflight, where: Written, spec: GraderSpec, jobs: Sequence[Declared]) -> Subject:
    theirs = {job.address for job in jobs}
    return Subject(where, spec, tuple(jobs), tuple(use for use in uses(preflight) if use.job.address in theirs))


def find_subject(preflight: Preflight, name: str | None) -> Subject:
    """The grader called `name`, `grader.NAME`, or the one that `job.NAME` trains with, then with that job's files
    alone; without a name the only one there is. UsageError if it cannot be told which, UserError if there is none."""
    if name is None:
        return _only(list(subjects(preflight)))
    address = _address(preflight, name)
    if address in preflight.config.declared and address.kind == "job":
        return _of_job(preflight, preflight.config.declared[address])
    for subject in subjects(preflight):
        if subject.where.of == str(address):
            return subject
    known = [subject.where.of for subject in subjects(preflight)]
    raise UserError(f'there is no grader "{name}"', hint=_meant(str(address), known))


def _only(found: Sequence[Subject]) -> Subject:
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError("the specs have no grader", hint="declare one under graders:, or inside a job")
    raise UsageError("which grader?", hint=f"name one of {_listed([subject.where.of for subject in found])}")


def _address(preflight: Preflight, name: str) -> Address:
    try:
        if "." in name:
            return Address.parse(name)
        of_grader, of_job = Address("grader", name), Address("job", name)
    except ValueError as error:
        raise UsageError(str(error), hint="name a grader of the specs, or job.NAME") from None
    known = preflight.config.declared
    return of_job if of_job in known and of_grader not in known else of_grader


def _of_job(preflight: Preflight, job: Declared) -> Subject:
    found = grader_of(preflight, job)
    if found is None:
        raise UserError(f"{job.address} trains with no grader", hint="only reinforcement jobs have one")
    return _of_jobs(preflight, *found, [job])


def _meant(address: str, known: Sequence[str]) -> str:
    close = close_names(address, known)
    return f"did you mean {close[0]}?" if close else f"there is {_listed(known) or 'none'}"


def _listed(names: Sequence[str], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


ROLES = (Role.VALIDATION, Role.TRAINING)
"""Whose rows are taken, the best first: those that the promotion is decided on."""
