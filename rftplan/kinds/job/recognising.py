"""Looking at jobs where a service may not keep metadata: who is known again, and who may be ours. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from rftplan.address import Address
from rftplan.api.port import Port, RemoteJob
from rftplan.api.profiles import Capability
from rftplan.kinds.base import Look, Resource
from rftplan.kinds.file import PURPOSE, SeenFile
from rftplan.kinds.job.nameless import alike, is_nameless, known_again, launched_by
from rftplan.kinds.job.spec import FileRef
from rftplan.lockfile import Entry

CLOCKS_APART = 600.0
"""Seconds by which the service's clock and ours may differ."""

Files = Mapping[Address, frozenset[str]]
"""The ids that a declared file is known to have at the service, in several uploads perhaps."""


def named_jobs(look: Look, jobs: Iterable[RemoteJob]) -> tuple[RemoteJob, ...]:
    """The same jobs, named where lock and journal know them."""
    return known_again(jobs, look.scope, entries=look.all_entries, intents=look.intents)


async def doubtful(
    look: Look, address: Address, jobs: Sequence[RemoteJob]
) -> tuple[tuple[RemoteJob, ...], tuple[RemoteJob, ...]]:
    """The jobs of nobody that may be launches of what the address wants, and those of them that may be the launch that
    was cut off here; each oldest first."""
    if look.scope.profile.can(Capability.METADATA):
        return (), ()
    want, unknown = look.resources.get(address), [job for job in reversed(jobs) if is_nameless(job)]
    found: tuple[RemoteJob, ...] = ()
    if want is not None and unknown:
        found = await alike_from(look.port, want, unknown, _seen_files(look, want))
    cut_off = [one for one in look.intents if one.address == address]
    sent = [(one, launched) for one in cut_off if (launched := launched_by(one, look.scope)) is not None]
    maybe = tuple(
        job
        for job in unknown
        if any(launched.may_be(job) and job.created_at >= one.at - CLOCKS_APART for one, launched in sent)
    )
    return found, maybe


def _seen_files(look: Look, want: Resource) -> Files:
    found: dict[Address, frozenset[str]] = {}
    for ref in want.refs:
        seen, entry = look.seen.get(ref.address), look.all_entries.get(ref.address)
        files = (*seen.named, *((seen.mine,) if seen.mine else ())) if isinstance(seen, SeenFile) else ()
        found[ref.address] = frozenset(file.id for file in files) | _own(entry)
    return found


def _own(entry: Entry | None) -> frozenset[str]:
    return frozenset({entry.id}) if entry is not None and entry.id is not None else frozenset()


async def alike_from(port: Port, want: Resource, jobs: Sequence[RemoteJob], files: Files) -> tuple[RemoteJob, ...]:
    """What of these may have been launched for the same. A file that has no id here may be one that is gone from the
    service; what lies there under another name is another."""
    found = alike(jobs, want, _is_one_of(files, frozenset()))
    if not found or all(files.get(ref.address) for ref in want.refs if ref.address.kind == "file"):
        return found
    there = frozenset(file.id for file in await port.list_files(PURPOSE))
    return alike(found, want, _is_one_of(files, there))


def _is_one_of(files: Files, others: frozenset[str]) -> Callable[[FileRef, str], bool]:
    def is_file(ref: FileRef, id: str) -> bool:
        if ref.name is None:
            return id == ref.id
        known = files.get(Address("file", ref.name), frozenset())
        return id in known if known else id not in others

    return is_file


async def files_now(port: Port, want: Resource, entries: Mapping[Address, Entry]) -> Files:
    """The ids of the files that a launch starts from, and of those that carry the same names: another clone's uploads
    of the same bytes."""
    by_name: dict[str, set[str]] = {}
    for file in await port.list_files(PURPOSE):
        by_name.setdefault(file.filename, set()).add(file.id)
    found: dict[Address, frozenset[str]] = {}
    for ref in want.refs:
        entry = entries.get(ref.address)
        name = str(entry.resolved.get("filename")) if entry is not None else ""
        found[ref.address] = _own(entry) | by_name.get(name, set())
    return found
