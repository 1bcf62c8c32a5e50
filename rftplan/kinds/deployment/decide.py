"""Whether a checkpoint is promoted, waits or is held, and who may use it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import Checkpoint
from rftplan.canonical import Json, JsonObject
from rftplan.changes import Action, Change, Evidence, FieldChange, Hazard, HazardOf, Reason
from rftplan.diff import diff
from rftplan.kinds.base import Resource, Situation
from rftplan.kinds.deployment.held_out import Needed, asked_for, needed, seen_in
from rftplan.kinds.deployment.sharing import kept_by_others, leaving
from rftplan.kinds.deployment.spec import (
    DeploymentSpec,
    EvaluateStep,
    PermitStep,
    PromoteStep,
    SeenDeployment,
    grant_in,
    grants_of,
    model_of,
    with_grant,
)
from rftplan.kinds.deployment.weighing import NOT_INDEPENDENT, failed_already, may_replace, weighed
from rftplan.kinds.job.steps import AdoptStep, AdoptToStopStep
from rftplan.kinds.job.trouble import kept_errors, said
from rftplan.kinds.selectors import choose, said_as
from rftplan.kinds.steps import RecordStep
from rftplan.lockfile import FORGOTTEN, Entry, Origin


def after_cut_off(situation: Situation, seen: SeenDeployment) -> Situation | None:
    """The situation with what became of a grant whose reply was lost; None as long as nobody can say."""
    grant = grant_in(situation.intent.intent) if situation.intent else None
    if situation.intent is None or grant is None:
        return situation
    model, project = grant
    if seen.cut_off is None:
        return None
    ids = [p.id for p in seen.cut_off if p.project_id == project]
    if ids:
        return replace(situation, entry=with_grant(situation.entry, model, project, ids[0]))
    return situation if situation.intent.settled else None


def unknown_grant(situation: Situation) -> Change:
    """Nothing is done about the deployment before it is known what may have been granted."""
    detail = "a grant was cut off and may still appear; it is looked up again before anything is repeated"
    return situation.change(Action.DEFER, "wait", Reason.FATE_UNKNOWN, detail)


def lock_was_lost(situation: Situation, upstream: Change) -> bool:
    """Whether the job was found at the service by a lock that knew nothing of it: then what was promoted or rolled
    back before is not known either. What comes back when an edit is reverted, or after it was forgotten on purpose,
    is no such thing."""
    if FORGOTTEN in situation.tombstones:
        return False
    job = adopted(upstream) or situation.entries.get(upstream.address)
    return job is not None and job.origin is Origin.ADOPTED


def judged(situation: Situation, seen: SeenDeployment, spec: DeploymentSpec) -> Change:
    """What follows from the checkpoints of a job that succeeded: keep, promote, or hold with the figures."""
    entry, want = situation.entry, situation.want
    assert want is not None
    live = model_of(entry)
    if entry is not None and live is not None and _stands(entry, want, seen):
        if all(c.model != live for c in seen.checkpoints):
            return situation.change(
                Action.HOLD,
                "hold",
                Reason.CHECKPOINT_VANISHED,
                f"{live} is not among the checkpoints of job.{spec.job} any more",
            )
        return _permissions(situation, seen, entry, spec, live)
    if not seen.asked:
        unknown = f"which checkpoints {seen.job.id if seen.job else 'its job'} has, and whether one passes"
        return situation.change(Action.DEFER, "wait", Reason.NOT_ASKED, unknown)
    candidate = choose(spec.checkpoint, seen.checkpoints)
    if candidate is None:
        return situation.change(
            Action.HOLD,
            "hold",
            Reason.NO_CHECKPOINT,
            f"job.{spec.job} has no checkpoint that fits {said_as(spec.checkpoint)}"
            + ("" if seen.checkpoints else "; it has none at all: they were deleted, or never made"),
        )
    return _by_its_gates(situation, candidate, seen, spec)


def _by_its_gates(situation: Situation, candidate: Checkpoint, seen: SeenDeployment, spec: DeploymentSpec) -> Change:
    """What its gates make of the candidate."""
    entry, live = situation.entry, model_of(situation.entry)
    caveat = said(kept_errors(_job_entry(situation, spec)))
    all_ = situation.resources
    wanted = needed(spec, candidate, live, all_, situation.scope)
    there = seen_in(entry, wanted)
    missing = [one for one in wanted if one.number not in there]
    evidence = weighed(
        spec, candidate, seen.checkpoints, all_, live=live, failing=seen.failing, caveat=caveat, seen=there
    )
    prevented = live is not None and live != candidate.model and spec.lifecycle.prevent_replace
    if missing and not prevented and not failed_already(spec, evidence, {one.number for one in missing}):
        step = EvaluateStep(candidate, seen.checkpoints, seen.failing, caveat)
        return _evaluation(situation, step, missing, live)
    if not all(e.passed for e in evidence) and not (prevented and missing):
        stays = f"; {live} stays live" if live else ""
        return situation.change(
            Action.HOLD,
            "hold",
            Reason.GATE_FAILED,
            f"{candidate.model} was not promoted{stays}",
            evidence=evidence,
        )
    if prevented:
        detail = f"lifecycle.prevent_replace keeps {live} live"
        return situation.change(Action.HOLD, "hold", Reason.PREVENTED, detail, evidence=evidence)
    if not may_replace(evidence, live, candidate, situation.scope):
        detail = f"{candidate.model} was not promoted; {live} stays live: {NOT_INDEPENDENT}"
        return situation.change(Action.HOLD, "hold", Reason.SELECTION_ONLY, detail, evidence=evidence)
    return _promotion(situation, candidate, evidence, live, known="" if evidence else caveat)


def adopted(upstream: Change) -> Entry | None:
    """What the lock will say of a job that is found at the service; None if it is not found there now."""
    step = upstream.step.adopt if isinstance(upstream.step, AdoptToStopStep) else upstream.step
    return step.entry if isinstance(step, AdoptStep) else None


def _job_entry(situation: Situation, spec: DeploymentSpec) -> Entry | None:
    """What the lock says of the job, or will once this plan is carried out."""
    job = Address("job", spec.job)
    step = situation.upstream[job].step if job in situation.upstream else None
    return step.entry if isinstance(step, RecordStep | AdoptStep) else situation.entries.get(job)


def _stands(entry: Entry, want: Resource, seen: SeenDeployment) -> bool:
    """Whether the live revision came from the very job that counts, on the very conditions of the spec.

    The job's id decides, not its fingerprint: an alias edited to its snapshot is the same job, and a
    relaunch of the same fingerprint is not.
    """
    if not entry.history or seen.job is None or entry.history[-1].get("job_id") != seen.job.id:
        return False
    before, after = _conditions(entry, want)
    return before == after


def _conditions(entry: Entry, want: Resource) -> tuple[JsonObject, JsonObject]:
    """What a checkpoint had to be and pass when the lock was written, and what now. What an older lock did not keep
    is not compared."""
    known = [key for key in ("checkpoint", "gates") if key in entry.inputs and key in want.inputs]
    return {key: entry.inputs[key] for key in known}, {key: want.inputs[key] for key in known}


def conditions_changed(situation: Situation) -> tuple[FieldChange, ...]:
    """Where the bar is lower, higher or another one than the lock knows: the first thing that a reviewer looks for."""
    if situation.entry is None or situation.want is None:
        return ()
    before, after = _conditions(situation.entry, situation.want)
    return () if before == after else diff(before, after)


def _evaluation(situation: Situation, step: EvaluateStep, missing: Sequence[Needed], live: str | None) -> Change:
    """Figures first: apply judges by them, and promotes or holds."""
    model, said = step.candidate.model, asked_for(missing)
    replaces = live is not None and live != model
    cost = f"{said}: prompts of about {sum(one.tokens for one in missing):,} tokens at most; answers and judges on top"
    risks = [HazardOf(Hazard.SPEND, cost)] if situation.scope.profile.paid else []
    if replaces:
        risks.append(HazardOf(Hazard.REPLACE_LIVE, f"replaces {live}, which is live, if the gates pass"))
    return situation.change(
        Action.UPDATE if live else Action.CREATE,
        "evaluate",
        Reason.NEEDS_EVIDENCE,
        f"{model} (step {step.candidate.step}): {said}; promoted if all gates pass"
        + (f", in place of {live}" if replaces else ""),
        hazards=tuple(risks),
        step=step,
    )


def _promotion(
    situation: Situation, candidate: Checkpoint, evidence: tuple[Evidence, ...], live: str | None, *, known: str
) -> Change:
    """`known` is what is known against the run, where no gate's evidence says it."""
    replaces = live is not None and live != candidate.model
    return situation.change(
        Action.UPDATE if live else Action.CREATE,
        "promote",
        Reason.GATES_PASSED,
        f"{candidate.model} (step {candidate.step})"
        + (f" replaces {live}" if replaces else "")
        + (f"; {known}" if known else ""),
        evidence=evidence,
        hazards=(HazardOf(Hazard.REPLACE_LIVE, f"replaces {live}, which is live"),) if replaces else (),
        step=PromoteStep(candidate, evidence),
    )


