"""Which evaluations are needed, and which model a look is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.canonical import fingerprint
from rftplan.evaluating.task import Task
from rftplan.judging import Figure, Range, Way
from rftplan.kinds.deployment.held_out import KEPT, Needed, known_figures, look_of, seen_in, with_figure
from rftplan.kinds.gates import Gate
from rftplan.lockfile import Entry

AT = Address("deployment", "reviewer")
GATE = Gate.model_validate({"held_out": {"file": "final", "grader": "strict"}, "at_least": 0.5})
FIGURE = Figure(0.8, 0.7, 0.9, 40, 0.025, Way.BCA)


def need(model: str = "ft:1", gate: Gate = GATE, **task: Any) -> Needed:
    mine = Task(model, Path("final.jsonl"), "rows", {"type": "string_check"}, "", **task)
    return Needed(0, gate, mine, None, 40)


def test_a_figure_is_found_again_for_the_same_thing_alone() -> None:
    entry = with_figure(None, need(), FIGURE, look=1)
    assert entry.id is None and entry.fingerprint == fingerprint({})
    (seen,) = seen_in(entry, [need()]).values()
    assert (seen.value, seen.low, seen.high, seen.rows, seen.look, seen.way) == (0.8, 0.7, 0.9, 40, 1, "bca bootstrap")
    stricter = Gate.model_validate({**GATE.model_dump(exclude_none=True), "at_least": 0.9})
    assert seen_in(entry, [need(gate=stricter)])
    surer = Gate.model_validate({**GATE.model_dump(exclude_none=True), "confidence": 0.99})
    for other in (need("ft:2"), need(samples=2), need(gate=surer), replace(need(), theirs=need("ft:0").mine)):
        assert seen_in(entry, [other]) == {}


def test_what_the_lock_knows_besides_stays() -> None:
    before = Entry("v1:a", {"x": 1}, id="ft:0", resolved={"permissions": {}})
    after = with_figure(with_figure(before, need(), FIGURE, look=1), need("ft:2"), FIGURE, look=2)
    assert (after.id, after.inputs, after.resolved["permissions"]) == ("ft:0", {"x": 1}, {})
    assert len(known_figures(after)) == 2


def test_a_look_is_a_model_that_any_deployment_judged_on_the_same_rows() -> None:
    first = with_figure(None, need(), FIGURE, look=1)
    entries = {AT: first, Address("deployment", "other"): with_figure(None, need("ft:2"), FIGURE, look=2)}
    assert look_of({}, need()) == 1
    assert look_of(entries, need("ft:3")) == 3
    assert look_of(entries, need("ft:2", samples=4)) == 2  # seen before: the same look again
    elsewhere = replace(need("ft:3"), mine=replace(need("ft:3").mine, rows_digest="others"))
    assert look_of(entries, elsewhere) == 1


def test_a_lock_that_was_edited_by_hand_is_evaluated_again() -> None:
    entry = with_figure(None, need(), FIGURE, look=1)
    broken = replace(entry, resolved={KEPT: {need().key: {"value": "high"}}})
    assert seen_in(broken, [need()]) == seen_in(replace(entry, resolved={KEPT: []}), [need()]) == {}


def test_what_a_judge_was_told_is_the_range() -> None:
    judge = {"type": "score_model", "range": [1, 5]}
    assert replace(need(), mine=replace(need().mine, grader=judge)).within == Range(0.0, 5.0)
    assert need().within == Range(0.0, 1.0)
