"""What the lock remembers and what it would have to say, whatever the world is like."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Action
from rftplan.kinds.steps import RecordStep
from rftplan.planner import PlanInputs, make_plan
from rftplan.refresh import refreshed, remembered
from tests.planning import settled_inputs, specs, worlds


@settings(max_examples=80, deadline=None)
@given(specs())
def test_what_the_lock_remembers_of_a_settled_world_is_that_there_is_nothing_to_do(
    declared: dict[Address, Any],
) -> None:
    inputs = settled_inputs(declared)
    plan = make_plan(replace(inputs, snapshot=remembered(inputs)))
    assert {change.action for change in plan.changes} <= {Action.NOOP}
    assert plan.drift == ()


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_what_is_planned_from_memory_finds_nothing_at_the_service(inputs: PlanInputs) -> None:
    plan = make_plan(replace(inputs, snapshot=remembered(inputs)))
    assert Action.ADOPT not in {change.action for change in plan.changes}
    assert [d for d in plan.drift if d.address.kind != "job"] == []


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_a_refresh_records_and_does_nothing_else_and_then_has_nothing_to_record(inputs: PlanInputs) -> None:
    plan = refreshed(inputs)
    assert {(c.action, c.verb) for c in plan.changes} <= {(Action.UPDATE, "record")}
    assert plan.hazards() == ()
    entries = {c.address: c.step.entry for c in plan.changes if isinstance(c.step, RecordStep)}
    again = replace(inputs, entries={**inputs.entries, **entries})
    assert refreshed(again).changes == ()
