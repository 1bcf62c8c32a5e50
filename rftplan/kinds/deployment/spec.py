"""What a deployment says, what is seen of it, and what its steps are. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from rftplan.api.port import Checkpoint, Permission, RemoteJob
from rftplan.changes import Evidence
from rftplan.kinds.gates import Gate, Pick, Selector
from rftplan.kinds.spec import Lifecycle, Name, SpecModel, Str
from rftplan.lockfile import Entry


class DeploymentSpec(SpecModel):
    """`deployments.NAME`: which checkpoint of which job, on which conditions, for which projects."""

    job: Name
    checkpoint: Selector = Pick.BEST
    gates: tuple[Gate, ...] = ()
    projects: Annotated[tuple[Str, ...], Field(max_length=100)] = ()
    lifecycle: Lifecycle = Lifecycle()


@dataclass(frozen=True, slots=True)
class SeenDeployment:
    """The job that counts, its checkpoints if it succeeded, and who may use the live model (None: unknown)."""

    job: RemoteJob | None
    checkpoints: tuple[Checkpoint, ...] = ()
    permissions: tuple[Permission, ...] | None = None


@dataclass(frozen=True, slots=True)
class PromoteStep:
    checkpoint: Checkpoint
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class AwaitStep:
    """What was live when the promotion was announced; if that changes, the announcement is void."""

    live: str | None


@dataclass(frozen=True, slots=True)
class PermitStep:
    """Bring the permissions of the live model to what the spec says."""

    model: str


@dataclass(frozen=True, slots=True)
class ForgetStep:
    """Revoke what this lock granted, then forget."""

    grants: Mapping[str, Mapping[str, str]]


def model_of(entry: Entry | None) -> str | None:
    """The live model id, None before the first promotion."""
    return entry.id if entry is not None else None


def grants_of(entry: Entry | None) -> dict[str, dict[str, str]]:
    """Model → project → permission id, as far as this lock granted them."""
    kept = entry.resolved.get("permissions") if entry else None
    if not isinstance(kept, dict):
        return {}
    return {m: {p: str(i) for p, i in projects.items()} for m, projects in kept.items() if isinstance(projects, dict)}
