"""A data file at the service, looked at to be imported. Uploads nothing."""

from __future__ import annotations

from msgspec.structs import replace

from rftplan.changes import FieldChange
from rftplan.errors import UserError
from rftplan.importing.contents import contents
from rftplan.importing.found import Found, Input, Looking
from rftplan.kinds.base import Resource
from rftplan.kinds.file import used
from rftplan.kinds.file.spec import entry_of
from rftplan.lockfile import Origin


async def file_found(looking: Looking, want: Resource, id: str) -> Found:
    """UserError where there is no such file, or none that a job could start from."""
    if want.spec.stays_here:
        raise UserError(
            f"the specs keep {want.address} here (upload: never)", hint="take upload: never out to import it"
        )
    remote = await looking.file(id)
    if remote is None:
        raise UserError(f"the service has no training file {id}", hint="look for it in the account of this key")
    entry = entry_of(want, remote, Origin.IMPORTED)
    if any(
        id in (e.resolved.get("training_file"), e.resolved.get("validation_file")) for e in looking.entries.values()
    ):
        entry = used(entry)
    if want.data is not None and want.data.size != remote.size:
        return Found(entry, remote.status or "there", (), (FieldChange("size", want.data.size, remote.size),))
    known = await contents(looking, want, id)
    held, declared = known.facts.sha256 if known.facts else None, want.inputs["sha256"]
    differences = (FieldChange("sha256", declared, held),) if held not in (None, declared) else ()
    read = Input("bytes", known.ground, id, want.address)
    return Found(replace(entry, imported={"bytes": known.ground.value}), remote.status or "there", (read,), differences)
