"""Specs for what exists at the service, so that it can be imported. Records nothing and changes nothing there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from rftplan.address import Address
from rftplan.api.port import JobStatus, Port, RemoteFile, RemoteJob
from rftplan.canonical import Json, JsonObject, canonical_json
from rftplan.errors import UserError
from rftplan.importing.here import bytes_here
from rftplan.importing.naming import Names, file_wish, is_uploaded, job_wishes
from rftplan.importing.wording import UnwritableError, grader_of, job_spec, require_writable
from rftplan.kinds.file import PURPOSE
from rftplan.kinds.job.launch import TOKEN_KEY
from rftplan.loading import Options
from rftplan.ownership import require_own
from rftplan.source.writing import written
from rftplan.subject import Subject, read_subject
from rftplan.wiring import World, connected, real_world

_KEPT_KINDS = ("file", "grader", "job", "deployment")
_NOTHING_TO_KEEP = (JobStatus.FAILED, JobStatus.CANCELLED)


class Generated(Struct, frozen=True):
    """`specs` is the YAML; `imports` are its addresses in the order in which they are imported, each with its id.
    `left_out` is what was meant and is not in it, each with why. `simulated`: nothing was trained in a job of it."""

    specs: str
    imports: tuple[tuple[Address, str], ...]
    left_out: tuple[tuple[str, str], ...]
    requests: int
    simulated: bool = False


class Wanted(Struct, frozen=True):
    """What to write: these ids, or all files and all jobs that have not come to nothing. `named` are addresses that
    somebody chose already."""

    ids: Sequence[str] = ()
    everything: bool = False
    named: Mapping[str, Address] = field(default_factory=dict)


async def generate(
    options: Options, wanted: Wanted, *, beside: Path | None = None, world: World | None = None
) -> Generated:
    """Write what is wanted. `beside` is the folder of the YAML file that it is for, the specs' own if None.

    UserError for an id that the service does not have. Specs that cannot be read are no hindrance.
    """
    world = world or real_world()
    subject = read_subject(options, world.today())
    require_own(subject.lock, subject.paths.lock.name, subject.identity, subject.project or "")
    async with connected(subject, world) as port:
        jobs = {job.id: job for job in await port.list_jobs()}
        files = {file.id: file for file in await port.list_files(PURPOSE)}
        drafting = _Drafting(subject, wanted, beside or subject.root / options.specs)
        await drafting.choose(port, jobs, files)
        here = await bytes_here(subject.root, drafting.used(files), port)
        drafting.write(files, here)
        return Generated(drafting.text(), drafting.imports, tuple(drafting.left_out), port.requests, drafting.simulated)


class _Drafting:
    """The document as it grows: what is chosen, then what is written of it."""

    def __init__(self, subject: Subject, wanted: Wanted, beside: Path) -> None:
        self._subject = subject
        self._wanted = wanted
        self._beside = beside
        self._jobs: list[RemoteJob] = []
        self._files: list[RemoteFile] = []
        self._models: list[tuple[str, RemoteJob, int]] = []
        taken = (*subject.config.declared, *subject.config.broken, *wanted.named.values())
        self._names = {kind: Names(kind, taken) for kind in _KEPT_KINDS}
        self._locked = {e.id: a for a, e in (subject.state.entries.items() if subject.state else ()) if e.id}
        self._sections: dict[str, dict[str, JsonObject]] = {kind: {} for kind in _KEPT_KINDS}
        self._imports: dict[str, Address] = {}
        self._graders: dict[str, str] = {}
        self.left_out: list[tuple[str, str]] = []

    async def choose(self, port: Port, jobs: Mapping[str, RemoteJob], files: Mapping[str, RemoteFile]) -> None:
        """What is meant by the ids, or by all; what cannot be imported is left out with its reason."""
        chosen: dict[str, RemoteJob] = {}
        for id in [*jobs, *files] if self._wanted.everything else self._wanted.ids:
            if id in self._locked:
                self.left_out.append((id, f"{self._locked[id]} in the lock already"))
            elif id in jobs:
                chosen[id] = jobs[id]
            elif id in files and self._wanted.everything and is_uploaded(files[id]):
                self.left_out.append((id, "rftplan uploaded it for a lock that is not this one; name it to have it"))
            elif id in files:
                self._files.append(files[id])
            else:
                job, step = await self._of_checkpoint(port, jobs, id)
                self._models.append((id, job, step))
                if job.id not in self._locked:
                    chosen[job.id] = job
        for job in sorted(chosen.values(), key=lambda one: (one.created_at, one.id)):
            if (why := self._refused(job)) is not None:
                self.left_out.append((job.id, why))
            else:
                self._jobs.append(job)

    async def _of_checkpoint(self, port: Port, jobs: Mapping[str, RemoteJob], model: str) -> tuple[RemoteJob, int]:
        for job in sorted(jobs.values(), key=lambda one: one.fine_tuned_model != model):
            if job.status is JobStatus.SUCCEEDED:
                for checkpoint in await port.list_checkpoints(job.id):
                    if checkpoint.model == model:
                        return job, checkpoint.step
        raise UserError(
            f"the service has no job, training file or checkpoint {model}", hint="look in the account of this key"
        )

    def _refused(self, job: RemoteJob) -> str | None:
        lineage = job.metadata.get(TOKEN_KEY, "").partition(":")[0]
        if lineage and (self._subject.lock is None or lineage != self._subject.lock.lineage):
            return "it was launched under a lock that is not this one: work with that lock, or let an apply take it up"
        if self._wanted.everything and job.status in _NOTHING_TO_KEEP:
            return f"it is {job.raw_status}; name it to have it all the same"
        return None

    def used(self, files: Mapping[str, RemoteFile]) -> list[RemoteFile]:
        """The files that are written, or referred to."""
        ids = [id for job in self._jobs for id in (job.training_file, job.validation_file) if id in files]
        chosen = {file.id: file for file in (*self._files, *(files[str(id)] for id in ids))}
        return [file for id, file in sorted(chosen.items()) if id not in self._locked]

    @property
    def simulated(self) -> bool:
        """Whether nothing was trained in one of the jobs that are written."""
        return any(job.simulation is not None for job in self._jobs)

    def write(self, files: Mapping[str, RemoteFile], here: Mapping[str, Path]) -> None:
        for id, path in sorted(here.items()):
            address = self._address("file", id, file_wish(files[id]))
            relative = Path(os.path.relpath(path, self._beside)).as_posix()
            self._add(address, id, {"path": relative})
        for file in self._files:
            if file.id not in here:
                self.left_out.append((file.id, "its bytes are not in this folder; jobs can name it as {id: …}"))
        for job in self._jobs:
            try:
                self._write_job(job)
            except UnwritableError as error:
                self.left_out.append((job.id, str(error)))
        for model, job, step in self._models:
            self._write_deployment(model, job, step)

    def _write_job(self, job: RemoteJob) -> None:
        grader = grader_of(job)
        if grader is not None:
            require_writable("grader", grader)
        training, validation = self._file(job.training_file), self._file(job.validation_file)
        require_writable(
            "job", job_spec(job, training=training, validation=validation, grader="x" if grader is not None else None)
        )
        address = self._address("job", job.id, *job_wishes(job))
        name = self._grader(grader, job, address) if grader is not None else None
        self._add(address, job.id, job_spec(job, training=training, validation=validation, grader=name))

    def _file(self, id: str | None) -> Json:
        known = self._imports.get(id or "") or self._locked.get(id or "")
        return known.name if known is not None else {"id": id} if id is not None else None

    def _grader(self, grader: JsonObject, job: RemoteJob, used_by: Address) -> str:
        """The same grader is written once, however many jobs have it."""
        same = canonical_json(grader)
        if same not in self._graders:
            method = job.body["method"]
            called = method["reinforcement"]["grader"].get("name")  # type: ignore[index, call-overload, union-attr]
            wish = called if isinstance(called, str) and not called.startswith("grader-") else None
            address = self._names["grader"].give(wish, used_by.name, id=job.id)
            self._graders[same] = address.name
            self._sections["grader"][address.name] = grader
        return self._graders[same]

    def _write_deployment(self, model: str, job: RemoteJob, step: int) -> None:
        upstream = self._imports.get(job.id) or self._locked.get(job.id)
        if upstream is None:
            self.left_out.append((model, f"its job {job.id} is left out"))
            return
        address = self._address("deployment", model, f"{upstream.name}-live")
        self._add(address, model, {"job": upstream.name, "checkpoint": {"step": step}})

    def _address(self, kind: str, id: str, *wishes: str | None) -> Address:
        return self._wanted.named.get(id) or self._names[kind].give(*wishes, id=id)

    def _add(self, address: Address, id: str, spec: JsonObject) -> None:
        self._sections[address.kind][address.name] = spec
        self._imports[id] = address

    @property
    def imports(self) -> tuple[tuple[Address, str], ...]:
        """What others use comes first."""
        order = sorted(self._imports.items(), key=lambda one: (_KEPT_KINDS.index(one[1].kind), one[1]))
        return tuple((address, id) for id, address in order)

    def text(self) -> str:
        document: JsonObject = {}
        if self._subject.config.project is None:
            document["project"] = self._project()
        for kind, section in self._sections.items():
            if section:
                document[f"{kind}s"] = dict(sorted(section.items()))
        return written(document)

    def _project(self) -> JsonObject:
        name = Names("project", ()).give(self._subject.project, self._subject.root.resolve().name, id="project")
        said = self._subject.provider.model_dump(mode="json", exclude_none=True)
        return {"name": name.name, "provider": said if len(said) > 1 else said["type"]}


def require_new(path: Path) -> None:
    """UserError where there is one already: said before the work that it is for."""
    if path.exists():
        raise UserError(f"{path} exists already, and is left as it is", hint="give another file to --out")


def write_new(path: Path, text: str) -> None:
    """A new file; UserError where there is one already, which stays as it is."""
    require_new(path)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise UserError(f"{path} exists already, and is left as it is", hint="give another file to --out") from None
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None
