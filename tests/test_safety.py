"""What a plan may not do without leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Action, Change, Hazard, HazardOf, Leave, Plan, Reason
from rftplan.errors import RefusedPlanError
from rftplan.safety import refuse_unallowed

HAZARDS = st.frozensets(st.sampled_from(Hazard))


def plan_with(hazards: frozenset[Hazard], allowed: frozenset[Hazard] = frozenset()) -> Plan:
    risks = tuple(HazardOf(hazard, f"would {hazard}") for hazard in sorted(hazards))
    change = Change(Address("job", "review"), Action.UPDATE, "do", Reason.RUN_STATE_DIFFERS, hazards=risks)
    return Plan("demo", "default", {}, (change,), allowed=allowed)


@given(HAZARDS, HAZARDS, HAZARDS)
def test_a_plan_is_refused_exactly_if_a_hazard_has_leave_from_nobody(
    there: frozenset[Hazard], policy: frozenset[Hazard], given_: frozenset[Hazard]
) -> None:
    missing = there - policy - given_
    plan = plan_with(there, policy)
    if not missing:
        refuse_unallowed(plan, given_)
        return
    with pytest.raises(RefusedPlanError) as caught:
        refuse_unallowed(plan, given_)
    assert f"add --allow {','.join(sorted(missing))}, or" in str(caught.value.hint)
    for hazard in there:
        assert (f"job.review: would {hazard} ({hazard})" in caught.value.message) == (hazard in missing)


def test_leave_for_one_hazard_is_no_leave_for_a_like_one() -> None:
    """A resume is paid too, but who allows spending has not allowed to overrule the service's own pause."""
    plan = plan_with(frozenset({Hazard.RESUME_AFTER_SERVICE_PAUSE}))
    with pytest.raises(RefusedPlanError, match=r"resume-after-service-pause"):
        refuse_unallowed(plan, frozenset({Hazard.SPEND}))
    refuse_unallowed(plan, frozenset({Hazard.RESUME_AFTER_SERVICE_PAUSE}))


def test_every_hazard_without_leave_is_named_at_once() -> None:
    with pytest.raises(RefusedPlanError) as caught:
        refuse_unallowed(plan_with(frozenset(Hazard)), frozenset())
    assert caught.value.message.count("\n  job.review") == len(Hazard)


def test_what_only_a_person_may_allow_is_not_covered_by_the_policy() -> None:
    plan = plan_with(frozenset({Hazard.SPEND}), frozenset({Hazard.SPEND}))
    (change,) = plan.changes
    (risk,) = change.hazards
    asked = replace(plan, changes=(replace(change, hazards=(replace(risk, leave=Leave.PERSON),)),))
    refuse_unallowed(plan, frozenset())
    with pytest.raises(RefusedPlanError, match=r"job\.review: would spend \(spend\)"):
        refuse_unallowed(asked, frozenset())
    refuse_unallowed(asked, frozenset({Hazard.SPEND}))
