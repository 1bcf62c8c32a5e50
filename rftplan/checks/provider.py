"""Rules about what the provider can do. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rftplan.api.profiles import Capability, Profile
from rftplan.codes import UNSUPPORTED, finding
from rftplan.config import Config, Declared
from rftplan.errors import Diagnostic
from rftplan.kinds.grader import GraderSpec, Multi
from rftplan.kinds.job.spec import JobSpec, Run


def unsupported_method(config: Config, profile: Profile) -> Iterable[Diagnostic]:
    """A job's method that the provider does not train."""
    for declared in _of_kind(config, "job"):
        spec: JobSpec = declared.spec
        method = spec.method.type if spec.method is not None else "supervised"
        if method not in profile.methods:
            said = f"does not train with method {method}"
            hint = f"it trains with {', '.join(sorted(profile.methods))}"
            yield _unsupported(profile, declared, ("method", "type"), said, hint=hint)


def unsupported_grader(config: Config, profile: Profile) -> Iterable[Diagnostic]:
    """A grader's type, at the top or inside a multi, that the provider cannot run."""
    for declared in _of_kind(config, "grader"):
        yield from _graders(declared, declared.spec, (), profile)
    for declared in _of_kind(config, "job"):
        reinforcement = declared.spec.reinforcement
        if reinforcement is not None and isinstance(reinforcement.grader, GraderSpec):
            yield from _graders(declared, reinforcement.grader, ("method", "reinforcement", "grader"), profile)


def unsupported_launch(config: Config, profile: Profile) -> Iterable[Diagnostic]:
    """A job where no metadata is kept: after a lost reply nobody could find it, and it would be paid for twice."""
    if not profile.can(Capability.METADATA):
        for declared in _of_kind(config, "job"):
            said = "does not keep a job's metadata, by which a launch is found again"
            yield _unsupported(profile, declared, (), said, hint="launch it at another provider")


def unsupported_pause(config: Config, profile: Profile) -> Iterable[Diagnostic]:
    """`run: paused` where a job cannot be paused."""
    if not profile.can(Capability.PAUSE):
        for declared in _of_kind(config, "job"):
            if declared.spec.run is Run.PAUSED:
                hint = "write run: running, or run: cancelled to end it"
                yield _unsupported(profile, declared, ("run",), "cannot pause a job", hint=hint)


def unsupported_projects(config: Config, profile: Profile) -> Iterable[Diagnostic]:
    """`projects` of a deployment where a checkpoint cannot be shared."""
    if not profile.can(Capability.PERMISSIONS):
        for declared in _of_kind(config, "deployment"):
            if declared.spec.projects:
                said = "has no permissions for checkpoints"
                yield _unsupported(profile, declared, ("projects",), said, hint="remove projects")


def _graders(declared: Declared, spec: GraderSpec, path: tuple[str, ...], profile: Profile) -> Iterator[Diagnostic]:
    found = [(path, spec.root.type)]
    if isinstance(spec.root, Multi):
        found += [((*path, "graders", name), member.type) for name, member in spec.root.graders.items()]
    for where, type_name in found:
        if type_name not in profile.grader_types:
            hint = f"it runs {', '.join(sorted(profile.grader_types))}"
            yield _unsupported(profile, declared, (*where, "type"), f"does not run {type_name} graders", hint=hint)


def _of_kind(config: Config, kind: str) -> Iterator[Declared]:
    return (d for d in config.declared.values() if d.address.kind == kind)


def _unsupported(profile: Profile, declared: Declared, path: tuple[str, ...], said: str, *, hint: str) -> Diagnostic:
    """`said` goes on after the provider's name."""
    return finding(
        UNSUPPORTED,
        f"provider {profile.type} {said}",
        place=declared.where(path),
        address=str(declared.address),
        hint=hint,
    )
