"""What is known of a candidate and what its gates see of it: the same for a plan, after a job ended, and for an import.
Pure; promotes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import Checkpoint
from rftplan.changes import Basis, Evidence
from rftplan.kinds.base import Resource
from rftplan.kinds.deployment.held_out import rival_of, rows_of
from rftplan.kinds.deployment.spec import DeploymentSpec
from rftplan.kinds.evidence import Known, OnRows, Seen, chosen_by_validation, judge
from rftplan.kinds.gates import Gate
from rftplan.kinds.scope import Scope

NOT_INDEPENDENT: Final = "no gate that it passed looks at rows which were used neither to train nor to choose it"


def weighed(
    spec: DeploymentSpec,
    candidate: Checkpoint,
    checkpoints: Sequence[Checkpoint],
    resources: Mapping[Address, Resource],
    *,
    live: str | None,
    failing: Mapping[int, float] | None = None,
    caveat: str = "",
    seen: Mapping[int, Seen] | None = None,
) -> tuple[Evidence, ...]:
    """What every gate saw of the candidate, which was chosen among these checkpoints; `seen` on held-out rows."""
    rows = _rows_of_validation(spec, resources)
    known = Known(candidate, spec.checkpoint, checkpoints, rows, failing, caveat)
    on = {number: _on_rows(number, gate, spec, known, resources, live, seen or {}) for number, gate in _gated(spec)}
    return judge(spec.gates, replace(known, held_out=on))


def _gated(spec: DeploymentSpec) -> list[tuple[int, Gate]]:
    return [(number, gate) for number, gate in enumerate(spec.gates) if gate.held_out is not None]


def _on_rows(
    number: int,
    gate: Gate,
    spec: DeploymentSpec,
    known: Known,
    resources: Mapping[Address, Resource],
    live: str | None,
    seen: Mapping[int, Seen],
) -> OnRows:
    rival = rival_of(gate, spec, live, resources)
    return OnRows(rows_of(gate, resources), _basis(gate, spec, known, resources), rival, seen.get(number))


def _basis(gate: Gate, spec: DeploymentSpec, known: Known, resources: Mapping[Address, Resource]) -> Basis:
    """By the rows, whatever their file is called."""
    job = resources.get(Address("job", spec.job))
    assert gate.held_out is not None
    digest = _digest(resources, Address("file", gate.held_out.file))
    used = {ref.path: _digest(resources, ref.address) for ref in (job.refs if job is not None else ())}
    if digest is not None and used.get(("training_file",)) == digest:
        return Basis.TRAINING
    if digest is not None and used.get(("validation_file",)) == digest and chosen_by_validation(known):
        return Basis.SELECTION
    return Basis.INDEPENDENT


def _digest(resources: Mapping[Address, Resource], address: Address) -> str | None:
    file = resources.get(address)
    return file.data.rows_digest if file is not None and file.data is not None else None


def failed_already(spec: DeploymentSpec, evidence: Sequence[Evidence], wanted: Collection[int]) -> bool:
    """Whether a gate failed that no evaluation can help: `wanted` are the numbers of those that wait for one."""
    return any(not seen.passed for number, seen in enumerate(evidence) if number not in wanted)


def asks_for_events(spec: DeploymentSpec) -> bool:
    """Whether a gate sees what only the job's events tell."""
    return any(gate.grader_errors is not None for gate in spec.gates)


def may_replace(evidence: Sequence[Evidence], live: str | None, candidate: Checkpoint, scope: Scope) -> bool:
    """Whether it may take the place of what is live: chosen as the best of several, the next one looks better than it
    is, and each that follows better still. The first promotion replaces nothing."""
    if live is None or live == candidate.model or scope.allow_selection_only:
        return True
    return any(seen.passed and seen.basis is Basis.INDEPENDENT for seen in evidence)


def _rows_of_validation(spec: DeploymentSpec, resources: Mapping[Address, Resource]) -> int | None:
    job = resources.get(Address("job", spec.job))
    refs = job.refs if job is not None else ()
    file = next((resources.get(ref.address) for ref in refs if ref.path == ("validation_file",)), None)
    return file.data.rows if file is not None and file.data is not None else None
