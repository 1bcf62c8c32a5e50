"""Take what exists at the service under the care of a lock. Launches, uploads and promotes nothing.

What is imported is compared with what the spec declares, and recorded only where nothing is known to differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import Port
from rftplan.api.profiles import Capability
from rftplan.canonical import fingerprint_like, known_version
from rftplan.changes import FieldChange
from rftplan.errors import RefusedPlanError, UsageError, UserError
from rftplan.events import OnEvent, ignore
from rftplan.file_lock import acting_alone
from rftplan.importing.checkpoints import checkpoint_found
from rftplan.importing.files import file_found
from rftplan.importing.found import Found, Ground, Input, Looking
from rftplan.importing.jobs import job_found
from rftplan.kinds.base import Resource
from rftplan.kinds.job.launch import ADDRESS_KEY, LAUNCH_KEY
from rftplan.kinds.scope import Scope
from rftplan.ledger import open_ledger
from rftplan.loading import Loaded, Options
from rftplan.lockfile import Entry, Origin
from rftplan.opening import readable
from rftplan.planning import checked_state
from rftplan.wiring import World, connected, real_world

__all__ = ["Ground", "ImportOutcome", "Imported", "Input", "import_one"]

_FINDS = {"file": file_found, "job": job_found, "deployment": checkpoint_found}


class ImportOutcome(StrEnum):
    """What became of an import."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Imported(Struct, frozen=True):
    """What was imported, or why not: `differences` say what the spec has (`before`) and the service (`after`).
    `related` are objects of the service that it uses, each with the declared address that no lock entry has yet.
    `simulated` says that nothing was trained for it."""

    address: Address
    id: str
    outcome: ImportOutcome
    state: str
    inputs: tuple[Input, ...]
    differences: tuple[FieldChange, ...]
    related: tuple[tuple[Address, str], ...]
    requests: int
    simulated: bool = False


async def import_one(
    options: Options,
    address: Address,
    id: str,
    *,
    given: Mapping[str, Path] = {},
    on_event: OnEvent = ignore,
    world: World | None = None,
) -> Imported:
    """Record that the address is what the service has under this id, unless the spec says something else.

    `given` are bytes by the name of the file that they are said to be. UserError for what is not declared, not
    there, another lock's, or in the lock already as something else.
    """
    world = world or real_world()
    loaded = readable(options, world)
    want = _declared(loaded, address)
    _require_free(loaded, address, id)
    _require_asked(loaded, want, given)
    async with connected(loaded, world) as port:
        if loaded.state.new:
            await _require_nothing_lost(loaded, port)
        looking = Looking(loaded, port, loaded.state.entries, given, on_event, loaded.state.lineage)
        found = await _FINDS[address.kind](looking, want, id)
        requests = port.requests
    outcome = _recorded(loaded, address, found, world)
    related = tuple((i.declared, i.file) for i in found.inputs if i.declared and i.file and i.declared != address)
    missing = tuple(pair for pair in related if pair[0] not in loaded.state.entries)
    return Imported(
        address, id, outcome, found.state, found.inputs, found.differences, missing, requests, found.simulated
    )


def _declared(loaded: Loaded, address: Address) -> Resource:
    if address.kind not in _FINDS:
        raise UserError(
            f"{address} cannot be imported", hint="what exists at the service are files, jobs and checkpoints"
        )
    want = loaded.graph.resources.get(address)
    if want is None:
        raise UndeclaredError(
            f"{address} is not declared", hint="write it into the specs first: rftplan import --generate ID shows how"
        )
    return want


class UndeclaredError(UserError):
    """Something that exists and that no spec declares: nothing says yet what it should be."""

    error_code = "undeclared"


def _require_free(loaded: Loaded, address: Address, id: str) -> None:
    """One address, one object; one object, one address."""
    entry = loaded.state.entries.get(address)
    if entry is not None and entry.id not in (None, id):
        hint = f"it stays so until rftplan state rm {address} makes the lock forget it"
        raise UserError(f"{address} is {entry.id} in the lock", hint=hint)
    for other, known in loaded.state.entries.items():
        if known.id == id and other != address:
            hint = f"if it moved, say moved: [{{from: {other}, to: {address}}}]"
            raise UserError(f"{id} is {other} in the lock", hint=hint)
    knows = loaded.profile.can(Capability.METADATA)  # elsewhere a person may be the only one who can tell
    if any(i.address == address and (knows or i.verb != "launch") for i in loaded.state.intents.values()):
        raise UserError(f"an effect on {address} was cut off", hint="run rftplan apply first: it finds out what became")


def _require_asked(loaded: Loaded, want: Resource, given: Mapping[str, Path]) -> None:
    """Bytes are compared with a file that the imported object uses, or is."""
    used = {want.address, *(ref.address for ref in want.refs)}
    names = sorted(address.name for address in used if address.kind == "file")
    for name in given:
        if name not in names:
            raise UsageError(
                f"{want.address} uses no file.{name}", hint=f"--data takes {', '.join(names) or 'nothing'}"
            )


async def _require_nothing_lost(loaded: Loaded, port: Port) -> None:
    """A new lock is a new lineage, under which launches of a lock that was lost could not be taken up any more."""
    scope = Scope(loaded.project, loaded.env, "", True, loaded.profile, loaded.moves)
    jobs = {a: want for a, want in loaded.graph.resources.items() if a.kind == "job"}
    for job in await port.list_jobs() if jobs else ():
        recorded = job.metadata.get(LAUNCH_KEY, "").rpartition(":")[0]
        for address, want in jobs.items() if known_version(recorded) else ():
            here = job.metadata.get(ADDRESS_KEY) in scope.launch_addresses(address, ())
            if here and fingerprint_like(want.inputs, recorded) == recorded:
                raise UserError(
                    f"there is no lock here, and {job.id} is a launch of {address}: a lock was lost",
                    hint="run rftplan apply first: it takes up what that lock launched",
                )


def _recorded(loaded: Loaded, address: Address, found: Found, world: World) -> ImportOutcome:
    before = loaded.state.entries.get(address)
    if before is not None and before.origin is not Origin.IMPORTED and before.id is not None:
        return ImportOutcome.UNCHANGED
    if found.differences:
        return ImportOutcome.REFUSED
    after = _merged(before, found.entry)
    if after == before:
        return ImportOutcome.UNCHANGED
    with acting_alone(loaded.paths, "import"):
        state = checked_state(loaded, world)
        if state.entries != loaded.state.entries:
            raise RefusedPlanError("somebody else changed the lock meanwhile", hint="run this again")
        ledger = open_ledger(
            loaded.paths, loaded.identity, project=loaded.project, now=world.now, new_lineage=world.new_id
        )
        for other, entry in found.also.items():
            ledger.record(other, entry)
        ledger.record(address, after)
        ledger.fold()
        ledger.close()
    return ImportOutcome.IMPORTED


def _merged(before: Entry | None, now: Entry) -> Entry:
    """What was known better before stays known: a second look that could see less takes nothing back."""
    if before is None or before.id is None:
        return replace(now, holds=before.holds) if before else now
    known = {name: ground for name, ground in before.imported.items() if ground != Ground.ASSERTED.value}
    return replace(before, imported={**now.imported, **known})
