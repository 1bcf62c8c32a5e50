"""What the service says of jobs, with as few requests as possible. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import JobStatus, RemoteJob
from rftplan.api.profiles import Capability
from rftplan.errors import NotFoundError
from rftplan.journal import Trace
from rftplan.kinds.base import Look, OpenIntent, Resource, stands_for
from rftplan.kinds.checkpoints import Made
from rftplan.kinds.job.accepted import as_launched
from rftplan.kinds.job.compare import same_model
from rftplan.kinds.job.ignored import ignored_edits
from rftplan.kinds.job.kept import job_from, status_in
from rftplan.kinds.job.launch import ADDRESS_KEY, LAUNCH_KEY, TOKEN_KEY, age, attempt_of, attempts, launch_of
from rftplan.kinds.job.progress import NO_PROGRESS, Progress, progress_of
from rftplan.kinds.job.recognising import doubtful, named_jobs
from rftplan.kinds.job.spec import Run
from rftplan.lockfile import Entry

FEW = 5
"""Up to so many jobs in doubt are looked up one by one; above, one list of all jobs is cheaper."""


class SeenJob(Struct, frozen=True):
    """`mine` is the entry's job, None if the service has it no more. `slot` are the launches of the wanted
    fingerprint under this address, or one that moved here; `others` the active ones of other fingerprints;
    `elsewhere` launches of the wanted fingerprint under addresses that the spec lacks. Each oldest first, and none
    that the lock knows as another address's. `begun` are those that have taken a step, looked at where the spec
    wants them paused. `taken` is the highest attempt of the wanted fingerprint that went to another address. `ended` is
    how `mine` went, where it succeeded and the lock does not know yet. `cancelled` are the launches under this address,
    of any fingerprint, that the service says were cancelled. `busy` are the ids of all jobs, whoever's, that take a
    place, where places are counted; `made` are the models of `mine`, where they shall go. Where a service may not keep
    metadata, `nameless` are the jobs of nobody that may be launches of the wanted fingerprint, and `maybe` those that
    may be the launch that was cut off here."""

    mine: RemoteJob | None = None
    slot: tuple[RemoteJob, ...] = ()
    others: tuple[RemoteJob, ...] = ()
    elsewhere: tuple[RemoteJob, ...] = ()
    progress: Progress = NO_PROGRESS
    begun: frozenset[str] = frozenset()
    taken: int = 0
    ended: Progress = NO_PROGRESS
    cancelled: frozenset[str] = frozenset()
    busy: frozenset[str] = frozenset()
    made: Made | None = None
    nameless: tuple[RemoteJob, ...] = ()
    maybe: tuple[RemoteJob, ...] = ()


def trace(seen: object, open_: OpenIntent, want: Resource | None) -> Trace:
    """A launch is known by its token. Ended ones are seen, and missed, only where the specs still want that launch."""
    intent = open_.intent
    if not isinstance(seen, SeenJob):
        return Trace()
    if intent.verb != "launch":
        return Trace(seen.mine.id, seen.mine.raw_status) if seen.mine is not None else Trace()
    for job in (*seen.slot, *seen.others, *([seen.mine] if seen.mine else [])):
        if job.metadata.get(TOKEN_KEY) == intent.token:
            return Trace(job.id, job.raw_status)
    wanted = want is not None and (intent.launch or "").rpartition(":")[0] == want.fingerprint
    return Trace(nothing=open_.settled and wanted and not seen.maybe)


def current_job(want: Resource | None, entry: Entry | None, seen: object) -> RemoteJob | None:
    """The job that stands for the wanted fingerprint: the entry's own, or the one that may be adopted."""
    if not isinstance(seen, SeenJob):
        return None
    known = entry is not None and (want is None or same_launch(want, entry))
    found = later(seen, entry) if known and entry is not None else usable(seen)
    if known and not found:
        return seen.mine
    return found[0] if len(found) == 1 else None


def deciding(seen: SeenJob) -> list[RemoteJob]:
    """The launches of the highest attempt: lower ones are what it was launched in place of."""
    highest = attempts(seen.slot)
    return [job for job in seen.slot if attempt_of(job.metadata.get(LAUNCH_KEY, "")) == highest]


