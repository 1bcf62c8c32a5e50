"""A plan sums itself up: what acts, what waits, what is at risk."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rftplan.address import Address
from rftplan.changes import Action, Change, Hazard, HazardOf, Plan, Reason

CHANGES = st.builds(
    Change,
    st.sampled_from([Address("job", name) for name in "abc"]),
    st.sampled_from(Action),
    st.sampled_from(["launch", "wait", "keep"]),
    st.just(Reason.MATCHES),
    then=st.sampled_from([(), ("promote",)]),
    hazards=st.sampled_from([(), (HazardOf(Hazard.SPEND, "spends"),)]),
    awaits=st.sampled_from([(), (Address("job", "a"),)]),
    ahead=st.sampled_from([(), (HazardOf(Hazard.REPLACE_LIVE, "replaces"),)]),
    step=st.sampled_from([None, "a step"]),
)
PLANS = st.lists(CHANGES, max_size=5).map(lambda changes: Plan("demo", "default", {}, tuple(changes)))


@given(PLANS)
def test_a_plan_acts_if_a_change_does_and_only_waiting_holding_and_keeping_do_not(plan: Plan) -> None:
    still = {Action.NOOP, Action.DEFER, Action.HOLD}
    assert plan.acts == any(change.action not in still for change in plan.changes)
    assert plan.held == any(change.action is Action.HOLD for change in plan.changes)


@given(PLANS)
def test_verbs_are_counted_without_what_stays(plan: Plan) -> None:
    verbs = plan.verbs()
    assert list(verbs) == sorted(verbs)
    assert sum(verbs.values()) == sum(change.action is not Action.NOOP for change in plan.changes)


@given(PLANS)
def test_without_follow_ups_what_waits_announces_nothing_and_all_else_is_the_same(plan: Plan) -> None:
    alone = plan.without_follow_ups()
    for before, after in zip(plan.changes, alone.changes, strict=True):
        if before.action is Action.DEFER:
            assert (after.then, after.hazards, after.step) == ((), (), None)
            assert (after.action, after.verb, after.address) == (before.action, before.verb, before.address)
        else:
            assert (after.then, after.ahead, after.awaits) == ((), (), ())
            assert (after.hazards, after.step, after.action) == (before.hazards, before.step, before.action)
    assert not any(change.follows(Address("job", "a")) for change in alone.changes)
    assert alone.without_follow_ups() == alone


@given(PLANS)
def test_every_hazard_is_listed_with_the_address_that_it_is_about(plan: Plan) -> None:
    assert len(plan.hazards()) == sum(len(change.hazards) + len(change.ahead) for change in plan.changes)
    assert all(address in {change.address for change in plan.changes} for address, _ in plan.hazards())