_NO_ACCESS: Final = frozenset({Reason.FATE_UNKNOWN, Reason.CHECKPOINT_VANISHED, Reason.PERMISSIONS_UNKNOWN})


def access_now(situation: Situation, seen: SeenDeployment, spec: DeploymentSpec, change: Change) -> Change | None:
    """Who may use what is live, where that differs and `change` would leave it to a day when a job has ended or a
    person has decided; what `change` says and announces stays said. None if nothing has to be settled before."""
    live, entry = model_of(situation.entry), situation.entry
    if entry is None or live is None or change.reason in _NO_ACCESS:
        return None
    if change.action not in (Action.DEFER, Action.HOLD):
        return None
    now = _permissions(situation, seen, entry, spec, live)
    if now.action is not Action.UPDATE:
        return None
    return replace(
        now,
        detail=f"{now.detail}; {change.detail}",
        fields=change.fields,
        then=change.then,
        evidence=change.evidence,
        ahead=change.hazards,
    )


def _permissions(situation: Situation, seen: SeenDeployment, entry: Entry, spec: DeploymentSpec, live: str) -> Change:
    if seen.permissions is None:
        return situation.change(
            Action.DEFER, "wait", Reason.PERMISSIONS_UNKNOWN, "no admin key: who may use it cannot be seen"
        )
    recorded = grants_of(entry).get(live, {})
    present = {p.project_id for p in seen.permissions}
    missing = sorted(set(spec.projects) - present)
    kept = kept_by_others(situation, live, set(recorded) - set(spec.projects))
    surplus = sorted(set(recorded) - {*spec.projects, *kept})
    if not missing and not surplus:
        closes = RecordStep(entry) if situation.intent is not None else None
        return situation.change(Action.NOOP, "keep", Reason.MATCHES, live, step=closes)
    words = [f"grant {p}" for p in missing] + [f"revoke {p}" for p in surplus]
    return situation.change(
        Action.UPDATE,
        "permit",
        Reason.PERMISSIONS_DIFFER,
        ", ".join(words),
        hazards=tuple(HazardOf(Hazard.DELETE, f"revokes the permission of {p}") for p in surplus),
        step=PermitStep(live, kept),
    )


