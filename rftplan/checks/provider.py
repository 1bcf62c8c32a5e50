"""Rules about what the provider can do. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rftplan.api.profiles import Capability, Profile
from rftplan.checks.preflight import Path, Preflight, method_of, scorers, written_graders
from rftplan.codes import UNSUPPORTED, finding
from rftplan.config import Declared
from rftplan.errors import Diagnostic
from rftplan.kinds.grader import Multi
from rftplan.kinds.job.spec import Run


def unsupported_method(preflight: Preflight) -> Iterable[Diagnostic]:
    """A job's method that the provider does not train."""
    for declared in preflight.of_kind("job"):
        method = method_of(declared)
        if method not in preflight.profile.methods:
            said = f"does not train with method {method}"
            hint = f"it trains with {', '.join(sorted(preflight.profile.methods))}"
            yield _unsupported(preflight.profile, declared, ("method", "type"), said, hint=hint)


def unsupported_grader(preflight: Preflight) -> Iterable[Diagnostic]:
    """A grader's type, at the top or inside a multi, that the provider cannot run."""
    profile = preflight.profile
    for where, spec in written_graders(preflight):
        found = [(where, spec.root.type)]
        if isinstance(spec.root, Multi):
            found += [(member, scorer.type) for member, scorer in scorers(where, spec)]
        for at, type_name in found:
            if type_name not in profile.grader_types:
                said = f"does not run {type_name} graders"
                hint = f"it runs {', '.join(sorted(profile.grader_types))}"
                yield _unsupported(profile, at.declared, (*at.path, "type"), said, hint=hint)


def unsupported_pause(preflight: Preflight) -> Iterable[Diagnostic]:
    """`run: paused` where a job cannot be paused."""
    if not preflight.profile.can(Capability.PAUSE):
        for declared in preflight.of_kind("job"):
            if declared.spec.run is Run.PAUSED:
                hint = "write run: running, or run: cancelled to end it"
                yield _unsupported(preflight.profile, declared, ("run",), "cannot pause a job", hint=hint)


def unsupported_projects(preflight: Preflight) -> Iterable[Diagnostic]:
    """`projects` of a deployment where a checkpoint cannot be shared."""
    if not preflight.profile.can(Capability.PERMISSIONS):
        for declared in preflight.of_kind("deployment"):
            if declared.spec.projects:
                said = "has no permissions for checkpoints"
                yield _unsupported(preflight.profile, declared, ("projects",), said, hint="remove projects")


def unsupported_simulation(preflight: Preflight) -> Iterable[Diagnostic]:
    """`simulate:` where a model is trained: nobody would draw from these answers."""
    if not preflight.profile.can(Capability.SIMULATION):
        for declared in preflight.of_kind("job"):
            if declared.spec.simulate is not None:
                said, hint = "trains a model and simulates nothing", "take simulate: out for this provider"
                yield _unsupported(preflight.profile, declared, ("simulate",), said, hint=hint)


def unsupported_deletion(preflight: Preflight) -> Iterable[Diagnostic]:
    """`delete_model` where a model cannot be deleted."""
    if not preflight.profile.can(Capability.MODEL_DELETION):
        for removed, place in preflight.config.removed:
            if removed.delete_model:
                detail = f"provider {preflight.profile.type} deletes no models"
                at = str(removed.address)
                yield finding(UNSUPPORTED, detail, place=place, address=at, hint="take delete_model out")


def _unsupported(profile: Profile, declared: Declared, path: Path, said: str, *, hint: str) -> Diagnostic:
    """`said` goes on after the provider's name."""
    return finding(
        UNSUPPORTED,
        f"provider {profile.type} {said}",
        place=declared.where(path),
        address=str(declared.address),
        hint=hint,
    )


RULES: Final = (
    unsupported_method,
    unsupported_grader,
    unsupported_pause,
    unsupported_projects,
    unsupported_simulation,
    unsupported_deletion,
)
PROBES: Final = ()
