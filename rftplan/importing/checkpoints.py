"""A checkpoint that is live already, looked at to become a deployment's. Grants nothing and promotes nothing anew."""

from __future__ import annotations

from rftplan.address import Address
from rftplan.api.port import Checkpoint
from rftplan.canonical import Json, JsonObject
from rftplan.changes import Evidence, FieldChange
from rftplan.errors import NotFoundError, UserError
from rftplan.importing.found import Found, Ground, Input, Looking
from rftplan.kinds.base import Resource
from rftplan.kinds.deployment import DeploymentSpec
from rftplan.kinds.deployment.perform import evidence_document
from rftplan.kinds.deployment.weighing import asks_for_events, weighed
from rftplan.kinds.evidence import failing_shares
from rftplan.kinds.selectors import AtStep, choose, said_as
from rftplan.lockfile import Entry, Origin


async def checkpoint_found(looking: Looking, want: Resource, id: str) -> Found:
    """UserError where its job is not known yet, has no checkpoints, or not this one."""
    spec: DeploymentSpec = want.spec
    job_at = Address("job", spec.job)
    job = looking.entries.get(job_at)
    if job is None or job.id is None:
        raise UserError(f"the lock knows no run of {job_at} yet", hint=f"rftplan import {job_at} ID first")
    try:
        checkpoints = tuple(await looking.port.list_checkpoints(job.id))
    except NotFoundError:
        checkpoints = ()
    live = next((one for one in checkpoints if one.model == id), None)
    if live is None:
        known = ", ".join(f"{one.model} (step {one.step})" for one in checkpoints)
        raise UserError(f"{id} is no checkpoint of {job.id}", hint=f"it has {known}" if known else "it has none")
    failing = failing_shares(await looking.port.list_events(job.id)) if asks_for_events(spec) else None
    evidence = weighed(spec, live, checkpoints, looking.loaded.graph.resources, live=id, failing=failing)
    entry = Entry(
        fingerprint=want.fingerprint,
        inputs=want.inputs,
        id=id,
        origin=Origin.IMPORTED,
        history=(_revision(spec, job, live, evidence),),
        imported={"checkpoint": Ground.ECHOED.value},
    )
    differences = (*_other_choice(spec, live, checkpoints), *map(_failed, (e for e in evidence if not e.passed)))
    simulated = live.simulation is not None
    return Found(entry, f"step {live.step}", (Input("checkpoint", Ground.ECHOED),), differences, simulated=simulated)


def _revision(spec: DeploymentSpec, job: Entry, live: Checkpoint, evidence: tuple[Evidence, ...]) -> JsonObject:
    return {
        "revision": 1,
        "model": live.model,
        "job": f"job.{spec.job}",
        "job_id": live.job_id,
        "job_fingerprint": job.fingerprint,
        "step": live.step,
        "evidence": [evidence_document(one) for one in evidence],
    }


def _other_choice(
    spec: DeploymentSpec, live: Checkpoint, checkpoints: tuple[Checkpoint, ...]
) -> tuple[FieldChange, ...]:
    """The spec names another checkpoint: written as the step that it comes to."""
    chosen = choose(spec.checkpoint, checkpoints)
    if chosen is not None and chosen.model == live.model:
        return ()
    match spec.checkpoint:
        case AtStep(step=step):
            said: Json = {"step": step}
        case _:
            wanted = said_as(spec.checkpoint)
            said = f"{wanted}, which is step {chosen.step}" if chosen else wanted
    return (FieldChange("checkpoint", said, {"step": live.step}),)


def _failed(evidence: Evidence) -> FieldChange:
    bounds = {"at_least": evidence.at_least, "at_most": evidence.at_most}
    wanted: JsonObject = {key: bound for key, bound in bounds.items() if bound is not None}
    return FieldChange(f"gates.{evidence.metric}", wanted, evidence.value)