def removed(situation: Situation) -> Change:
    """Forget the pointer, and revoke only what this lock granted."""
    entry = situation.entry
    if entry is None:
        detail = "nothing was promoted"
        return situation.change(Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC, detail, step=leaving(situation, {}))
    step = leaving(situation, grants_of(entry))
    count = sum(len(projects) for projects in step.grants.values())
    stays = _what_stays(situation, entry)
    detail = f"revokes {count} permissions that were granted from here" if count else stays
    hazards = (HazardOf(Hazard.DELETE, detail),) if count else ()
    if (live := model_of(entry)) is not None:
        gone = f"{situation.address.name} is live and would be gone: programs that resolve it fail"
        hazards = (HazardOf(Hazard.DELETE, gone), *hazards)
        detail = f"{live} is live as {situation.address.name}; {detail}{_may_have_moved(situation, entry)}"
    detail = "; ".join((detail, *(f"{one.project} keeps it through {one.to}" for one in step.handed)))
    return situation.change(Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC, detail, hazards=hazards, step=step)


def _what_stays(situation: Situation, entry: Entry) -> str:
    """Of the live model: its job's own line says so where `removed:` deletes the models of that job."""
    if entry.id is None:
        return "nothing was promoted"
    trained_by = entry.history[-1].get("job_id") if entry.history else None
    for address in sorted(situation.scope.delete_models):
        job = situation.entries.get(address)
        if job is not None and job.id is not None and job.id == trained_by:
            return f"what becomes of {entry.id} is said of {address}"
    return f"{entry.id} stays at the service"


def _may_have_moved(situation: Situation, entry: Entry) -> str:
    """A hint at `moved:` where the specs have the same under another name."""
    for address, want in sorted(situation.newcomers.items()):
        before, after = _conditions(entry, want)
        if address.kind == situation.address.kind and before == after and _job(entry.inputs) == _job(want.inputs):
            return f"; if it moved, say moved: [{{from: {situation.address}, to: {address}}}]"
    return ""


def _job(inputs: JsonObject) -> Json:
    job = inputs.get("job")
    return job.get("address") if isinstance(job, dict) else None
