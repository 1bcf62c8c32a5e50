"""Moving the pointer, granting and revoking: every call bracketed in the journal, nothing decided anew."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import Checkpoint, Permission
from rftplan.canonical import JsonObject
from rftplan.changes import Action, Change, Evidence
from rftplan.errors import NotFoundError
from rftplan.events import Outcome, Result
from rftplan.kinds.base import Act, Resource, result
from rftplan.kinds.deployment.spec import (
    ForgetStep,
    PermitStep,
    grant_in,
    grants_of,
    model_of,
    with_grant,
    with_grants,
)
from rftplan.lockfile import FORGOTTEN, Entry


async def promote(change: Change, checkpoint: Checkpoint, evidence: tuple[Evidence, ...], act: Act) -> Result:
    """Grant first, point last: whoever reads the pointer may use the model."""
    want = act.resources[change.address]
    before = act.ledger.entries.get(change.address)
    if before is not None and before.id == checkpoint.model and before.fingerprint == want.fingerprint:
        return result(change, Outcome.DONE, id=checkpoint.model, verb="promote", detail="promoted already")
    if want.spec.projects:
        # Whom the lock let use this model before, and the spec lacks now, loses it only where a plan says so.
        await _grant_missing(change.address, checkpoint.model, act)
    entry = act.ledger.entries.get(change.address) or before or Entry(want.fingerprint, want.inputs)
    job = act.ledger.entries[Address("job", want.spec.job)]
    revision: JsonObject = {
        "revision": len(entry.history) + 1,
        "model": checkpoint.model,
        "job": f"job.{want.spec.job}",
        "job_id": checkpoint.job_id,
        "job_fingerprint": job.fingerprint,
        "step": checkpoint.step,
        "evidence": [evidence_document(e) for e in evidence],
    }
    act.ledger.record(
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


def evidence_document(evidence: Evidence) -> JsonObject:
    document: JsonObject = {
        "metric": evidence.metric,
        "value": evidence.value,
        "passed": evidence.passed,
        "source": evidence.source,
        "caveats": list(evidence.caveats),
    }
    if evidence.basis is not None:
        document["basis"] = evidence.basis.value
    for key in ("low", "high", "rows", "confidence", "looks", "than", "more_than"):
        if (value := getattr(evidence, key)) is not None:
            document[key] = value
    if evidence.at_least is not None:
        document["at_least"] = evidence.at_least
    if evidence.at_most is not None:
        document["at_most"] = evidence.at_most
    return document


async def permit(address: Address, step: PermitStep, act: Act) -> None:
    """Grant what the spec names and the model lacks; revoke what this lock granted and nobody here wants any more."""
    model = step.model
    await _grant_missing(address, model, act)
    recorded = grants_of(act.ledger.entries.get(address)).get(model, {})
    for project in sorted(set(recorded) - {*act.resources[address].spec.projects, *step.kept}):
        await _revoke(address, model, project, recorded[project], act)


async def _grant_missing(address: Address, model: str, act: Act) -> None:
    want = act.resources[address]
    present = {p.project_id: p.id for p in await act.port.list_permissions(model)}
    for project in want.spec.projects:
        if project not in present:
            await act.effect(
                address,
                "grant",
                lambda _, project=project: act.port.grant_permission(model, project),  # type: ignore[misc]
                lambda granted, project=project: _granted(address, want, model, project, granted.id, act),  # type: ignore[misc]
                target=(model, project),
            )


def _granted(address: Address, want: Resource, model: str, project: str, permission_id: str, act: Act) -> Entry:
    entry = act.ledger.entries.get(address) or Entry(want.fingerprint, want.inputs)
    return with_grant(entry, model, project, permission_id)


async def answer_cut_off(address: Address, act: Act) -> None:
    """Find out what became of a grant or a revocation whose reply was lost, and record it, before anything else.

    A revocation leaves nothing to record: the permission is still known as ours, and revoked again if it has to
    go; where it is gone already, that is the same end.
    """
    intent = act.open_intents.get(address)
    if intent is None:
        return
    if (grant := grant_in(intent)) is not None:
        model, project = grant
        ids = [p.id for p in await _permissions(model, act) if p.project_id == project]
        if ids:
            act.ledger.finish(intent, with_grant(act.ledger.entries.get(address), model, project, ids[0]))
            return
    act.ledger.abandon(intent)


async def _permissions(model: str, act: Act) -> Sequence[Permission]:
    try:
        return await act.port.list_permissions(model)
    except NotFoundError:
        return ()  # a model that is gone is used by nobody


async def _revoke(address: Address, model: str, project: str, permission_id: str, act: Act) -> None:
    async def revoke(_token: str) -> None:
        try:
            await act.port.revoke_permission(model, permission_id)
        except NotFoundError:
            return  # revoked by somebody else; the end is the same

    def without(_none: None) -> Entry:
        entry = act.ledger.entries[address]
        grants = grants_of(entry)
        grants.get(model, {}).pop(project, None)
        return with_grants(entry, {m: projects for m, projects in grants.items() if projects})

    await act.effect(address, "revoke", revoke, without)


async def forget(change: Change, step: ForgetStep, act: Act) -> Result:
    """Hand on what another deployment wants, revoke all other permissions, then drop the entry: a death in between
    leaves one known twice, never not at all."""
    for one in step.handed:
        act.ledger.record(one.to, with_grant(act.ledger.entries.get(one.to), one.model, one.project, one.permission))
    for model, projects in sorted(step.grants.items()):
        for project, permission_id in sorted(projects.items()):
            await _revoke(change.address, model, project, permission_id, act)
    act.forget(change.address, tombstone=FORGOTTEN)
    return result(change, Outcome.DONE)
