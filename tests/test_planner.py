"""What holds for every plan, whatever it is computed from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from graphlib import TopologicalSorter
from typing import Any

from hypothesis import given, settings
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Action, Change, Hazard, Reason
from rftplan.kinds import KINDS
from rftplan.kinds.job.steps import LaunchStep
from rftplan.planner import PlanInputs, Selection, make_plan, standings
from rftplan.render.documents import dumped
from rftplan.render.plan_documents import plan_document
from rftplan.selecting import left_out
from tests.planning import NOTE, settled_inputs, specs, turned, worlds

Decided = Mapping[Address, Change]

STUCK = (Action.DEFER, Action.HOLD)


def decided_by(inputs: PlanInputs) -> Decided:
    return {change.address: change for change in make_plan(inputs).changes}


def what_is_held_is_left_alone(inputs: PlanInputs, decided: Decided) -> None:
    for address, change in decided.items():
        entry = inputs.entries.get(address)
        if entry is not None and entry.holds and change.reason is not Reason.LEFT_OUT:
            assert (change.action, change.reason, change.step) == (Action.HOLD, Reason.HELD, None)


def nothing_that_acts_needs_what_is_not_there_yet(inputs: PlanInputs, decided: Decided) -> None:
    for change in decided.values():
        if change.action.acts:
            assert [a for a in change.needs if decided[a].action in STUCK] == []


def what_waits_or_is_held_carries_no_step(inputs: PlanInputs, decided: Decided) -> None:
    for change in decided.values():
        assert change.step is None or change.action not in STUCK or change.then


def a_change_waits_for_what_it_needs_and_for_nothing_else(inputs: PlanInputs, decided: Decided) -> None:
    """So that no pause and no cancel hangs on a file or a grader that cannot be made."""
    for address, change in decided.items():
        freed = address.kind == "file" and change.action in (Action.DELETE, Action.FORGET)
        declared = address in inputs.graph.resources and not inputs.selection.destroy
        if change.action.acts and declared and not freed:
            assert set(change.needs) == set(change.after)


def a_file_goes_after_every_job_that_may_run_from_it(inputs: PlanInputs, decided: Decided) -> None:
    """Whether it left the specs or stays here from now on: what ran from it is ended first."""
    going = {a for a in inputs.snapshot if KINDS[a.kind].starts_from(inputs.snapshot[a]) or a in inputs.intents}
    jobs = {a for a in going if a.kind == "job" and decided[a].action.acts}
    for address, change in decided.items():
        if address.kind == "file" and change.action in (Action.DELETE, Action.FORGET):
            assert {a for a in jobs if address not in decided[a].needs} <= set(change.after)


def only_what_shall_run_is_launched_and_spend_is_said_where_it_is_paid(inputs: PlanInputs, decided: Decided) -> None:
    for change in decided.values():
        if isinstance(change.step, LaunchStep):
            assert inputs.graph.resources[change.address].spec.run == "running"
            assert (Hazard.SPEND in {h.hazard for h in change.hazards}) == inputs.scope.profile.paid


def an_upload_is_for_a_launch_that_starts(inputs: PlanInputs, decided: Decided) -> None:
    for address, change in decided.items():
        if change.verb == "upload":
            assert any(isinstance(c.step, LaunchStep) and address in c.needs for c in decided.values())


def every_hazard_belongs_to_what_acts_or_is_announced(inputs: PlanInputs, decided: Decided) -> None:
    for change in decided.values():
        assert not change.hazards or change.action.acts or change.then


def the_order_has_no_circle_and_stays_inside_the_plan(inputs: PlanInputs, decided: Decided) -> None:
    for change in decided.values():
        assert set(change.after) <= set(decided)
    TopologicalSorter({address: change.after for address, change in decided.items()}).prepare()


def what_is_left_out_stays_as_it_is(inputs: PlanInputs, decided: Decided) -> None:
    for address in left_out(inputs.selection, inputs.graph, sorted(decided)):
        change = decided[address]
        assert change.action in (Action.NOOP, Action.DEFER), change
        assert (change.step, change.hazards, change.then, change.closes, change.needs) == (None, (), (), None, ())
        assert (change.reason is Reason.LEFT_OUT) == (change.action is Action.DEFER)


RULES: tuple[Callable[[PlanInputs, Decided], None], ...] = (
    what_is_held_is_left_alone,
    nothing_that_acts_needs_what_is_not_there_yet,
    what_waits_or_is_held_carries_no_step,
    a_change_waits_for_what_it_needs_and_for_nothing_else,
    a_file_goes_after_every_job_that_may_run_from_it,
    only_what_shall_run_is_launched_and_spend_is_said_where_it_is_paid,
    an_upload_is_for_a_launch_that_starts,
    every_hazard_belongs_to_what_acts_or_is_announced,
    the_order_has_no_circle_and_stays_inside_the_plan,
    what_is_left_out_stays_as_it_is,
)


@settings(max_examples=250, deadline=None)
@given(worlds())
def test_every_plan_keeps_every_rule(inputs: PlanInputs) -> None:
    decided = decided_by(inputs)
    for rule in RULES:
        rule(inputs, decided)


@settings(max_examples=80, deadline=None)
@given(worlds())
def test_every_address_of_spec_lock_and_journal_is_decided_exactly_once(inputs: PlanInputs) -> None:
    addresses = [change.address for change in make_plan(inputs).changes]
    assert len(addresses) == len(set(addresses))
    assert set(addresses) == {*inputs.graph.resources, *inputs.entries, *inputs.intents}
    assert set(standings(inputs)) == set(addresses)


@settings(max_examples=80, deadline=None)
@given(worlds())
def test_the_same_inputs_give_the_same_bytes_in_any_order_and_stay_as_they_are(inputs: PlanInputs) -> None:
    before = deepcopy((inputs.entries, inputs.snapshot, inputs.intents, inputs.tombstones))
    first = make_plan(inputs)
    assert (inputs.entries, inputs.snapshot, inputs.intents, inputs.tombstones) == before
    second = make_plan(turned(inputs))
    assert second == first
    assert dumped(plan_document(second)) == dumped(plan_document(first))


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_a_part_is_decided_as_the_whole_plan_decides_it(inputs: PlanInputs) -> None:
    """But for files, which are made for launches and unmade after their users: fewer of either may act."""
    whole = decided_by(replace(inputs, selection=replace(inputs.selection, target=frozenset(), exclude=frozenset())))
    part = decided_by(inputs)
    without = left_out(inputs.selection, inputs.graph, sorted(part))
    for address in whole.keys() - without.keys():
        if not KINDS[address.kind].on_demand:
            assert replace(part[address], after=()) == replace(whole[address], after=())
        elif part[address].action in (Action.DELETE, Action.CREATE, Action.UPDATE):
            assert part[address].verb == whole[address].verb


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_findings_influence_no_change_and_no_digest(inputs: PlanInputs) -> None:
    silent, told = make_plan(inputs), make_plan(replace(inputs, diagnostics=(NOTE,)))
    assert told.changes == silent.changes
    assert plan_document(told)["digest"] == plan_document(silent)["digest"]


@settings(max_examples=80, deadline=None)
@given(specs())
def test_where_spec_lock_and_service_agree_there_is_nothing_to_do(declared: dict[Address, Any]) -> None:
    plan = make_plan(settled_inputs(declared))
    assert {change.action for change in plan.changes} <= {Action.NOOP}
    assert (plan.drift, plan.hazards(), plan.acts) == ((), (), False)


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_destroy_only_takes_away_and_users_go_before_what_they_use(inputs: PlanInputs) -> None:
    decided = decided_by(replace(inputs, selection=Selection(destroy=True)))
    for change in decided.values():
        assert change.action in (Action.NOOP, Action.DELETE, Action.FORGET, *STUCK)
        resource = inputs.graph.resources.get(change.address)
        if resource is None:
            continue
        if getattr(resource.spec, "lifecycle", None) and resource.spec.lifecycle.prevent_destroy:
            assert not change.action.acts
        for ref in resource.refs if change.action.acts else ():
            assert not decided[ref.address].action.acts or change.address in decided[ref.address].after


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_without_follow_ups_nothing_is_announced(inputs: PlanInputs) -> None:
    plan = make_plan(inputs).without_follow_ups()
    assert not any(change.then or change.hazards for change in plan.changes if change.action is Action.DEFER)
