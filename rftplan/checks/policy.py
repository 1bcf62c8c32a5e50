"""Rules about what the team allows itself: `policy`. Pure; no option of the command line loosens them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from rftplan.address import Address
from rftplan.checks.preflight import Preflight
from rftplan.codes import error, finding
from rftplan.errors import Diagnostic
from rftplan.graph import Graph
from rftplan.kinds.job.observe import same_launch
from rftplan.kinds.job.spec import Run
from rftplan.lockfile import Entry

MODEL_NOT_ALLOWED: Final = error("P101", "Policy does not allow the model")
PROVIDER_NOT_ALLOWED: Final = error("P102", "Policy does not allow the provider")
GATE_MISSING: Final = error("P103", "Deployment lacks a gate that the policy requires")
TOO_MANY_LAUNCHES: Final = error("P104", "More launches than the policy allows at once")

_CHANGE: Final = "or change policy, which is reviewed like all specs"


def allowed_models(preflight: Preflight) -> Iterable[Diagnostic]:
    """The base model of a job that is to run: by the name that is written, or by the snapshot it stands for."""
    allowed = preflight.config.policy.models
    if allowed is None:
        return
    known = {name for written in allowed for name in (written, preflight.profile.named(written))}
    for job in preflight.of_kind("job"):
        model = job.spec.model
        if job.spec.run is Run.RUNNING and not {model, preflight.profile.named(model)} & known:
            detail = f"{model} is not in policy.models: {', '.join(allowed) or 'no model is'}"
            hint = f"train one of them, {_CHANGE}"
            yield finding(MODEL_NOT_ALLOWED, detail, place=job.where(("model",)), address=str(job.address), hint=hint)


def allowed_providers(preflight: Preflight) -> Iterable[Diagnostic]:
    """The provider, be it written or given with --provider."""
    allowed, used = preflight.config.policy.providers, preflight.profile.type
    if allowed is not None and used not in allowed:
        detail = f"provider {used} is not in policy.providers: {', '.join(allowed) or 'no provider is'}"
        hint = f"use one of them, {_CHANGE}"
        yield finding(PROVIDER_NOT_ALLOWED, detail, place=preflight.config.provider_place, hint=hint)


def required_gates(preflight: Preflight) -> Iterable[Diagnostic]:
    """Every metric that a gate of every deployment must look at."""
    for deployment in preflight.of_kind("deployment"):
        judged = {gate.metric for gate in deployment.spec.gates}
        for metric in preflight.config.policy.required_gates:
            if metric not in judged:
                detail = f"no gate looks at {metric}, so a checkpoint would be promoted whatever it is there"
                hint = f"add - {{metric: {metric}, at_least: …}} to its gates, {_CHANGE}"
                place, address = deployment.where(("gates",)), str(deployment.address)
                yield finding(GATE_MISSING, detail, place=place, address=address, hint=hint)


def too_many_launches(
    preflight: Preflight, graph: Graph, entries: Mapping[Address, Entry], *, begun: Collection[Address]
) -> Iterator[Diagnostic]:
    """More jobs that specs and lock say are about to be launched than one apply may launch; a launch that was `begun`
    may be there already, and does not count. What only a plan knows, a plan counts: see `launches_planned`."""
    due = [
        address
        for address, want in graph.resources.items()
        if address.kind == "job"
        and address not in begun
        and want.spec.run is Run.RUNNING
        and not ((entry := entries.get(address)) is not None and same_launch(want, entry))
    ]
    yield from launches_planned(preflight, due)


def launches_planned(preflight: Preflight, due: Sequence[Address]) -> Iterator[Diagnostic]:
    """More launches, whatever asks for them, than one apply may make."""
    most = preflight.config.policy.max_launches
    if most is not None and len(due) > most:
        names = ", ".join(map(str, due))
        count = "1 job is" if len(due) == 1 else f"{len(due)} jobs are"
        detail = f"policy.max_launches is {most}, and {count} about to be launched: {names}"
        hint = f"write run: paused on some of them until the others are launched, {_CHANGE}"
        place = preflight.config.declared[due[most]].where(())
        yield finding(TOO_MANY_LAUNCHES, detail, place=place, address=str(due[most]), hint=hint)


RULES: Final = (allowed_models, allowed_providers, required_gates)
PROBES: Final = ()
