"""Who takes a place and who waits, over random worlds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Action, Plan, Reason
from rftplan.kinds import KINDS
from rftplan.kinds.steps import PlaceStep
from rftplan.places import ordinal
from rftplan.planner import PlanInputs, make_plan
from tests.planning import JOBS, worlds

NAMES = [Address("job", name) for name in (*JOBS, "gone")]


def takes(plan: Plan) -> list[Address]:
    """Whose change takes a place now."""
    return [c.address for c in plan.changes if c.action.acts and KINDS[c.address.kind].wants_place(c)]


@given(worlds(), st.integers(1, 3), st.permutations(NAMES).flatmap(lambda p: st.integers(0, 3).map(lambda n: p[:n])))
def test_no_more_start_than_there_are_places_and_nobody_overtakes(
    inputs: PlanInputs, most: int, before: list[Address]
) -> None:
    free_for_all = make_plan(inputs)
    limited = replace(inputs, scope=replace(inputs.scope, most_running=most), waiting=tuple(before))
    plan = make_plan(limited)
    taken = {id for a, seen in inputs.snapshot.items() for id in KINDS[a.kind].holding_places(seen)}
    assert len(takes(plan)) <= max(0, most - len(taken))
    late = {c.address: c for c in plan.changes if c.reason is Reason.WAITS_FOR_PLACE}
    turns = {address: turn for turn, address in enumerate(plan.line)}
    assert all(turns[one] < turns[other] for one in takes(plan) for other in late)
    assert sorted([*takes(plan), *late]) == sorted(takes(free_for_all))
    unlimited = {c.address: c for c in free_for_all.changes}
    for address, change in late.items():
        alone = unlimited[address]
        assert isinstance(change.step, PlaceStep)
        assert (change.action, change.then) == (Action.DEFER, (alone.verb,))
        # What follows under --wait is agreed to with what is done now.
        assert (change.hazards, change.estimate, change.needs) == (alone.hazards, alone.estimate, alone.needs)
    assert not [c for c in plan.without_follow_ups().changes if c.address in late and (c.hazards or c.then or c.step)]


@given(worlds(), st.integers(1, 3), st.permutations(NAMES))
def test_the_order_that_the_lock_has_comes_first_and_is_kept(
    inputs: PlanInputs, most: int, before: list[Address]
) -> None:
    limited = replace(inputs, scope=replace(inputs.scope, most_running=most), waiting=tuple(before))
    plan = make_plan(limited)
    assert set(plan.waiting) <= set(plan.line)
    known = [address for address in plan.line if address in before]
    assert known == [address for address in before if address in known]
    again = make_plan(replace(limited, waiting=plan.waiting))
    assert (again.line, again.waiting) == (plan.line, plan.waiting)


@given(worlds())
def test_without_a_limit_nobody_waits(inputs: PlanInputs) -> None:
    plan = make_plan(inputs)
    assert plan.waiting == ()
    assert not any(change.reason is Reason.WAITS_FOR_PLACE for change in plan.changes)


def test_turns_are_counted_as_people_count() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th",
    ]  # fmt: skip
