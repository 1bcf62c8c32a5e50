"""Random inputs of a plan: what is declared, what the lock knows, what the service says, what a person asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import Checkpoint, JobStatus, Permission, RemoteFile, RemoteJob
from rftplan.api.profiles import profile
from rftplan.canonical import fingerprint
from rftplan.data import DataFacts
from rftplan.errors import Diagnostic, Place
from rftplan.graph import Graph
from rftplan.journal import Intent
from rftplan.kinds import KINDS
from rftplan.kinds.base import OpenIntent, Resource
from rftplan.kinds.deployment import DeploymentSpec, SeenDeployment
from rftplan.kinds.file import FileSpec, SeenFile, file_identity, remote_name
from rftplan.kinds.grader import GraderSpec
from rftplan.kinds.job.kept import resolved_values
from rftplan.kinds.job.launch import ADDRESS_KEY, LAUNCH_KEY, TOKEN_KEY, launch_of
from rftplan.kinds.job.observe import SeenJob
from rftplan.kinds.job.progress import Progress
from rftplan.kinds.job.spec import JobSpec
from rftplan.kinds.scope import Scope
from rftplan.lockfile import Entry, Hold, Origin
from rftplan.planner import PlanInputs, Selection

LINEAGE = "lineage-1"
OTHER = "v1:" + "0" * 64
FILES, JOBS = ("train", "test", "extra"), ("first", "second")


def address(kind: str, name: str) -> Address:
    return Address(kind, name)


def scope(*, paid: bool = True, fresh: bool = False) -> Scope:
    return Scope("demo", "default", LINEAGE, fresh, profile("openai" if paid else "local"))


@st.composite
def specs(draw: st.DrawFn) -> dict[Address, Any]:
    """What is declared, closed under references: every file and grader, some jobs, some deployments of them."""
    found: dict[Address, Any] = {address("file", name): FileSpec(path=f"{name}.jsonl") for name in FILES}
    check = {"type": "string_check", "input": "a", "reference": "b", "operation": draw(st.sampled_from(["eq", "ne"]))}
    found[address("grader", "match")] = GraderSpec.model_validate(check)
    for name in draw(st.sets(st.sampled_from(JOBS))):
        found[address("job", name)] = draw(job_specs())
        if draw(st.booleans()):
            protect = draw(st.booleans())
            body = {
                "job": name,
                "gates": draw(st.sampled_from([[], [{"metric": "valid_reward_mean", "at_least": 0.5}]])),
            }
            found[address("deployment", name)] = DeploymentSpec.model_validate(
                {**body, "projects": draw(st.sampled_from([[], ["p1"]])), "lifecycle": {"prevent_destroy": protect}}
            )
    extra = draw(st.sampled_from([None, FileSpec(path="extra.jsonl"), FileSpec(path="extra.jsonl", upload="never")]))
    if extra is None:
        del found[address("file", "extra")]
    else:
        found[address("file", "extra")] = extra
    return found


@st.composite
def job_specs(draw: st.DrawFn) -> JobSpec:
    method = {"type": "reinforcement", "reinforcement": {"grader": "match"}}
    return JobSpec.model_validate(
        {
            "model": "o4-mini-2025-04-16",
            "training_file": draw(st.sampled_from(["train", {"id": "file-raw"}])),
            "validation_file": draw(st.sampled_from(["test", None])),
            "method": draw(st.sampled_from([method, None])),
            "run": draw(st.sampled_from(["running", "running", "paused", "cancelled"])),
            "retry": draw(st.sampled_from([None, {"attempts": 2}])),
            "lifecycle": {"prevent_replace": draw(st.booleans()), "prevent_destroy": draw(st.booleans())},
        }
    )


def graph_of(declared: Mapping[Address, Any], *, absent: frozenset[Address] = frozenset()) -> Graph:
    """The graph as `build_graph` makes it, each file with bytes that its name stands for."""
    rank = list(KINDS)
    order = tuple(sorted(declared, key=lambda a: (rank.index(a.kind), a)))
    resources: dict[Address, Resource] = {}
    for at in order:
        kind, spec = KINDS[at.kind], declared[at]
        digest = at.name.encode().hex().ljust(64, "0")
        inputs = file_identity(spec, digest) if at.kind == "file" else kind.identity(spec, resources)
        facts = DataFacts(digest, 10, 1, digest) if at.kind == "file" else None
        resources[at] = Resource(
            address=at,
            spec=spec,
            place=Place("specs/a.yaml", 1, 1),
            refs=tuple(kind.refs(spec)),
            fingerprint=fingerprint(inputs),
            inputs=inputs,
            data=None if at in absent else facts,
            rows_digest=digest if facts else None,
        )
    return Graph(resources, order)


def remote_job(at: Address, status: JobStatus, launch: str, *, id: str, created_at: int = 100) -> RemoteJob:
    pairs = {ADDRESS_KEY: f"demo/default/{at}", TOKEN_KEY: f"{LINEAGE}:{id}", LAUNCH_KEY: launch}
    return RemoteJob(id, status, status.value, created_at, "o4-mini-2025-04-16", "file-train", None, metadata=pairs)


def remote_file(at: Address, want: Resource, *, id: str) -> RemoteFile:
    name = remote_name("demo", "default", at.name, str(want.inputs["sha256"]))
    return RemoteFile(id, name, 10, "fine-tune", 100)


def settled_entry(want: Resource, jobs: Mapping[Address, RemoteJob] | None = None) -> Entry:
    """What the lock says of something that is exactly as declared."""
    at = want.address
    if at.kind == "file":
        return Entry(want.fingerprint, want.inputs, id=f"file-{at.name}")
    if at.kind == "job":
        job = (jobs or {})[at]
        return Entry(want.fingerprint, want.inputs, id=job.id, resolved=resolved_values(job))
    if at.kind == "deployment":
        revision = {"revision": 1, "model": f"ft:{at.name}", "job_id": f"ftjob-{want.spec.job}", "step": 9}
        grants: dict[str, Any] = {p: f"cp_{p}" for p in want.spec.projects}
        resolved: dict[str, Any] = {"permissions": {f"ft:{at.name}": grants}} if grants else {}
        return Entry(want.fingerprint, want.inputs, id=f"ft:{at.name}", resolved=resolved, history=(revision,))  # type: ignore[arg-type]
    return Entry(want.fingerprint, want.inputs)


def settled_inputs(declared: Mapping[Address, Any], **rest: Any) -> PlanInputs:
    """A world in which spec, lock and service agree: every job has succeeded, every deployment is live."""
    graph = graph_of(declared)
    jobs = {
        at: remote_job(at, JobStatus.SUCCEEDED, launch_of(want.fingerprint, 1), id=f"ftjob-{at.name}")
        for at, want in graph.resources.items()
        if at.kind == "job"
    }
    snapshot: dict[Address, object] = {}
    for at, want in graph.resources.items():
        if at.kind == "file" and not want.spec.stays_here:
            file = remote_file(at, want, id=f"file-{at.name}")
            snapshot[at] = SeenFile(file, (file,))
        elif at.kind == "job":
            snapshot[at] = SeenJob(mine=jobs[at], slot=(jobs[at],))
        elif at.kind == "deployment":
            checkpoint = Checkpoint("c", f"ft:{at.name}", f"ftjob-{want.spec.job}", 9, 0, {"valid_reward_mean": 0.9})
            permissions = tuple(Permission(f"cp_{p}", p) for p in want.spec.projects)
            snapshot[at] = SeenDeployment(jobs[address("job", want.spec.job)], (checkpoint,), permissions)
    here = {at for at, want in graph.resources.items() if at.kind == "file" and want.spec.stays_here}
    entries = {at: settled_entry(want, jobs) for at, want in graph.resources.items() if at not in here}
    return plan_inputs(graph, entries, snapshot, **rest)


def plan_inputs(
    graph: Graph, entries: Mapping[Address, Entry], snapshot: Mapping[Address, object], **rest: Any
) -> PlanInputs:
    given: dict[str, Any] = {"scope": scope(), "tombstones": {}, "intents": {}, **rest}
    return PlanInputs(graph=graph, provider={"type": "openai"}, entries=entries, snapshot=snapshot, **given)


STATUSES = st.sampled_from(list(JobStatus))
HOLDS = st.sampled_from([(), (), (), (Hold("operator", "not now", operator=True),)])


@st.composite
def worlds(draw: st.DrawFn) -> PlanInputs:
    """Anything that a plan may be computed from, possible or not."""
    declared = draw(specs())
    files = [a for a in declared if a.kind == "file"]
    graph = graph_of(declared, absent=draw(st.frozensets(st.sampled_from(files), max_size=1)))
    orphans = draw(
        st.sets(st.sampled_from([address("file", "gone"), address("grader", "gone"), address("job", "gone")]))
    )
    entries: dict[Address, Entry] = {}
    snapshot: dict[Address, object] = {}
    intents: dict[Address, OpenIntent] = {}
    tombstones: dict[Address, tuple[str, ...]] = {}
    for at in sorted({*graph.order, *orphans}):
        want = graph.resources.get(at)
        if draw(st.booleans()):
            entries[at] = draw(entries_of(at, want))
        snapshot[at] = draw(seen_of(at, want, entries.get(at)))
        cut_off = want is None and at not in entries
        if cut_off or draw(st.sampled_from([False, False, False, True])):
            intents[at] = draw(intents_of(at, want))
        if at.kind == "job" and want is not None and draw(st.booleans()):
            tombstones[at] = (launch_of(want.fingerprint, 1),)
    jobs = frozenset(a for a in graph.resources if a.kind == "job")
    known = sorted({*graph.order, *entries, *intents})
    parts = st.frozensets(st.sampled_from(known), max_size=2)
    selection = Selection(
        target=draw(st.just(frozenset[Address]()) | parts),
        exclude=draw(st.just(frozenset[Address]()) | parts),
        destroy=draw(st.sampled_from([False, False, True])),
        replace=draw(st.sampled_from([frozenset[Address](), jobs])),
    )
    where = scope(paid=draw(st.booleans()), fresh=not entries and draw(st.booleans()))
    return plan_inputs(
        graph, entries, snapshot, scope=where, tombstones=tombstones, intents=intents, selection=selection
    )


@st.composite
def entries_of(draw: st.DrawFn, at: Address, want: Resource | None) -> Entry:
    same = want is not None and draw(st.booleans())
    print_, inputs = (want.fingerprint, want.inputs) if want is not None and same else (OTHER, {"sha256": "0" * 64})
    id, resolved, history = None, {}, ()
    if at.kind == "file":
        id = f"file-{at.name}"
    elif at.kind == "job":
        id = f"ftjob-{at.name}"
        job = remote_job(at, draw(STATUSES), launch_of(print_, 1), id=id)
        resolved = {**resolved_values(job), "training_file": "file-train"}
        resolved |= draw(st.sampled_from([{}, {"paused_by": "us"}]))
    elif at.kind == "deployment":
        id = f"ft:{at.name}"
        history = ({"revision": 1, "model": id, "job_id": f"ftjob-{at.name}", "step": 9},)  # type: ignore[assignment]
    return Entry(
        fingerprint=print_,
        inputs=inputs,
        id=id,
        origin=draw(st.sampled_from(list(Origin))),
        resolved=resolved,
        holds=draw(HOLDS),
        history=history,
    )


@st.composite
def seen_of(draw: st.DrawFn, at: Address, want: Resource | None, entry: Entry | None) -> object:
    if at.kind == "file":
        mine = RemoteFile(str(entry.id), "x", 10, "fine-tune", 100) if entry and draw(st.booleans()) else None
        named = (remote_file(at, want, id="file-named"),) if want and draw(st.booleans()) else ()
        return SeenFile(mine, named)
    if at.kind == "job":
        return draw(seen_jobs(at, want, entry))
    if at.kind == "deployment" and want is not None:
        job = remote_job(address("job", at.name), draw(STATUSES), OTHER, id=f"ftjob-{at.name}")
        points = tuple(
            Checkpoint(f"c{step}", f"ft:{at.name}" if step == 9 else f"ft:new:{step}", job.id, step, 0, metrics)
            for step in draw(st.sets(st.sampled_from([3, 6, 9])))
            for metrics in [draw(st.sampled_from([{}, {"valid_reward_mean": 0.4}, {"valid_reward_mean": 0.7}]))]
        )
        permissions = draw(st.sampled_from([None, (), (Permission("cp_p1", "p1"),)]))
        return SeenDeployment(draw(st.sampled_from([None, job])), points, permissions)
    return None


@st.composite
def seen_jobs(draw: st.DrawFn, at: Address, want: Resource | None, entry: Entry | None) -> SeenJob:
    mine = None
    if entry is not None and draw(st.booleans()):
        mine = remote_job(at, draw(STATUSES), launch_of(entry.fingerprint, 1), id=str(entry.id))
    slot = []
    if want is not None:
        count = draw(st.integers(0, 2))
        slot = [
            remote_job(at, draw(STATUSES), launch_of(want.fingerprint, n + 1), id=f"ftjob-slot-{n}", created_at=100 + n)
            for n in range(count)
        ]
        if mine is not None and entry is not None and entry.fingerprint == want.fingerprint:
            slot.insert(0, mine)
    others = (
        [remote_job(at, JobStatus.RUNNING, launch_of("v1:" + "1" * 64, 1), id="ftjob-old")]
        if draw(st.booleans())
        else []
    )
    step = draw(st.sampled_from([None, 3]))
    ids = [job.id for job in (*slot, *others, *([mine] if mine else []))]
    begun = draw(st.frozensets(st.sampled_from(ids))) if ids else frozenset()
    return SeenJob(mine, tuple(slot), tuple(others), (), Progress(step, 10 if step else None), begun)


@st.composite
def intents_of(draw: st.DrawFn, at: Address, want: Resource | None) -> OpenIntent:
    verb = {"file": "upload", "job": "launch"}.get(at.kind, "validate")
    launch = launch_of(want.fingerprint, 1) if want is not None and at.kind == "job" else None
    token = draw(st.sampled_from([f"{LINEAGE}:ftjob-slot-0", f"{LINEAGE}:nobody"]))
    return OpenIntent(Intent(1, at, verb, token, launch, at=0.0), settled=draw(st.booleans()))


def turned(inputs: PlanInputs) -> PlanInputs:
    """The same inputs, every mapping in the opposite order."""
    return replace(
        inputs,
        graph=replace(inputs.graph, resources=dict(reversed(inputs.graph.resources.items()))),
        entries=dict(reversed(inputs.entries.items())),
        tombstones=dict(reversed(inputs.tombstones.items())),
        intents=dict(reversed(inputs.intents.items())),
        snapshot=dict(reversed(inputs.snapshot.items())),
    )


NOTE = Diagnostic("X999", "Something to say", "about the day", place=Place("specs/a.yaml", 1, 1))
