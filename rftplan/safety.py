"""What a plan may not do without leave. Pure."""

from __future__ import annotations

from rftplan.changes import Hazard, HazardOf, Leave, Plan
from rftplan.errors import RefusedPlanError


def refuse_unallowed(plan: Plan, allowed: frozenset[Hazard], *, saving: str | None = None) -> None:
    """RefusedPlanError naming every hazard that neither `allowed` nor, where it may, the policy allows, and the option
    to give: to `saving`, the command that saves a plan, where it is one that was saved."""
    missing = [(address, risk) for address, risk in plan.hazards() if risk.hazard not in _granted(plan, risk, allowed)]
    if not missing:
        return
    lines = [f"{address}: {risk.detail} ({risk.hazard})" for address, risk in missing]
    options = ",".join(sorted({risk.hazard.value for _, risk in missing}))
    hint = f"add --allow {options}, or apply at a terminal and answer yes"
    raise RefusedPlanError(
        "the plan has hazards that nobody allowed:\n  " + "\n  ".join(lines),
        hint=hint if saving is None else f"save it with that leave: {saving} --allow {options}",
    )


def _granted(plan: Plan, risk: HazardOf, allowed: frozenset[Hazard]) -> frozenset[Hazard]:
    """What is allowed for this one: of some the policy may not decide."""
    return allowed if risk.leave is Leave.PERSON else allowed | plan.allowed
