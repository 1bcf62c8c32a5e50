"""Which permissions of a model stay because another deployment of this lock lets the same project use the same model.
Pure: revokes nothing, and knows nothing of other locks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from rftplan.address import Address
from rftplan.changes import Action
from rftplan.kinds.base import Situation
from rftplan.kinds.deployment.spec import ForgetStep, Handed, PromoteStep, model_of


def kept_by_others(situation: Situation, model: str, projects: Collection[str]) -> tuple[str, ...]:
    """Those of the projects that keep the model through another deployment, in alphabetical order."""
    return tuple(project for project in sorted(projects) if _keeper(situation, model, project) is not None)


def leaving(situation: Situation, grants: Mapping[str, Mapping[str, str]]) -> ForgetStep:
    """What is revoked of what this lock granted, and what goes into another's care."""
    handed = tuple(_handed(situation, grants))
    gone = {(one.model, one.project) for one in handed}
    kept = {m: {p: id for p, id in projects.items() if (m, p) not in gone} for m, projects in grants.items()}
    return ForgetStep({m: projects for m, projects in kept.items() if projects}, handed)


def _handed(situation: Situation, grants: Mapping[str, Mapping[str, str]]) -> Iterator[Handed]:
    for model, projects in sorted(grants.items()):
        for project, permission in sorted(projects.items()):
            if (keeper := _keeper(situation, model, project)) is not None:
                yield Handed(keeper, model, project, permission)


def _keeper(situation: Situation, model: str, project: str) -> Address | None:
    """Another deployment that stays, wants the project, and has the model live or is about to."""
    for at, want in sorted(situation.staying.items()):
        other = at.kind == situation.address.kind and at != situation.address
        if other and project in want.spec.projects:
            has = (model_of(situation.entries.get(at)), _promoted(situation, at))
            if model in has:
                return at
    return None


def _promoted(situation: Situation, at: Address) -> str | None:
    change = situation.upstream.get(at)
    acts = change is not None and change.action in (Action.CREATE, Action.UPDATE)
    return change.step.checkpoint.model if change and acts and isinstance(change.step, PromoteStep) else None
