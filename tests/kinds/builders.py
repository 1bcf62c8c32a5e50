"""Situations by hand, so that the tables of the planner can be read as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import JobStatus, RemoteJob, Simulation
from rftplan.api.profiles import Profile, profile
from rftplan.canonical import JsonObject, fingerprint
from rftplan.data import DataFacts
from rftplan.errors import Place
from rftplan.journal import Intent
from rftplan.kinds.base import OpenIntent, Resource, Situation
from rftplan.kinds.job import JobSpec
from rftplan.kinds.job.kept import resolved_values
from rftplan.kinds.job.launch import ADDRESS_KEY, LAUNCH_KEY, TOKEN_KEY, identity, launch_of
from rftplan.kinds.job.observe import SeenJob
from rftplan.kinds.job.progress import Progress
from rftplan.kinds.job.runs import with_run
from rftplan.kinds.scope import Scope
from rftplan.lockfile import Entry

JOB = Address("job", "review")
LINEAGE = "lineage-1"


def job_spec(**fields: Any) -> JobSpec:
    body = {"model": "o4-mini-2025-04-16", "training_file": {"id": "file-train"}, **fields}
    return JobSpec.model_validate(body)


def resource(spec: JobSpec) -> Resource:
    inputs = identity(spec, {})
    return Resource(JOB, spec, Place("specs/a.yaml", 3, 3), (), fingerprint(inputs), inputs)


def scope(*, fresh: bool = False, paid: bool = True) -> Scope:
    found: Profile = profile("openai" if paid else "local")
    return Scope("demo", "default", LINEAGE, fresh, found)


def remote(
    status: JobStatus,
    *,
    id: str = "ftjob-1",
    launch: str | None = None,
    lineage: str = LINEAGE,
    token: str = "token-1",
    created_at: int = 100,
    **rest: Any,
) -> RemoteJob:
    """A job at the service, launched from here unless `launch` is None."""
    pairs = {ADDRESS_KEY: f"demo/default/{JOB}", TOKEN_KEY: f"{lineage}:{token}"}
    return RemoteJob(
        id=id,
        status=status,
        raw_status=status.value,
        created_at=created_at,
        model="o4-mini-2025-04-16",
        training_file="file-train",
        validation_file=None,
        metadata={**pairs, LAUNCH_KEY: launch} if launch else {},
        **rest,
    )


def entry_for(want: Resource, job: RemoteJob, **resolved: Any) -> Entry:
    return Entry(
        fingerprint=want.fingerprint,
        inputs=want.inputs,
        id=job.id,
        resolved={**resolved_values(replace(job, status=JobStatus.RUNNING)), **resolved},
    )


def situation(
    want: Resource | None,
    *,
    entry: Entry | None = None,
    seen: object = None,
    intent: Intent | None = None,
    settled: bool = False,
    fresh: bool = False,
    paid: bool = True,
    tombstones: tuple[str, ...] = (),
    replace: bool = False,
) -> Situation:
    return Situation(
        address=JOB,
        want=want,
        entry=entry,
        seen=seen or SeenJob(),
        intent=OpenIntent(intent, settled) if intent else None,
        scope=scope(fresh=fresh, paid=paid),
        tombstones=tombstones,
        entries={JOB: entry} if entry else {},
        replace=replace,
    )


def first_launch(want: Resource) -> str:
    return launch_of(want.fingerprint, 1)


def launched(
    status: JobStatus, run: str = "running", *, step: int | None = 3, **resolved: Any
) -> tuple[Resource, Situation]:
    """A job that we launched with this very spec and that now is in `status`."""
    want = resource(job_spec(run=run))
    job = remote(status, launch=first_launch(want))
    seen = SeenJob(mine=job, slot=(job,), progress=Progress(step, 10), begun=_begun(job, step))
    return want, situation(want, entry=entry_for(want, job, **resolved), seen=seen)


def _begun(job: RemoteJob, step: int | None) -> frozenset[str]:
    return frozenset({job.id} if step else ())


OTHER = Address("job", "other")


def rows_of(want: Resource, count: int) -> dict[Address, Resource]:
    """The data file that a job trains on, with so many rows."""
    training = want.inputs["training"]
    assert isinstance(training, dict)
    digest = training.get("rows")
    assert digest is None or isinstance(digest, str)
    at = Address("file", "train")
    return {at: Resource(at, None, Place("a"), (), "v1:f", {}, DataFacts("a", 1, count, "b"), digest)}


def ran(
    *hours: float,
    of: Resource,
    rows: int = 100,
    files: Mapping[Address, Resource] | None = None,
    simulation: Simulation | None = None,
) -> dict[Address, Entry]:
    """A lock in which another job of the same settings took so many hours, each time, with so many rows, or with those
    of its `files`."""
    history: tuple[JsonObject, ...] = ()
    for number, each in enumerate(hours):
        job = remote(JobStatus.SUCCEEDED, id=f"ftjob-{number}", simulation=simulation)
        history = with_run(history, job, of.inputs, Progress(9, 9, seconds=each * 3600), files or rows_of(of, rows))
    return {OTHER: Entry("v1:a", {}, id="ftjob-0", history=history)}
