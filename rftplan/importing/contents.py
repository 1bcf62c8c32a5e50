"""Whether a file at the service has the bytes, or the rows, that the specs name. Reads them; keeps none of them."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from rftplan.api.port import RemoteFile
from rftplan.data import DataFacts, Pass, read_facts
from rftplan.errors import RejectedError, UserError
from rftplan.events import Hashed
from rftplan.importing.found import Ground, Looking
from rftplan.kinds.base import Resource, stands_for


class Contents(Struct, frozen=True):
    """How the contents are known, and what they are; None where that follows from elsewhere, or nobody could look."""

    ground: Ground
    facts: DataFacts | None = None


async def contents(looking: Looking, want: Resource, file_id: str) -> Contents:
    """Look at the bytes only where nothing cheaper tells what they are. UserError for given bytes that cannot be
    those of the file."""
    remote = await looking.file(file_id)
    entry = looking.entries.get(want.address)
    if entry is not None and entry.id == file_id and stands_for(entry, want):
        return Contents(Ground.LOCK)
    if (path := looking.given.get(want.address.name)) is not None:
        return Contents(Ground.GIVEN, _given(looking, path, file_id, remote))
    if remote is not None and _named_for(remote, want):
        return Contents(Ground.NAME)
    if remote is not None and (facts := await _downloaded(looking, remote)) is not None:
        return Contents(Ground.DOWNLOADED, facts)
    return Contents(Ground.ASSERTED)


def _named_for(remote: RemoteFile, want: Resource) -> bool:
    """As for an adoption: the name is where the service keeps our hash."""
    digest, data = str(want.inputs["sha256"])[:32], want.data
    return remote.filename.endswith(f"-{digest}.jsonl") and (data is None or data.size == remote.size)


def _given(looking: Looking, path: Path, file_id: str, remote: RemoteFile | None) -> DataFacts:
    try:
        facts = read_facts(path, on_progress=lambda d, t: looking.on_event(Hashed(str(path), d, t)))
    except UserError as error:
        raise UserError(f"{path} {error.message}", hint=error.hint) from None
    if remote is not None and remote.size != facts.size:
        raise UserError(
            f"{path} has {facts.size} bytes and {file_id} has {remote.size}: these are not its bytes",
            hint="give the file that was uploaded, or leave --data out",
        )
    return facts


async def _downloaded(looking: Looking, remote: RemoteFile) -> DataFacts | None:
    """None where the service gives no file back."""
    reading = Pass()

    def take(block: bytes) -> None:
        reading.feed(block)
        looking.on_event(Hashed(remote.filename, reading.size, remote.size))

    try:
        await looking.port.read_file(remote.id, take)
    except RejectedError:
        return None
    return reading.facts()
