"""Which jobs a person means: one by its address, one by its id, or each of the project. Looks only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from msgspec import Struct

from rftplan.address import Address
from rftplan.api.port import Port, RemoteJob
from rftplan.errors import NotFoundError, UserError
from rftplan.intervening.where import spoken
from rftplan.kinds.job.launch import ADDRESS_KEY, TOKEN_KEY
from rftplan.subject import Subject

ENV: Final = "default"
_BY_ID: Final = "name the job itself: --id ftjob-…"


class JobId(Struct, frozen=True):
    """One job by the id that the service gave it, whoever launched it."""

    id: str


class Every(Struct, frozen=True):
    """Each job of this project and environment that has not ended."""


Target = Address | JobId | Every


class Meant(Struct, frozen=True):
    """A job that is meant, and the address whose launch it is, where that is known."""

    job: RemoteJob
    address: Address | None


async def jobs_meant(subject: Subject, port: Port, target: Target) -> Sequence[Meant]:
    """At least one. UserError where there is none, which says who was asked."""
    asked = spoken(subject.identity)
    match target:
        case JobId(id):
            return [await _by_id(subject, port, id)]
        case Address():
            found = await _launches(subject, port, target)
            if not found:
                raise UserError(f"no launch of {target} is known; asked was {asked}", hint=_BY_ID)
            return [one for one in found if not one.job.status.ended] or found[:1]
        case Every():
            found = await active_jobs(subject, port)
            if not found:
                raise UserError(f"no job of {_project(subject)} is active; asked was {asked}", hint=_BY_ID)
            return found
        case _:
            assert_never(target)


async def active_jobs(subject: Subject, port: Port) -> list[Meant]:
    """Each of the project that has not ended, newest first."""
    return [one for one in await _launches(subject, port, None) if not one.job.status.ended]


async def _by_id(subject: Subject, port: Port, id: str) -> Meant:
    try:
        job = await port.get_job(id)
    except NotFoundError:
        asked = spoken(subject.identity)
        raise UserError(f"{asked} knows no job {id}", hint="look for it in the account of this key") from None
    return Meant(job, _locked(subject).get(id) or _named(subject, job))


def _project(subject: Subject) -> str:
    return f"project {subject.project}" if subject.project else "this project, whose name the specs do not say,"


async def _launches(subject: Subject, port: Port, address: Address | None) -> list[Meant]:
    """Newest first: the jobs that the lock has, and those that carry our name, of this address (None: of any)."""
    locked, found = _locked(subject), []
    for job in await port.list_jobs():
        named = locked.get(job.id) or _named(subject, job)
        if named is not None and address in (None, named):
            found.append(Meant(job, named))
    return found


def _locked(subject: Subject) -> dict[str, Address]:
    entries = subject.state.entries if subject.state else {}
    return {entry.id: address for address, entry in entries.items() if address.kind == "job" and entry.id}


def _named(subject: Subject, job: RemoteJob) -> Address | None:
    """The address of this project that a job says it was launched for. What was launched under another lock than the
    one that is here is somebody else's."""
    lineage = job.metadata.get(TOKEN_KEY, "").partition(":")[0]
    if subject.lock is not None and lineage != subject.lock.lineage:
        return None
    project, _, rest = job.metadata.get(ADDRESS_KEY, "").partition("/")
    env, _, written = rest.partition("/")
    if (project, env) != (subject.project, ENV):
        return None
    try:
        return Address.parse(written)
    except ValueError:
        return None
