"""A job at the service, looked at to be imported: whether it is the one that the spec declares. Launches nothing."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from rftplan.address import Address
from rftplan.api.port import RemoteJob
from rftplan.canonical import Json, fingerprint_like, known_version
from rftplan.changes import FieldChange
from rftplan.errors import NotFoundError, UserError
from rftplan.importing.contents import contents
from rftplan.importing.found import Found, Ground, Input, Looking
from rftplan.kinds.base import Resource
from rftplan.kinds.file import used
from rftplan.kinds.job.compare import differences
from rftplan.kinds.job.kept import resolved_values
from rftplan.kinds.job.launch import LAUNCH_KEY, TOKEN_KEY, attempt_of
from rftplan.kinds.job.progress import NO_PROGRESS, Progress, progress_of
from rftplan.kinds.job.runs import with_run
from rftplan.kinds.job.spec import FileRef, JobSpec
from rftplan.lockfile import Entry, Origin


async def job_found(looking: Looking, want: Resource, id: str) -> Found:
    """UserError where there is no such job, or where it is another lock's."""
    try:
        job = await looking.port.get_job(id)
    except NotFoundError:
        raise UserError(f"the service knows no job {id}", hint="look for it in the account of this key") from None
    _require_nobodys(looking, job)
    comparing = _Comparing(looking, want, job, [*differences(want.inputs, job.body)])
    await comparing.files()
    comparing.extra_body()
    progress = await progress_of(looking.port, job) if job.status.ended else NO_PROGRESS
    return Found(
        entry=_entry(comparing, progress),
        state=job.raw_status,
        inputs=tuple(comparing.inputs),
        differences=tuple(comparing.differences),
        also=_also(comparing),
        simulated=job.simulation is not None,
    )


def _require_nobodys(looking: Looking, job: RemoteJob) -> None:
    lineage = job.metadata.get(TOKEN_KEY, "").partition(":")[0]
    if lineage and lineage != looking.lineage:
        raise UserError(
            f"{job.id} was launched under another lock (lineage {lineage}), which may still pause or replace it",
            hint="work with that lock (--lock FILE); if it is lost and none is here, rftplan apply takes its jobs up",
        )


class _Comparing(Struct):
    looking: Looking
    want: Resource
    job: RemoteJob
    differences: list[FieldChange]
    inputs: list[Input] = field(default_factory=list)

    @property
    def launched(self) -> bool:
        """Whether the job says that it is a launch of just this spec: under our lineage nobody else wrote that."""
        recorded = self.job.metadata.get(LAUNCH_KEY, "").rpartition(":")[0]
        return known_version(recorded) and fingerprint_like(self.want.inputs, recorded) == recorded

    async def files(self) -> None:
        spec: JobSpec = self.want.spec
        await self._file("training", spec.training_file, self.job.training_file)
        await self._file("validation", spec.validation_file, self.job.validation_file)

    async def _file(self, name: str, ref: FileRef | None, held: str | None) -> None:
        declared: Json = ref.name or ref.id if ref is not None else None
        if ref is None or held is None or (ref.id is not None and ref.id != held):
            if declared != held:
                self.differences.append(FieldChange(f"{name}_file", declared, held))
            return
        if ref.name is None:
            self.inputs.append(Input(name, Ground.ECHOED, held))
            return
        file = self.looking.loaded.graph.resources[Address("file", ref.name)]
        await self._rows(name, file, held)

    async def _rows(self, name: str, file: Resource, held: str) -> None:
        if self.launched:
            self.inputs.append(Input(name, Ground.LAUNCH, held, file.address))
            return
        known = await contents(self.looking, file, held)
        if known.facts is not None and known.facts.rows_digest != file.rows_digest:
            self.differences.append(FieldChange(f"{name}_file rows", file.rows_digest, known.facts.rows_digest))
        ground = known.ground if file.rows_digest is not None else Ground.ASSERTED
        self.inputs.append(Input(name, ground, held, file.address))

    def extra_body(self) -> None:
        """What the service echoes of the fields that only it understands."""
        declared = self.want.inputs.get("extra_body")
        if not isinstance(declared, dict):
            return
        held = {key: self.job.body[key] for key in declared if key in self.job.body}
        self.differences += [
            FieldChange(f"extra_body.{k}", declared[k], v) for k, v in held.items() if v != declared[k]
        ]
        ground = Ground.LAUNCH if self.launched else Ground.ECHOED if len(held) == len(declared) else Ground.ASSERTED
        self.inputs.append(Input("extra_body", ground))


def _entry(comparing: _Comparing, progress: Progress) -> Entry:
    want, job = comparing.want, comparing.job
    attempt = attempt_of(job.metadata.get(LAUNCH_KEY, "")) if comparing.launched else 1
    return Entry(
        fingerprint=want.fingerprint,
        inputs=want.inputs,
        id=job.id,
        origin=Origin.IMPORTED,
        attempt=max(attempt, 1),
        resolved=resolved_values(job, progress),
        history=with_run((), job, want.inputs, progress, comparing.looking.loaded.graph.resources),
        imported={one.name: one.ground.value for one in comparing.inputs},
    )


def _also(comparing: _Comparing) -> Mapping[Address, Entry]:
    """The grader, which the service has taken with this very job; and what it was trained from is kept."""
    looking, found = comparing.looking, dict[Address, Entry]()
    for ref in comparing.want.refs:
        entry, declared = looking.entries.get(ref.address), looking.loaded.graph.resources[ref.address]
        if ref.address.kind == "grader" and entry is None and isinstance(comparing.job.body.get("method"), dict):
            found[ref.address] = Entry(declared.fingerprint, declared.inputs, origin=Origin.IMPORTED)
        if ref.address.kind == "file" and entry is not None and any(entry.id == i.file for i in comparing.inputs):
            found[ref.address] = used(entry)
    return found
