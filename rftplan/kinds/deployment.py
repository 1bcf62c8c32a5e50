"""Deployments: our pointer to a checkpoint that passed its gates, and who may use it. Never trains anything."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from rftplan.address import Address
from rftplan.api.port import Checkpoint, JobStatus, Permission, RemoteJob
from rftplan.canonical import Json, JsonObject
from rftplan.changes import Action, Change, Drift, Evidence, Hazard, HazardOf, Reason
from rftplan.errors import CredentialError, NotFoundError
from rftplan.events import Outcome, Result
from rftplan.kinds.base import Act, Kind, Look, Ref, Resource, Situation, Standing, result
from rftplan.kinds.gates import Gate, Pick, Selector, choose, judge
from rftplan.kinds.job.observe import current_job
from rftplan.kinds.spec import Lifecycle, Name, SpecModel, Str
from rftplan.lockfile import Entry, Origin


class DeploymentSpec(SpecModel):
    """`deployments.NAME`: which checkpoint of which job, on which conditions, for which projects."""

    job: Name
    checkpoint: Selector = Pick.BEST
    gates: tuple[Gate, ...] = ()
    projects: Annotated[tuple[Str, ...], Field(max_length=100)] = ()
    lifecycle: Lifecycle = Lifecycle()


@dataclass(frozen=True, slots=True)
class SeenDeployment:
    """The job that counts, its checkpoints if it succeeded, and who may use the live model (None: unknown)."""

    job: RemoteJob | None
    checkpoints: tuple[Checkpoint, ...] = ()
    permissions: tuple[Permission, ...] | None = None


@dataclass(frozen=True, slots=True)
class PromoteStep:
    checkpoint: Checkpoint
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class PermitStep:
    """Bring the permissions of the live model to what the spec says."""

    model: str


@dataclass(frozen=True, slots=True)
class ForgetStep:
    """Revoke what this lock granted, then forget."""

    grants: Mapping[str, Mapping[str, str]]


def model_of(entry: Entry | None) -> str | None:
    """The live model id, None before the first promotion."""
    return entry.id if entry is not None else None


class DeploymentKind(Kind[DeploymentSpec]):
    name = "deployment"
    section = "deployments"

    def __init__(self) -> None:
        super().__init__(DeploymentSpec)

    def refs(self, spec: DeploymentSpec) -> Sequence[Ref]:
        return (Ref(("job",), Address("job", spec.job)),)

    def identity(self, spec: DeploymentSpec, upstream: Mapping[Address, Resource]) -> JsonObject:
        selector: Json = spec.checkpoint.value if isinstance(spec.checkpoint, Pick) else {"step": spec.checkpoint.step}
        gates: list[Json] = [gate.model_dump(mode="json", exclude_none=True) for gate in spec.gates]
        return {
            "job": {
                "address": f"job.{spec.job}",
                "fingerprint": upstream[Address("job", spec.job)].fingerprint,
            },
            "checkpoint": selector,
            "gates": gates,
            "projects": [*sorted(spec.projects)],
        }

    async def observe(self, look: Look) -> Mapping[Address, object]:
        """Checkpoints of each job that succeeded; permissions only where projects are declared."""
        addresses = sorted(look.resources)
        seen = await asyncio.gather(*(_see(look, address) for address in addresses))
        return dict(zip(addresses, seen, strict=True))

    def decide(self, situation: Situation) -> Change:
        if situation.want is None:
            return _removed(situation)
        spec: DeploymentSpec = situation.want.spec
        upstream = situation.upstream[Address("job", spec.job)]
        return replace(self._wanted(situation, spec, upstream), needs=(upstream.address,))

    def _wanted(self, situation: Situation, spec: DeploymentSpec, upstream: Change) -> Change:
        seen = situation.seen if isinstance(situation.seen, SeenDeployment) else SeenDeployment(None)
        if (waiting := _waits(situation, upstream, seen)) is not None:
            return waiting
        if situation.entry is None and _lock_was_lost(situation, upstream):
            return situation.change(
                Action.HOLD,
                "hold",
                Reason.LOCK_REBUILT,
                f"job.{spec.job} was found at the service, but what was promoted, rolled back or held is not known",
            )
        return _candidate(situation, seen, spec)

    def drift(self, situation: Situation) -> Sequence[Drift]:
        seen, entry = situation.seen, situation.entry
        if entry is None or not isinstance(seen, SeenDeployment) or seen.permissions is None:
            return ()
        granted = set(_grants(entry).get(str(entry.id), {}).values())
        gone = sorted(granted - {p.id for p in seen.permissions})
        return tuple(Drift(situation.address, f"permission {id} was revoked by somebody else") for id in gone)

    def standing(self, situation: Situation) -> Standing:
        entry = situation.entry
        if entry is None or entry.id is None or not entry.history:
            return Standing("nothing promoted")
        revision = entry.history[-1]
        return Standing("live", entry.id, f"revision {revision['revision']}, step {revision['step']}")

    async def perform(self, change: Change, act: Act) -> Result:
        match change.step:
            case PromoteStep(checkpoint, evidence):
                return await _promote(change, checkpoint, evidence, act)
            case PermitStep(model):
                await _permit(change.address, model, act)
                return result(change, Outcome.DONE, id=model)
            case ForgetStep(grants):
                return await _forget(change, grants, act)
            case _:
                raise AssertionError(change.step)

    async def follow_up(self, change: Change, act: Act) -> Result:
        """The job has ended: choose, judge, and promote or hold with the figures."""
        spec: DeploymentSpec = act.resources[change.address].spec
        job = act.records.entries[Address("job", spec.job)]
        checkpoints = tuple(await act.port.list_checkpoints(str(job.id)))
        candidate = choose(spec.checkpoint, checkpoints)
        if candidate is None:
            detail = f"{job.id} has no checkpoint that {spec.checkpoint} names"
            return result(change, Outcome.HELD, verb="promote", detail=detail)
        evidence = judge(spec.gates, candidate, spec.checkpoint, len(checkpoints))
        if not all(e.passed for e in evidence):
            return result(
                change,
                Outcome.HELD,
                id=candidate.model,
                verb="promote",
                detail="a gate failed",
                evidence=evidence,
            )
        return await _promote(change, candidate, evidence, act)


async def _see(look: Look, address: Address) -> SeenDeployment:
    want, entry = look.resources[address], look.entries.get(address)
    job_address = Address("job", want.spec.job)
    job = current_job(
        look.all_resources.get(job_address), look.all_entries.get(job_address), look.seen.get(job_address)
    )
    if job is None or job.status is not JobStatus.SUCCEEDED:
        return SeenDeployment(job)
    checkpoints = tuple(await look.port.list_checkpoints(job.id))
    model = model_of(entry)
    if model is None or not (want.spec.projects or _grants(entry)):
        return SeenDeployment(job, checkpoints, ())
    try:
        permissions: tuple[Permission, ...] | None = tuple(await look.port.list_permissions(model))
    except CredentialError:
        permissions = None  # no admin key: who may use it is unknown, and said so
    except NotFoundError:
        permissions = ()
    return SeenDeployment(job, checkpoints, permissions)


def _lock_was_lost(situation: Situation, upstream: Change) -> bool:
    adopting = upstream.action is Action.ADOPT and upstream.verb == "adopt"
    job = situation.entries.get(upstream.address)
    return adopting or (job is not None and job.origin is Origin.ADOPTED)


def _waits(situation: Situation, upstream: Change, seen: SeenDeployment) -> Change | None:
    """Not yet, as long as the job has not succeeded; what is live stays live."""
    live = model_of(situation.entry)
    stays = f"; {live} stays live" if live else ""
    if upstream.action is Action.HOLD:
        return situation.change(Action.DEFER, "wait", Reason.WAITS_FOR_JOB, f"{upstream.address} is held{stays}")
    launches = bool(upstream.needs)
    ended = seen.job is not None and seen.job.status is JobStatus.SUCCEEDED
    if ended and not launches:
        return None
    # Replacing what is live is announced now, because `--wait` does it without asking again.
    risk = (HazardOf(Hazard.REPLACE_LIVE, f"replaces {live}, which is live, if the gates pass"),) if live else ()
    state = "is launched first" if launches else f"is {seen.job.status}" if seen.job else "does not run"
    return situation.change(
        Action.DEFER,
        "wait",
        Reason.WAITS_FOR_JOB,
        f"{upstream.address} {state}{stays}",
        then=("promote",),
        hazards=risk,
    )


def _candidate(situation: Situation, seen: SeenDeployment, spec: DeploymentSpec) -> Change:
    entry, want = situation.entry, situation.want
    assert want is not None
    live = model_of(entry)
    if entry is not None and live is not None and _stands(entry, want, seen):
        if all(c.model != live for c in seen.checkpoints):
            return situation.change(
                Action.HOLD,
                "hold",
                Reason.CHECKPOINT_VANISHED,
                f"{live} is not among the job's checkpoints any more",
            )
        return _permissions(situation, seen, entry, spec, live)
    candidate = choose(spec.checkpoint, seen.checkpoints)
    if candidate is None:
        return situation.change(
            Action.HOLD,
            "hold",
            Reason.NO_CHECKPOINT,
            f"job.{spec.job} has no checkpoint that fits {spec.checkpoint}",
        )
    evidence = judge(spec.gates, candidate, spec.checkpoint, len(seen.checkpoints))
    if not all(e.passed for e in evidence):
        stays = f"; {live} stays live" if live else ""
        return situation.change(
            Action.HOLD,
            "hold",
            Reason.GATE_FAILED,
            f"{candidate.model} was not promoted{stays}",
            evidence=evidence,
        )
    return _promotion(situation, candidate, evidence, live)


def _stands(entry: Entry, want: Resource, seen: SeenDeployment) -> bool:
    """Whether the live revision came from the very job that counts, on the very conditions of the spec.

    The job's id decides, not its fingerprint: an alias edited to its snapshot is the same job, and a
    relaunch of the same fingerprint is not.
    """
    if not entry.history or seen.job is None or entry.history[-1].get("job_id") != seen.job.id:
        return False
    return _conditions(entry.inputs) == _conditions(want.inputs)


def _conditions(inputs: JsonObject) -> JsonObject:
    return {key: value for key, value in inputs.items() if key not in ("job", "projects")}


def _promotion(situation: Situation, candidate: Checkpoint, evidence: tuple[Evidence, ...], live: str | None) -> Change:
    replaces = live is not None and live != candidate.model
    return situation.change(
        Action.UPDATE if live else Action.CREATE,
        "promote",
        Reason.GATES_PASSED,
        f"{candidate.model} (step {candidate.step})" + (f" replaces {live}" if replaces else ""),
        evidence=evidence,
        hazards=(HazardOf(Hazard.REPLACE_LIVE, f"replaces {live}, which is live"),) if replaces else (),
        step=PromoteStep(candidate, evidence),
    )


def _permissions(situation: Situation, seen: SeenDeployment, entry: Entry, spec: DeploymentSpec, live: str) -> Change:
    if seen.permissions is None:
        return situation.change(
            Action.DEFER, "wait", Reason.PERMISSIONS_UNKNOWN, "no admin key: who may use it cannot be seen"
        )
    recorded = _grants(entry).get(live, {})
    present = {p.project_id for p in seen.permissions}
    missing = sorted(set(spec.projects) - present)
    surplus = sorted(set(recorded) - set(spec.projects))
    if not missing and not surplus:
        return situation.change(Action.NOOP, "keep", Reason.MATCHES, live)
    words = [f"grant {p}" for p in missing] + [f"revoke {p}" for p in surplus]
    return situation.change(Action.UPDATE, "permit", Reason.PERMISSIONS_DIFFER, ", ".join(words), step=PermitStep(live))


def _removed(situation: Situation) -> Change:
    entry = situation.entry
    if entry is None:
        detail = "nothing was promoted"
        return situation.change(Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC, detail, step=ForgetStep({}))
    grants = _grants(entry)
    count = sum(len(projects) for projects in grants.values())
    detail = f"revokes {count} permissions that were granted from here" if count else f"{entry.id} stays at the service"
    hazards = (HazardOf(Hazard.DELETE, detail),) if count else ()
    return situation.change(
        Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC, detail, hazards=hazards, step=ForgetStep(grants)
    )


def _grants(entry: Entry | None) -> dict[str, dict[str, str]]:
    """Model → project → permission id, as far as this lock granted them."""
    kept = entry.resolved.get("permissions") if entry else None
    if not isinstance(kept, dict):
        return {}
    return {m: {p: str(i) for p, i in projects.items()} for m, projects in kept.items() if isinstance(projects, dict)}


async def _promote(change: Change, checkpoint: Checkpoint, evidence: tuple[Evidence, ...], act: Act) -> Result:
    """Grant first, point last: whoever reads the pointer may use the model."""
    want = act.resources[change.address]
    before = act.records.entries.get(change.address)
    if want.spec.projects:
        await _permit(change.address, checkpoint.model, act)
    entry = act.records.entries.get(change.address) or before or Entry(want.fingerprint, want.inputs)
    job = act.records.entries[Address("job", want.spec.job)]
    revision: JsonObject = {
        "revision": len(entry.history) + 1,
        "model": checkpoint.model,
        "job": f"job.{want.spec.job}",
        "job_id": checkpoint.job_id,
        "job_fingerprint": job.fingerprint,
        "step": checkpoint.step,
        "evidence": [_evidence_document(e) for e in evidence],
    }
    act.records.record(
        change.address,
        replace(
            entry,
            fingerprint=want.fingerprint,
            inputs=want.inputs,
            id=checkpoint.model,
            history=(*entry.history, revision),
        ),
    )
    return result(
        change,
        Outcome.DONE,
        id=checkpoint.model,
        action=Action.UPDATE if model_of(before) else Action.CREATE,
        verb="promote",
        detail=f"step {checkpoint.step}",
        evidence=evidence,
    )


def _evidence_document(evidence: Evidence) -> JsonObject:
    document: JsonObject = {
        "metric": evidence.metric,
        "value": evidence.value,
        "passed": evidence.passed,
        "source": evidence.source,
        "caveats": list(evidence.caveats),
    }
    if evidence.at_least is not None:
        document["at_least"] = evidence.at_least
    if evidence.at_most is not None:
        document["at_most"] = evidence.at_most
    return document


async def _permit(address: Address, model: str, act: Act) -> None:
    """Grant what the spec names and the model lacks; revoke what this lock granted and the spec lacks."""
    want = act.resources[address]
    present = {p.project_id: p.id for p in await act.port.list_permissions(model)}
    for project in want.spec.projects:
        if project not in present:
            await act.effect(
                address,
                "grant",
                lambda _, project=project: act.port.grant_permission(model, project),  # type: ignore[misc]
                lambda granted, project=project: _granted(address, want, model, project, granted.id, act),  # type: ignore[misc]
            )
    recorded = _grants(act.records.entries.get(address)).get(model, {})
    for project in sorted(set(recorded) - set(want.spec.projects)):
        await _revoke(address, model, project, recorded[project], act)


def _granted(address: Address, want: Resource, model: str, project: str, permission_id: str, act: Act) -> Entry:
    entry = act.records.entries.get(address) or Entry("v1:", {})
    grants = _grants(entry)
    grants.setdefault(model, {})[project] = permission_id
    return _with_grants(entry, grants)


async def _revoke(address: Address, model: str, project: str, permission_id: str, act: Act) -> None:
    async def revoke(_token: str) -> None:
        try:
            await act.port.revoke_permission(model, permission_id)
        except NotFoundError:
            return  # revoked by somebody else; the end is the same

    def without(_none: None) -> Entry:
        entry = act.records.entries[address]
        grants = _grants(entry)
        grants.get(model, {}).pop(project, None)
        return _with_grants(entry, {m: projects for m, projects in grants.items() if projects})

    await act.effect(address, "revoke", revoke, without)


def _with_grants(entry: Entry, grants: Mapping[str, Mapping[str, str]]) -> Entry:
    kept: JsonObject = {model: dict(projects) for model, projects in grants.items()}
    resolved = {key: value for key, value in entry.resolved.items() if key != "permissions"}
    if kept:
        resolved["permissions"] = kept
    return replace(entry, resolved=resolved)


async def _forget(change: Change, grants: Mapping[str, Mapping[str, str]], act: Act) -> Result:
    for model, projects in sorted(grants.items()):
        for project, permission_id in sorted(projects.items()):
            await _revoke(change.address, model, project, permission_id, act)
    act.forget(change.address)
    return result(change, Outcome.DONE)


KIND = DeploymentKind()
