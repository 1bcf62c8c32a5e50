"""What moved between a saved plan and the one that would be made now: nothing that acts is missed, and nothing else."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import Checkpoint, RemoteJob
from rftplan.changes import Action, Change, Hazard, Mode, Plan, Reason
from rftplan.errors import MovedAddress, RefusedPlanError
from rftplan.kinds.steps import MoveStep
from rftplan.lockfile import Entry
from rftplan.made_from import KnownLock, MadeFrom
from rftplan.planner import PlanInputs, Selection, make_plan
from rftplan.render.documents import dumped
from rftplan.render.moved import Moved, refuse_moved, what_moved
from rftplan.render.plan_documents import acting_content, plan_document
from rftplan.render.saved_documents import made_from_document, read_saved_plan, saved_plan_document
from tests.planning import NOTE, entries_of, seen_of, worlds
from tests.render.plans import FIRST, JOB, RELAUNCH, plan_of

MADE = MadeFrom("v1:a", KnownLock("lineage-1", 3, "d"))


def essence(step: Any) -> Any:
    """What a step does to whom: ids in place of what was seen of them, and nothing that is only remembered."""
    match step:
        case RemoteJob(id=id):
            return id
        case Checkpoint(model=model):
            return model
        case Entry(id=id, fingerprint=fingerprint, attempt=attempt):
            return (id, fingerprint, attempt)
        case MoveStep(to=to):
            return to
        case tuple():
            return tuple(map(essence, step))
    if is_dataclass(step):
        return (type(step), *(essence(getattr(step, f.name)) for f in fields(step) if f.name != "history"))
    return step


def done_by(plan: Plan) -> dict[Address, Any]:
    """What apply would do, as the steps say it and not as a document does."""
    return {c.address: (c.action, c.verb, essence(c.step)) for c in plan.changes if c.action.acts}


@st.composite
def pairs(draw: st.DrawFn) -> tuple[PlanInputs, PlanInputs]:
    """A world, and the same one after something happened at one address, to its lock or to what was asked for."""
    before = draw(worlds())
    at = draw(st.sampled_from(sorted({*before.graph.resources, *before.entries})))
    want, entry = before.graph.resources.get(at), before.entries.get(at)
    entries, snapshot = dict(before.entries), dict(before.snapshot)
    if draw(st.booleans()):
        entries[at] = entry = draw(entries_of(at, want))
    if draw(st.booleans()):
        snapshot[at] = draw(seen_of(at, want, entry))
    tombstones = draw(st.sampled_from([before.tombstones, {}]))
    selection = draw(st.sampled_from([before.selection, before.selection, Selection(destroy=True)]))
    return before, replace(before, entries=entries, snapshot=snapshot, tombstones=tombstones, selection=selection)


@settings(max_examples=300, deadline=None)
@given(pairs())
def test_a_plan_that_nothing_moved_in_does_the_same_to_the_same(pair: tuple[PlanInputs, PlanInputs]) -> None:
    """Whatever a document leaves out, two plans that compare equal carry out equal steps."""
    before, after = (make_plan(inputs) for inputs in pair)
    saved, now = plan_document(before), plan_document(after)
    moved = what_moved(saved, now)
    same = (before.mode, before.target, before.exclude) == (after.mode, after.target, after.exclude)
    assert (not moved and same) == (saved["digest"] == now["digest"])
    assert {one.address for one in moved} >= {
        str(a) for a in {*done_by(before), *done_by(after)} if done_by(before).get(a) != done_by(after).get(a)
    }
    if not moved:
        assert done_by(before) == done_by(after)
        assert {str(a): h for a, h in before.hazards()} == {str(a): h for a, h in after.hazards()}


@settings(max_examples=100, deadline=None)
@given(worlds(), st.frozensets(st.sampled_from(Hazard)))
def test_a_plan_is_saved_and_read_without_loss(inputs: PlanInputs, allowed: frozenset[Hazard]) -> None:
    plan = make_plan(replace(inputs, diagnostics=(NOTE,)))
    document = plan_document(plan, allowed=allowed)
    saved = saved_plan_document(document, selection=inputs.selection, made_from=MADE, version="1")
    read = read_saved_plan(dumped(saved), name="p.json")
    assert read.document == saved
    assert read.selection == inputs.selection
    assert read.allowed == allowed & {risk.hazard for _, risk in plan.hazards()}
    assert what_moved(read.plan, document) == ()
    refuse_moved(read.document, document, made_from_document(MADE), name="p.json", program="rftplan")


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_the_day_the_prices_and_what_stands_are_no_part_of_it(inputs: PlanInputs) -> None:
    plan = make_plan(inputs)
    other = replace(
        plan,
        diagnostics=(NOTE,),
        drift=(),
        changes=tuple(c if c.action.acts or c.then else replace(c, detail="x") for c in plan.changes),
    )
    assert what_moved(plan_document(plan), plan_document(other)) == ()


def test_the_second_of_two_launches_of_one_slot_is_another_plan() -> None:
    """Else a saved --replace could be applied again and again, and pay for each."""
    first = Change(JOB, Action.REPLACE, "relaunch", Reason.ASKED_TO_REPLACE, id="ftjob-1", attempt=2)
    again = replace(first, id="ftjob-2", attempt=3)
    (moved,) = what_moved(plan_document(plan_of(first)), plan_document(plan_of(again)))
    assert moved == Moved(str(JOB), "the lock has ftjob-1; attempt 2", "the lock has ftjob-2; attempt 3")


UPLOADED = Change(Address("file", "train"), Action.CREATE, "upload", Reason.NOT_THERE)


def refused(before: Plan, after: Plan, *, made: MadeFrom = MADE, now: MadeFrom = MADE) -> RefusedPlanError:
    saved = saved_plan_document(plan_document(before), selection=Selection(), made_from=made, version="1")
    with pytest.raises(RefusedPlanError) as caught:
        refuse_moved(saved, plan_document(after), made_from_document(now), name="p.json", program="rftplan -C x")
    return caught.value


def test_what_was_applied_is_said_to_be() -> None:
    done = replace(FIRST, changes=tuple(Change(c.address, Action.NOOP, "keep", Reason.MATCHES) for c in FIRST.changes))
    error = refused(FIRST, done)
    assert error.message == "p.json was applied already, or somebody did the same: nothing of it is left to do"
    assert error.hint == "rftplan -C x plan says what there is to do now"


def test_what_only_waits_for_its_end_is_told_how_to_wait() -> None:
    changes = (*(Change(c.address, Action.NOOP, "keep", Reason.MATCHES) for c in FIRST.changes[:3]), FIRST.changes[3])
    error = refused(FIRST, replace(FIRST, changes=changes))
    assert error.message.endswith("nothing of it is left to do but what follows")
    assert error.hint == "rftplan -C x apply --wait"


def test_what_the_specs_do_not_want_any_more_was_not_applied() -> None:
    done = replace(FIRST, changes=tuple(Change(c.address, Action.NOOP, "keep", Reason.MATCHES) for c in FIRST.changes))
    assert "was launch → is nothing to do" in refused(FIRST, done, now=replace(MADE, specs="v1:b")).message
    assert "was launch → is not there any more" in refused(FIRST, plan_of()).message


def test_what_is_half_done_is_told_with_what_is_left() -> None:
    changes = (Change(FIRST.changes[0].address, Action.NOOP, "keep", Reason.MATCHES), *FIRST.changes[1:])
    error = refused(FIRST, replace(FIRST, changes=changes))
    assert "nothing was done; 1 of its changes is done already:" in error.message
    assert "file.train: was upload → is nothing to do, as the specs say" in error.message
    assert "the service says something else now" in error.message


def test_a_changed_spec_and_a_changed_lock_are_named_as_the_cause() -> None:
    now = MadeFrom("v1:b", KnownLock("lineage-1", 4, "e"))
    error = refused(FIRST, RELAUNCH, now=now)
    assert "the specs or their files are not those that it was made from" in error.message
    assert "the lock is not the one that it was made on (serial 3 → serial 4)" in error.message


def test_another_lock_project_account_or_environment_is_compared_with_nothing() -> None:
    assert "lineage lineage-1, and there is none" in refused(FIRST, FIRST, now=MadeFrom("v1:a", None)).message
    other = MadeFrom("v1:a", KnownLock("lineage-2", 3, "d"))
    assert "this one has lineage lineage-2" in refused(FIRST, FIRST, now=other).message
    assert "a plan of project security, and this is b" in refused(FIRST, replace(FIRST, project="b")).message
    assert "of environment default, and this is prod" in refused(FIRST, replace(FIRST, env="prod")).message
    elsewhere = refused(FIRST, replace(FIRST, provider={"type": "openai"}))
    assert "a plan for local, http://local/v1, and this is openai" in elsewhere.message


def test_a_first_lock_since_is_no_other_lock() -> None:
    saved = saved_plan_document(
        plan_document(FIRST), selection=Selection(), made_from=MadeFrom("v1:a", None), version="1"
    )
    refuse_moved(saved, plan_document(FIRST), made_from_document(MADE), name="p.json", program="rftplan")


def test_a_policy_that_allows_less_or_more_is_named() -> None:
    less, more = RELAUNCH, replace(RELAUNCH, allowed=frozenset(Hazard))
    *_, moved = what_moved(plan_document(more), plan_document(less))
    assert (moved.address, moved.now) == ("policy.allow", "nothing")


def test_a_destroy_is_never_taken_for_an_apply() -> None:
    destroy = replace(FIRST, mode=Mode.DESTROY)
    assert "a plan of mode whole, and this is destroy" in refused(FIRST, destroy).message


def test_thousands_that_moved_are_not_all_listed() -> None:
    many = plan_of(*(Change(Address("file", f"f{n}"), Action.CREATE, "upload", Reason.NOT_THERE) for n in range(50)))
    lines = refused(many, plan_of()).message.splitlines()
    assert lines[21] == "  and 30 more"
    assert len(refused(many, plan_of()).moved) == 50, "for programs there are all of them"


def test_what_moved_is_told_to_programs_as_it_is_told_to_people() -> None:
    before, after = plan_of(UPLOADED), plan_of(replace(UPLOADED, action=Action.NOOP, verb="keep", detail="it is there"))
    error = refused(before, after, now=replace(MADE, specs="v1:other"))
    (moved,) = error.moved
    assert moved == MovedAddress("file.train", "upload", moved.now)
    assert f"file.train: was upload → is {moved.now}" in error.message
    assert refused(FIRST, replace(FIRST, env="prod")).moved == ()


def test_texts_of_others_are_escaped() -> None:
    evil = replace(RELAUNCH.changes[0], detail="\x1b[31m\nspend nothing")
    error = refused(RELAUNCH, plan_of(evil, *RELAUNCH.changes[1:]))
    assert "\x1b" not in error.message
    assert [line for line in error.message.splitlines() if line.startswith("spend")] == []
    assert json.dumps(acting_content(plan_document(plan_of(evil))))


@pytest.mark.parametrize(
    "evil", [{"project": "a\x1b\nhint: b"}, {"env": "a\x1b\nhint: b"}, {"provider": {"type": "a\x1b\nhint: b"}}]
)
def test_a_plan_of_somebody_else_adds_no_line_to_the_refusal(evil: dict[str, Any]) -> None:
    """An error has several lines where its message has them, and a line of a stranger could look like our hint."""
    assert r"a\x1b\nhint: b" in refused(replace(FIRST, **evil), FIRST).message
    other = MadeFrom("v1:a", KnownLock("a\x1b\nhint: b", 3, "d"))
    assert r"a\x1b\nhint: b" in refused(FIRST, FIRST, made=other).message
