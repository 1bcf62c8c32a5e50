"""Rules about what the provider can do. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rftplan.api.profiles import Capability, Profile
from rftplan.codes import UNSUPPORTED, finding
from rftplan.config import Config, Declared
from rftplan.errors import Diagnostic
from rftplan.kinds.deployment.spec import DeploymentSpec
from rftplan.kinds.grader import GraderSpec, Multi
from rftplan.kinds.job.spec import JobSpec, Run


def unsupported_method(config: Config, profile: Profile) -> Iterable[Diagnostic]:
    """A job's method that the provider does not train."""
    for declared in _of_kind(config, "job"):
        spec: JobSpec = declared.spec
        method = spec.method.type if spec.method is not None else "supervised"
        if method not in profile.methods:
            yield finding(
                UNSUPPORTED,
                f"provider {profile.type} does not train with method {method}",
                place=declared.where(("method", "type")),
                address=str(declared.address),
                hint=f"it trains with {', '.join(sorted(profile.methods))}",
            )


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
    if profile.can(Capability.METADATA):
        return
    for declared in _of_kind(config, "job"):
        yield finding(
            UNSUPPORTED,
            f"provider {profile.type} does not keep a job's metadata, by which a launch is found again",
            place=declared.where(()),
            address=str(declared.address),
            hint="launch it at another provider",
        )


def unsupported_pause(config: Config, profile: Profile) -> Iterable[Diagnostic]:
    """`run: paused` where a job cannot be paused."""
    if profile.can(Capability.PAUSE):
        return
    for declared in _of_kind(config, "job"):
        spec: JobSpec = declared.spec
        if spec.run is Run.PAUSED:
            yield finding(
                UNSUPPORTED,
                f"provider {profile.type} cannot pause a job",
                place=declared.where(("run",)),
                address=str(declared.address),
                hint="write run: running, or run: cancelled to end it",
            )


def unsupported_projects(config: Config, profile: Profile) -> Iterable[Diagnostic]:
    """`projects` of a deployment where a checkpoint cannot be shared."""
    if profile.can(Capability.PERMISSIONS):
        return
    for declared in _of_kind(config, "deployment"):
        spec: DeploymentSpec = declared.spec
        if spec.projects:
            yield finding(
                UNSUPPORTED,
                f"provider {profile.type} has no permissions for checkpoints",
                place=declared.where(("projects",)),
                address=str(declared.address),
                hint="remove projects",
            )


def _graders(declared: Declared, spec: GraderSpec, path: tuple[str, ...], profile: Profile) -> Iterator[Diagnostic]:
    found = [(path, spec.root.type)]
    if isinstance(spec.root, Multi):
        found += [((*path, "graders", name), member.type) for name, member in spec.root.graders.items()]
    for where, type_name in found:
        if type_name not in profile.grader_types:
            yield finding(
                UNSUPPORTED,
                f"provider {profile.type} does not run {type_name} graders",
                place=declared.where((*where, "type")),
                address=str(declared.address),
                hint=f"it runs {', '.join(sorted(profile.grader_types))}",
            )


def _of_kind(config: Config, kind: str) -> Iterator[Declared]:
    return (d for d in config.declared.values() if d.address.kind == kind)
