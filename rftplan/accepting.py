"""Keep a finished run whose spec was edited since, because a person says so. Launches and cancels nothing."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import JobStatus, Port, RemoteJob
from rftplan.changes import FieldChange
from rftplan.errors import NotFoundError, RefusedPlanError, UserError
from rftplan.file_lock import acting_alone
from rftplan.kinds.base import Resource, stands_for
from rftplan.kinds.job.accepted import accepted_reason, as_launched, edits, with_accepted
from rftplan.kinds.job.kept import resolved_values, status_in
from rftplan.kinds.job.progress import progress_of
from rftplan.kinds.job.runs import with_run
from rftplan.ledger import open_ledger
from rftplan.loading import Loaded, Options
from rftplan.lockfile import Entry
from rftplan.opening import readable
from rftplan.planning import checked_state
from rftplan.wiring import World, connected, real_world


class Accepted(Struct, frozen=True):
    """A run that stands for the spec as it is now. `fields` are what differs from what was launched; `replaced` is
    the reason that somebody gave before. `changed`: the lock says something new. `simulated`: nothing was
    trained in it."""

    address: Address
    id: str
    reason: str
    fields: tuple[FieldChange, ...]
    replaced: str | None
    changed: bool
    requests: int
    simulated: bool = False


async def accept(options: Options, address: Address, reason: str, *, world: World | None = None) -> Accepted:
    """Let the address's finished run stand for the spec as it is now; an edit after this one relaunches again.

    UserError for what was never launched, has not ended well, or was not edited.
    """
    world = world or real_world()
    loaded = readable(options, world)
    want, entry = _concerned(loaded, address)
    async with connected(loaded, world) as port:
        job = await _finished(port, address, entry)
        ended = await _with_end(port, entry, job, loaded)
        requests = port.requests
    earlier = accepted_reason(entry, want)
    accepted = with_accepted(ended, want, reason)
    if accepted != entry:
        _write(loaded, address, entry, accepted, world)
    replaced = earlier if earlier != reason else None
    return Accepted(
        address,
        job.id,
        reason,
        edits(entry, want),
        replaced,
        accepted != entry,
        requests,
        simulated=job.simulation is not None,
    )


def _concerned(loaded: Loaded, address: Address) -> tuple[Resource, Entry]:
    if address.kind != "job":
        raise UserError(f"{address} is not a job", hint="runs are accepted: job.NAME")
    want, entry = loaded.graph.resources.get(address), loaded.state.entries.get(address)
    if want is None:
        raise UserError(f"{address} is not declared, so there is no spec that its run could stand for")
    if entry is None or entry.id is None:
        raise UserError(f"the lock knows no run of {address}", hint=f"rftplan import {address} ID takes one up")
    if any(intent.address == address for intent in loaded.state.intents.values()):
        raise UserError(f"an effect on {address} was cut off", hint="run rftplan apply first: it finds out what became")
    if stands_for(as_launched(entry), want):
        raise UserError(f"the specs say of {address} what was launched: there is nothing to accept")
    return want, entry


async def _finished(port: Port, address: Address, entry: Entry) -> RemoteJob:
    try:
        job = await port.get_job(str(entry.id))
    except NotFoundError:
        raise UserError(f"{entry.id} is not at the service any more, so nothing of it can be kept") from None
    if not job.status.ended:
        raise UserError(
            f"{job.id} is {job.raw_status}: only a finished run can be accepted",
            hint=f"take the edit back until {address} has ended, or write lifecycle: {{prevent_replace: true}}",
        )
    if job.status is not JobStatus.SUCCEEDED:
        raise UserError(f"{job.id} is {job.raw_status}: there is no result that could be kept")
    return job


async def _with_end(port: Port, entry: Entry, job: RemoteJob, loaded: Loaded) -> Entry:
    """The entry with how the job ended, while it still says what it was launched from."""
    if status_in(entry) is job.status:
        return entry
    progress = await progress_of(port, job)
    launched = as_launched(entry)
    history = with_run(entry.history, job, launched.inputs, progress, loaded.graph.resources)
    return replace(entry, resolved=resolved_values(job, progress), history=history)


def _write(loaded: Loaded, address: Address, before: Entry, after: Entry, world: World) -> None:
    with acting_alone(loaded.paths, "accept"):
        checked_state(loaded, world)
        ledger = open_ledger(
            loaded.paths, loaded.identity, project=loaded.project, now=world.now, new_lineage=world.new_id
        )
        if ledger.entries.get(address) != before:
            raise RefusedPlanError(f"somebody else changed what the lock says of {address}", hint="run this again")
        ledger.record(address, after)
        ledger.fold()
        ledger.close()
