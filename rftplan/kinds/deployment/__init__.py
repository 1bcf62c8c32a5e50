"""Deployments: our pointer to a checkpoint that passed its gates, and who may use it. Never trains anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import Checkpoint, JobStatus, Permission
from rftplan.canonical import Json, JsonObject
from rftplan.changes import Action, Change, Drift, Reason
from rftplan.errors import BehindError, CredentialError, NotFoundError
from rftplan.events import Outcome, Result
from rftplan.kinds.base import Act, Kind, Look, Ref, Resource, Situation, result
from rftplan.kinds.checkpoints import lists_behind
from rftplan.kinds.deployment import drift
from rftplan.kinds.deployment.concluding import conclude
from rftplan.kinds.deployment.decide import (
    access_now,
    after_cut_off,
    conditions_changed,
    judged,
    lock_was_lost,
    removed,
    unknown_grant,
)
from rftplan.kinds.deployment.perform import answer_cut_off, forget, permit, promote
from rftplan.kinds.deployment.spec import (
    AwaitStep,
    DeploymentSpec,
    EvaluateStep,
    ForgetStep,
    PermitStep,
    PromoteStep,
    SeenDeployment,
    grant_in,
    grants_of,
    model_of,
)
from rftplan.kinds.deployment.waiting import waits
from rftplan.kinds.deployment.weighing import asks_for_events
from rftplan.kinds.evidence import failing_shares
from rftplan.kinds.job.drift import remembered
from rftplan.kinds.job.kept import job_from
from rftplan.kinds.job.observe import current_job
from rftplan.kinds.job.trouble import kept_errors, said
from rftplan.kinds.selectors import choose, identity_of, said_as
from rftplan.kinds.standing import Standing
from rftplan.lockfile import Entry
from rftplan.promoted import is_simulated


class DeploymentKind(Kind[DeploymentSpec]):
    name = "deployment"
    section = "deployments"

    def __init__(self) -> None:
        super().__init__(DeploymentSpec)

    def refs(self, spec: DeploymentSpec) -> Sequence[Ref]:
        refs = [Ref(("job",), Address("job", spec.job))]
        for number, gate in enumerate(spec.gates):
            if gate.held_out is not None:
                at = ("gates", number, "held_out")
                refs.append(Ref((*at, "file"), Address("file", gate.held_out.file)))
                refs.append(Ref((*at, "grader"), Address("grader", gate.held_out.grader)))
        return refs

    def identity(self, spec: DeploymentSpec, upstream: Mapping[Address, Resource]) -> JsonObject:
        gates: list[Json] = [gate.model_dump(mode="json", exclude_none=True) for gate in spec.gates]
        return {
            "job": {
                "address": f"job.{spec.job}",
                "fingerprint": upstream[Address("job", spec.job)].fingerprint,
            },
            "checkpoint": identity_of(spec.checkpoint),
            "gates": gates,
            "projects": [*sorted(spec.projects)],
        }

    async def observe(self, look: Look) -> Mapping[Address, object]:
        """Checkpoints of each job that succeeded; permissions only where projects are declared."""
        import asyncio  # here, for `check` reads kinds and waits for nothing

        addresses = sorted({*look.resources, *(a for a in _cut_off(look) if a.kind == self.name)})
        seen = await asyncio.gather(*(_see(look, address) for address in addresses))
        return dict(zip(addresses, seen, strict=True))

    def remembered(self, situation: Situation) -> object:
        """The live checkpoint alone, and the permissions that were granted from here."""
        want, live = situation.want, model_of(situation.entry)
        at = Address("job", want.spec.job) if want is not None else None
        entry = situation.entries.get(at) if at is not None else None
        job = current_job(situation.resources.get(at), entry, remembered(entry)) if at is not None else None
        granted = tuple(Permission(id, p) for p, id in grants_of(situation.entry).get(str(live), {}).items())
        revision = situation.entry.history[-1] if situation.entry is not None and situation.entry.history else {}
        kept = () if live is None else (Checkpoint("", live, str(revision.get("job_id")), 0, 0),)
        return SeenDeployment(job, kept, granted, asked=False)

    def decide(self, situation: Situation) -> Change:
        seen = situation.seen if isinstance(situation.seen, SeenDeployment) else SeenDeployment(None)
        if situation.want is None:
            known = after_cut_off(situation, seen)
            return unknown_grant(situation) if known is None else removed(known)
        spec: DeploymentSpec = situation.want.spec
        upstream = situation.upstream[Address("job", spec.job)]
        change = replace(self._wanted(situation, seen, spec, upstream), fields=conditions_changed(situation))
        now = access_now(situation, seen, spec, change)
        return replace(change, needs=(upstream.address,)) if now is None else replace(now, awaits=(upstream.address,))

    def _wanted(self, planned: Situation, seen: SeenDeployment, spec: DeploymentSpec, upstream: Change) -> Change:
        lost = planned.entry is None and lock_was_lost(planned, upstream)
        situation = after_cut_off(planned, seen)
        if situation is None:
            return unknown_grant(planned)
        if (waiting := waits(situation, upstream, seen)) is not None:
            return replace(waiting, then=(), hazards=(), step=None) if lost else waiting
        if lost:
            return situation.change(
                Action.HOLD,
                "hold",
                Reason.LOCK_REBUILT,
                f"job.{spec.job} was found at the service, but what was promoted, rolled back or held is not known",
            )
        return judged(situation, seen, spec)

    def drift(self, situation: Situation) -> Sequence[Drift]:
        return drift.drift(situation)

    def refreshed(self, situation: Situation) -> Entry | None:
        return drift.refreshed(situation)

    def standing(self, situation: Situation) -> Standing:
        entry = situation.entry
        if entry is None or entry.id is None or not entry.history:
            return Standing("nothing promoted")
        revision = entry.history[-1]
        detail = f"revision {revision.get('revision')}, step {revision.get('step')}"
        mark = ", SIMULATED" if is_simulated(entry, situation.entries) else ""
        return Standing("live", entry.id, detail + mark)

    async def perform(self, change: Change, act: Act) -> Result:
        await answer_cut_off(change.address, act)
        match change.step:
            case PromoteStep(checkpoint, evidence):
                return await promote(change, checkpoint, evidence, act)
            case EvaluateStep() as step:
                return await conclude(change, step, act)
            case PermitStep(model):
                await permit(change.address, change.step, act)
                return result(change, Outcome.DONE, id=model)
            case ForgetStep():
                return await forget(change, change.step, act)
            case _:
                raise AssertionError(change.step)

    async def follow_up(self, change: Change, act: Act) -> Result:
        """The job has ended: choose, judge, and promote or hold with the figures."""
        spec: DeploymentSpec = act.resources[change.address].spec
        await answer_cut_off(change.address, act)
        entry = act.ledger.entries.get(change.address)
        announced = _announced_beside(change.step)
        if model_of(entry) != announced or (entry is not None and entry.holds):
            detail = "somebody else promoted or held it in the meantime: run rftplan plan"
            return result(change, Outcome.DEFERRED, verb="promote", detail=detail)
        job = act.ledger.entries[Address("job", spec.job)]
        checkpoints = tuple(await act.port.list_checkpoints(str(job.id)))
        settle = act.scope.profile.settle_seconds
        if lists_behind(job_from(job), checkpoints, now=act.ledger.now(), settle_seconds=settle):
            raise BehindError(f"the checkpoints of {job.id} are not all listed yet")
        candidate = choose(spec.checkpoint, checkpoints)
        if candidate is None:
            detail = f"{job.id} has no checkpoint that fits {said_as(spec.checkpoint)}"
            return result(change, Outcome.HELD, verb="promote", detail=detail)
        caveat = said(kept_errors(job))
        failing = failing_shares(await act.port.list_events(str(job.id))) if asks_for_events(spec) else None
        return await conclude(change, EvaluateStep(candidate, checkpoints, failing, caveat), act)


def _announced_beside(step: object) -> str | None:
    """What was live when the promotion was announced."""
    match step:
        case AwaitStep(live) | PermitStep(live):
            return live
        case _:
            return None


def _cut_off(look: Look) -> dict[Address, str]:
    """The model that a grant of unknown fate was for, by address."""
    grants = {intent.address: grant_in(intent) for intent in look.intents}
    return {address: grant[0] for address, grant in grants.items() if grant is not None}


async def _see(look: Look, address: Address) -> SeenDeployment:
    want, entry, model = look.resources.get(address), look.entries.get(address), _cut_off(look).get(address)
    cut_off = await _permissions(look, model) if model is not None else ()
    if want is None:
        return SeenDeployment(None, cut_off=cut_off)
    return replace(await _see_declared(look, want, entry), cut_off=cut_off)


async def _see_declared(look: Look, want: Resource, entry: Entry | None) -> SeenDeployment:
    job_address = Address("job", want.spec.job)
    job = current_job(
        look.all_resources.get(job_address), look.all_entries.get(job_address), look.seen.get(job_address)
    )
    model = model_of(entry)
    asked = model is not None and bool(want.spec.projects or grants_of(entry))
    permissions = await _permissions(look, str(model)) if asked else ()
    if job is None or job.status is not JobStatus.SUCCEEDED:
        return SeenDeployment(job, permissions=permissions)
    try:
        checkpoints = tuple(await look.port.list_checkpoints(job.id))
    except NotFoundError:
        checkpoints = ()  # a service that lost the job has none of its checkpoints either
    behind = lists_behind(job, checkpoints, now=look.now, settle_seconds=look.scope.profile.settle_seconds)
    failing = failing_shares(await look.port.list_events(job.id)) if asks_for_events(want.spec) else None
    return SeenDeployment(job, checkpoints, permissions, behind=behind, failing=failing)


async def _permissions(look: Look, model: str) -> tuple[Permission, ...] | None:
    try:
        return tuple(await look.port.list_permissions(model))
    except CredentialError:
        return None  # no admin key: who may use it is unknown, and said so
    except NotFoundError:
        return ()


KIND = DeploymentKind()

__all__ = ["KIND", "DeploymentKind", "DeploymentSpec", "ForgetStep", "PermitStep", "PromoteStep", "SeenDeployment"]