def usable(seen: SeenJob) -> list[RemoteJob]:
    """What of the deciding launches may stand for the spec; more than one of them nobody can choose between."""
    return [job for job in deciding(seen) if not job.status.ended or job.status is JobStatus.SUCCEEDED]


def later(seen: SeenJob, entry: Entry) -> list[RemoteJob]:
    """What may stand for an entry whose job came to nothing, or is gone: launches of a higher attempt, made by an apply
    whose journal was lost, or whose lock is another's."""
    if seen.mine is not None and seen.mine.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
        return []
    return [job for job in usable(seen) if attempt_of(job.metadata.get(LAUNCH_KEY, "")) > entry.attempt]


def same_launch(want: Resource, entry: Entry) -> bool:
    """Whether the entry stands for what the spec wants, but for what `lifecycle.ignore_changes` names. The snapshot for
    the alias that resolved to it, or the other way round, wants nothing else; all other edits of the model do."""
    if any(stands_for(one, want) for one in (entry, as_launched(entry))) or ignored_edits(entry, want):
        return True
    if {**want.inputs, "model": None} != {**entry.inputs, "model": None}:
        return False
    wanted, launched, snapshot = want.inputs.get("model"), entry.inputs.get("model"), entry.resolved.get("model")
    return wanted == snapshot or (launched == snapshot and same_model(str(wanted), str(snapshot)))


async def observe(look: Look) -> Mapping[Address, object]:
    """See every job. Ended jobs that the spec still wants as they are cost no request: the lock knows them."""
    import asyncio  # here, for `check` reads kinds and waits for nothing

    open_launches = {intent.address for intent in look.intents if intent.address.kind == "job"}
    addresses = sorted({*look.resources, *look.entries, *open_launches})
    seen: dict[Address, object] = {}
    doubtful = []
    for address in addresses:
        want, entry = look.resources.get(address), look.entries.get(address)
        if entry is not None and _settled(want, entry) and not _intended(look, address):
            seen[address] = SeenJob(mine=job_from(entry))
        else:
            doubtful.append(address)
    found = named_jobs(look, await _listed(look, doubtful))
    busy = frozenset(job.id for job in found if job.status.takes_place and look.scope.most_running is not None)
    for address, jobs in zip(doubtful, await asyncio.gather(*(_see(look, a, found) for a in doubtful)), strict=True):
        seen[address] = replace(jobs, busy=busy)
    return seen


def _settled(want: Resource | None, entry: Entry) -> bool:
    status = status_in(entry)
    if want is None:
        return status.ended
    again = status is not JobStatus.SUCCEEDED and want.spec.run is Run.RUNNING
    return status.ended and same_launch(want, entry) and not again


def _intended(look: Look, address: Address) -> bool:
    return any(intent.address == address for intent in look.intents)


async def _listed(look: Look, doubtful: Sequence[Address]) -> Sequence[RemoteJob]:
    if not doubtful:
        return ()
    never_launched = any(address not in look.entries for address in doubtful)
    filtered = look.scope.profile.can(Capability.METADATA)
    if len(doubtful) > FEW or never_launched or look.scope.most_running is not None or not filtered:
        # A first launch is worth a whole list: the same rows may have been trained under another name.
        return await look.port.list_jobs()
    import asyncio

    filters: list[dict[str, str]] = []
    for address in doubtful:
        filters += [{ADDRESS_KEY: name} for name in look.scope.launch_addresses(address, look.entries)]
        want = look.resources.get(address)
        if want is not None:
            filters.append({LAUNCH_KEY: launch_of(want.fingerprint, 1)})
    lists = await asyncio.gather(*(look.port.list_jobs(pairs) for pairs in filters))
    return tuple({job.id: job for jobs in lists for job in jobs}.values())


