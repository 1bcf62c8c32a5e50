"""Deleting the models of a job that left the specs, where `removed:` says so: whether, and how. Nothing else deletes a
model, and none is deleted that something still points at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.canonical import Json
from rftplan.changes import Action, Change, Hazard, HazardOf, Reason
from rftplan.errors import NotFoundError
from rftplan.kinds.base import Act, Look, Situation
from rftplan.kinds.checkpoints import Made, made_by
from rftplan.kinds.job.kept import status_in
from rftplan.kinds.job.observe import SeenJob
from rftplan.kinds.job.steps import DeleteModelsStep
from rftplan.lockfile import Origin

DELETE_MODEL: Final = "delete-model"
"""The verb of one such effect in the journal. To repeat it does no harm."""


def to_delete(situation: Situation) -> bool:
    """Whether the specs ask for it, and the lock knows of a job."""
    entry = situation.entry
    return entry is not None and entry.id is not None and situation.address in situation.scope.delete_models


async def with_models(look: Look, seen: Mapping[Address, object]) -> dict[Address, object]:
    """What was seen, with the models of each job that is over and whose models shall go."""
    found = dict(seen)
    for address in sorted(look.scope.delete_models & look.entries.keys() - look.resources.keys()):
        job = found[address]
        if isinstance(job, SeenJob) and job.mine is not None and job.mine.status.ended:
            settle = look.scope.profile.settle_seconds
            made = await made_by(job.mine, look.port, now=look.now, settle_seconds=settle)
            found[address] = replace(job, made=made)
    return found


def models_deleted(situation: Situation, made: Made | None) -> Change | None:
    """What becomes of the models of a job that has ended and that the service knows; None where there are none, or none
    are asked for. `made` is None where the service was not asked."""
    entry = situation.entry
    if entry is None or not to_delete(situation):
        return None
    if made is None:
        return situation.change(Action.DEFER, "wait", Reason.NOT_ASKED, f"which models {entry.id} has")
    if made.behind:
        detail = f"{entry.id} ended only now, and its checkpoints are not all listed yet"
        return situation.change(Action.DEFER, "wait", Reason.CHANGING_STATE, detail)
    if not made.models:
        return None
    names = ", ".join(made.models)
    if entry.origin is not Origin.CREATED:
        detail = f"{entry.id} was {entry.origin} and not launched by this lock, so its models stay: {names}"
        return situation.change(Action.HOLD, "hold", Reason.NOT_OURS, detail)
    if users := tuple(dict.fromkeys(_users(situation, frozenset(made.models)))):
        return situation.change(Action.HOLD, "hold", Reason.MODEL_IN_USE, "; ".join(users))
    counted = "one model" if len(made.models) == 1 else f"{len(made.models)} models"
    return situation.change(
        Action.DELETE,
        "delete-models",
        Reason.REMOVED_FROM_SPEC,
        f"removed: says delete_model, and nothing known here uses its {counted}",
        hazards=tuple(HazardOf(Hazard.DELETE, f"deletes {model} at the service, for good") for model in made.models),
        step=DeleteModelsStep(made.models),
    )


def _users(situation: Situation, models: frozenset[str]) -> Iterator[str]:
    """Who still points at one of them, in words; not what this very plan takes away before."""
    staying = {at: entry for at, entry in sorted(situation.entries.items()) if not _goes(situation, at)}
    for at, entry in staying.items():
        if at.kind == "deployment" and entry.id in models:
            yield f"{at} has {entry.id} live"
    for at, entry in staying.items():
        base = next((m for m in (entry.inputs.get("model"), entry.resolved.get("model")) if m in models), None)
        if at.kind == "job" and at != situation.address and base is not None and not status_in(entry).ended:
            yield f"{at} goes on from {base}"
    for at, want in sorted(situation.resources.items()):
        if at.kind == "job" and want.inputs.get("model") in models and not _goes(situation, at):
            yield f"{at} goes on from {want.inputs['model']}"
    yield from _judged(situation, models)


def _judged(situation: Situation, models: frozenset[str]) -> Iterator[str]:
    """Whose answers one of them grades: by the specs, and by what the lock says of jobs that train."""
    declared, entries = situation.resources.items(), situation.entries.items()
    asking: list[tuple[Address, Json]] = [(at, want.inputs) for at, want in declared if at.kind == "grader"]
    asking += [(at, want.inputs.get("method")) for at, want in declared if at.kind == "job"]
    asking += [(at, e.inputs.get("method")) for at, e in entries if at.kind == "job" and not status_in(e).ended]
    for at, graders in sorted(asking, key=lambda one: one[0]):
        if at != situation.address and not _goes(situation, at):
            yield from (f"{at} asks {model} for grades" for model in sorted(models & set(_texts(graders))))


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _goes(situation: Situation, at: Address) -> bool:
    change = situation.upstream.get(at)
    return change is not None and change.action in (Action.DELETE, Action.FORGET)


async def delete_models(change: Change, step: DeleteModelsStep, act: Act) -> None:
    """One after the other, each an effect of its own; one that is gone already is as good as deleted."""

    async def delete(model: str) -> None:
        try:
            await act.port.delete_model(model)
        except NotFoundError:
            return  # somebody was quicker, or an apply that did not live to see it; the end is the same

    for model in step.models:
        await act.effect(
            change.address,
            DELETE_MODEL,
            lambda _token, model=model: delete(model),  # type: ignore[misc]
            lambda _none: act.ledger.entries.get(change.address),
            target=(model,),
        )
