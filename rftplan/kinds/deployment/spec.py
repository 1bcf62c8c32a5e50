"""What a deployment says, what is seen of it, and what its steps are. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field

from rftplan.address import Address
from rftplan.api.port import Checkpoint, Permission, RemoteJob
from rftplan.canonical import JsonObject, fingerprint
from rftplan.changes import Evidence
from rftplan.journal import Intent
from rftplan.kinds.gates import Gate
from rftplan.kinds.selectors import Pick, Selector
from rftplan.kinds.spec import Name, ReplacedLifecycle, SpecModel, Str
from rftplan.lockfile import Entry


class DeploymentSpec(SpecModel):
    """`deployments.NAME`: which checkpoint of which job, on which conditions, for which projects."""

    job: Name
    checkpoint: Selector = Pick.BEST
    gates: tuple[Gate, ...] = ()
    projects: Annotated[tuple[Str, ...], Field(max_length=100)] = ()
    lifecycle: ReplacedLifecycle = ReplacedLifecycle()


class SeenDeployment(Struct, frozen=True):
    """The job that counts, its checkpoints if it succeeded, and who may use the live model (None: unknown).

    `cut_off` are the permissions of the model that a grant of unknown fate was for (None: unknown). `behind`: the job
    may have more checkpoints than are listed yet. `failing` is the share of answers that graders failed on, by step;
    None where no gate asks for it.
    """

    job: RemoteJob | None
    checkpoints: tuple[Checkpoint, ...] = ()
    permissions: tuple[Permission, ...] | None = None
    cut_off: tuple[Permission, ...] | None = None
    behind: bool = False
    failing: Mapping[int, float] | None = None
    asked: bool = True
    """False where this is what the lock remembers: there may be other checkpoints."""


class PromoteStep(Struct, frozen=True):
    checkpoint: Checkpoint
    evidence: tuple[Evidence, ...]


class EvaluateStep(Struct, frozen=True):
    """Evaluate what gates on held-out rows still need, then promote if all pass. The rest is what else is known."""

    candidate: Checkpoint
    checkpoints: tuple[Checkpoint, ...]
    failing: Mapping[int, float] | None
    caveat: str


class AwaitStep(Struct, frozen=True):
    """What was live when the promotion was announced; if that changes, the announcement is void."""

    live: str | None


class PermitStep(Struct, frozen=True):
    """Bring the permissions of the live model to what the spec says; `kept` are projects that another deployment of
    the same model lets use it."""

    model: str
    kept: tuple[str, ...] = ()


class Handed(Struct, frozen=True):
    """A permission that another deployment of the same model wants, and has the care of from now on."""

    to: Address
    model: str
    project: str
    permission: str


class ForgetStep(Struct, frozen=True):
    """Revoke what this lock granted, but for what is `handed` on, then forget."""

    grants: Mapping[str, Mapping[str, str]]
    handed: tuple[Handed, ...] = ()


def grant_in(intent: Intent | None) -> tuple[str, str] | None:
    """Model and project of a grant; None for any other effect."""
    if intent is None or intent.verb != "grant" or len(intent.target) != 2:
        return None
    model, project = intent.target
    return model, project


def with_grant(entry: Entry | None, model: str, project: str, permission_id: str) -> Entry:
    """The entry that knows this permission as ours; where nothing was promoted yet, one that knows nothing else."""
    known = entry or Entry(fingerprint({}), {})
    grants = grants_of(known)
    grants.setdefault(model, {})[project] = permission_id
    return with_grants(known, grants)


def with_grants(entry: Entry, grants: Mapping[str, Mapping[str, str]]) -> Entry:
    """The entry with exactly these permissions as ours."""
    kept: JsonObject = {model: dict(projects) for model, projects in grants.items()}
    resolved = {key: value for key, value in entry.resolved.items() if key != "permissions"}
    if kept:
        resolved["permissions"] = kept
    return replace(entry, resolved=resolved)


def model_of(entry: Entry | None) -> str | None:
    """The live model id, None before the first promotion."""
    return entry.id if entry is not None else None


def grants_of(entry: Entry | None) -> dict[str, dict[str, str]]:
    """Model → project → permission id, as far as this lock granted them."""
    kept = entry.resolved.get("permissions") if entry else None
    if not isinstance(kept, dict):
        return {}
    return {m: {p: str(i) for p, i in projects.items()} for m, projects in kept.items() if isinstance(projects, dict)}