async def _see(look: Look, address: Address, jobs: Sequence[RemoteJob]) -> SeenJob:
    import asyncio

    want, entry = look.resources.get(address), look.entries.get(address)
    here = look.scope.launch_addresses(address, look.entries)
    theirs = {e.id for a, e in look.entries.items() if a != address}
    launched = sorted((j for j in jobs if j.metadata.get(ADDRESS_KEY) in here), key=age)
    under = [j for j in launched if j.id not in theirs]
    taken = attempts([j for j in launched if j.id in theirs and want and _fingerprint_of(j) == want.fingerprint])
    mine = await _mine(look, entry, jobs)
    slot = tuple(j for j in under if want is not None and _fingerprint_of(j) == want.fingerprint)
    others = tuple(j for j in under if j not in slot and not j.status.ended and (mine is None or j.id != mine.id))
    elsewhere = tuple(j for j in jobs if want is not None and j.id not in theirs and _moved(look, j, want))
    cancelled = frozenset(j.metadata.get(LAUNCH_KEY, "") for j in launched if j.status is JobStatus.CANCELLED)
    seen = SeenJob(mine, slot, others, elsewhere, taken=taken, cancelled=cancelled)
    nameless, maybe = await doubtful(look, address, jobs)
    job = current_job(want, entry, seen) or _going(seen)
    pausable = _running(seen) if want is not None and want.spec.run is Run.PAUSED else []
    early = (JobStatus.VALIDATING_FILES, JobStatus.QUEUED, JobStatus.PENDING)
    wanted = {j.id: j for j in (*pausable, *_unseen_end(entry, mine))}
    if job is not None and job.status not in early:
        wanted[job.id] = job
    looked = [wanted[id] for id in sorted(wanted)]
    found = await asyncio.gather(*(progress_of(look.port, one) for one in looked))
    figures = {one.id: progress for one, progress in zip(looked, found, strict=True)}
    return replace(
        seen,
        nameless=nameless,
        maybe=maybe,
        begun=frozenset(j.id for j in pausable if figures[j.id].step),
        progress=figures.get(job.id, NO_PROGRESS) if job else NO_PROGRESS,
        ended=figures.get(mine.id, NO_PROGRESS) if mine else NO_PROGRESS,
    )


def _unseen_end(entry: Entry | None, mine: RemoteJob | None) -> list[RemoteJob]:
    """The entry's own job if it succeeded since the lock was written: how long it took is kept."""
    succeeded = mine is not None and mine.status is JobStatus.SUCCEEDED
    return [mine] if mine and entry and succeeded and status_in(entry) is not JobStatus.SUCCEEDED else []


def _running(seen: SeenJob) -> list[RemoteJob]:
    """What may be paused."""
    jobs = (*seen.others, *seen.slot, *((seen.mine,) if seen.mine else ()))
    return [job for job in jobs if job.status is JobStatus.RUNNING]


def _going(seen: SeenJob) -> RemoteJob | None:
    """The job that runs where the spec has changed since."""
    going = [j for j in (*seen.others, *((seen.mine,) if seen.mine else ())) if j.status is JobStatus.RUNNING]
    return max(going, key=age, default=None)


async def _mine(look: Look, entry: Entry | None, jobs: Sequence[RemoteJob]) -> RemoteJob | None:
    """Lists may be stale or filtered by metadata that a foreign job lacks, so the id itself is asked for."""
    if entry is None or entry.id is None:
        return None
    for job in jobs:
        if job.id == entry.id:
            return job
    try:
        return named_jobs(look, [await look.port.get_job(entry.id)])[0]
    except NotFoundError:
        return None


def _fingerprint_of(job: RemoteJob) -> str:
    return job.metadata.get(LAUNCH_KEY, "").rpartition(":")[0]


def _moved(look: Look, job: RemoteJob, want: Resource) -> bool:
    if _fingerprint_of(job) != want.fingerprint or job.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        return False
    prefix = look.scope.launch_address(want.address).removesuffix(str(want.address))
    written = job.metadata.get(ADDRESS_KEY, "")
    if not written.startswith(prefix):
        return False
    known = {*look.all_resources, *(origin for origin, _ in look.scope.moves)}
    return written.removeprefix(prefix) not in {str(address) for address in known}
