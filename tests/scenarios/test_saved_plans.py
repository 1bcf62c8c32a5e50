"""A plan saved on a branch, reviewed, and applied later: exactly that is done, or nothing, and what moved is said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from rftplan import project
from rftplan.address import Address
from rftplan.applying import Applied
from rftplan.changes import Hazard, Plan
from rftplan.errors import RefusedPlanError
from rftplan.made_from import MadeFrom
from rftplan.planner import Selection
from rftplan.render.documents import dumped
from rftplan.render.moved import refuse_moved
from rftplan.render.plan_documents import plan_document
from rftplan.render.saved_documents import SavedPlan, made_from_document, read_saved_plan, saved_plan_document
from rftplan.safety import refuse_unallowed
from tests.world import Small

JOB = Address("job", "review")
SECOND = """\
  other:
    model: o4-mini-2025-04-16
    training_file: train
    validation_file: test
    seed: 5
    method: {type: reinforcement, reinforcement: {grader: match}}
deployments:
"""


@dataclass
class Branch:
    """What a pull request does to a project: a plan is saved in it, and applied when it was merged."""

    small: Small

    def save(self, *, allow: frozenset[Hazard] = frozenset(), **selection: Any) -> str:
        chosen = Selection(**selection)
        planned = asyncio.run(project.plan(self.small.options, selection=chosen, world=self.small.world))
        document = plan_document(planned.plan, allowed=allow)
        return dumped(saved_plan_document(document, selection=chosen, made_from=planned.made_from, version="1"))

    def apply(self, text: str, *, wait: bool = False) -> Applied | None:
        saved = read_saved_plan(text, name="p.json")
        return asyncio.run(
            project.apply(
                self.small.options,
                consent=lambda plan: _agrees(plan, saved),
                selection=saved.selection,
                wait=wait,
                world=self.small.world,
                review=lambda plan, made: _review(saved, plan, made),
            )
        )

    def refused(self, text: str) -> str:
        before = self.small.lock() if (self.small.root / "rftplan.lock").exists() else None
        jobs = len(self.small.jobs())
        with pytest.raises(RefusedPlanError) as caught:
            self.apply(text)
        after = self.small.lock() if (self.small.root / "rftplan.lock").exists() else None
        assert (after, len(self.small.jobs())) == (before, jobs), "a refused plan does nothing"
        return caught.value.message


def _agrees(plan: Plan, saved: SavedPlan) -> bool:
    refuse_unallowed(plan, saved.allowed)
    return True


def _review(saved: SavedPlan, plan: Plan, made: MadeFrom) -> None:
    now = plan_document(plan, allowed=saved.allowed)
    refuse_moved(saved.document, now, made_from_document(made), name="p.json", program="rftplan")


@pytest.fixture
def branch(small: Small) -> Branch:
    return Branch(small)


def test_what_was_saved_is_done_once_and_the_day_does_not_matter(branch: Branch) -> None:
    saved = branch.save()
    branch.small.clock.time += 30 * 86_400
    applied = branch.apply(saved)
    assert applied is not None and {r.verb for r in applied.results if r.outcome == "done"} == {
        "upload", "validate", "launch",
    }  # fmt: skip
    assert "was applied already" in branch.refused(saved)
    assert len(branch.small.jobs()) == 1


def test_the_same_inputs_give_the_same_bytes_on_any_day(branch: Branch) -> None:
    saved = branch.save()
    branch.small.clock.time += 86_400
    assert branch.save() == saved
    assert str(branch.small.root) not in saved


def edit_the_grader(small: Small) -> None:
    small.edit("specs/main.yaml", "operation: eq", "operation: ilike")


def edit_the_rows(small: Small) -> None:
    small.edit("specs/data/train.jsonl", "What is 3 + 4?", "What is 4 + 3?")


def edit_what_is_sent_and_no_identity(small: Small) -> None:
    small.edit("specs/main.yaml", "    training_file: train", "    training_file: train\n    metadata: {team: blue}")


def launch_by_hand(small: Small) -> None:
    small.apply()


def add_a_job(small: Small) -> None:
    small.edit("specs/main.yaml", "deployments:\n", SECOND)


@pytest.mark.parametrize(
    ("happens", "named"),
    [
        (edit_the_grader, "grader.match: was as its spec said then → is as it says now"),
        (edit_the_rows, "file.train: was as its spec said then → is as it says now"),
        (edit_what_is_sent_and_no_identity, "job.review: was what else its spec says v1:"),
        (launch_by_hand, "was applied already, or somebody did the same"),
        (add_a_job, "job.other: was nothing to do → is launch"),
    ],
)
def test_whatever_moves_before_it_is_applied_is_named(
    branch: Branch, happens: Callable[[Small], None], named: str
) -> None:
    saved = branch.save()
    happens(branch.small)
    message = branch.refused(saved)
    assert named in message


def test_a_lock_that_moved_without_moving_the_plan_does_not_matter(branch: Branch) -> None:
    branch.small.train()
    edit_the_grader(branch.small)
    saved = branch.save()
    was = branch.small.lock().serial
    branch.small.edit("rftplan.lock", f'"serial": {was}', f'"serial": {was + 7}')
    assert branch.small.lock().serial == was + 7
    applied = branch.apply(saved)
    assert applied is not None and [r.verb for r in applied.results if r.outcome == "done"] == ["validate", "relaunch"]


def test_a_job_that_ended_meanwhile_matters_only_where_something_follows(branch: Branch) -> None:
    branch.small.launch_until_step()
    add_a_job(branch.small)
    saved = branch.save()
    branch.small.clock.time += 3600
    message = branch.refused(saved)
    assert "deployment.reviewer: was promote later → is promote" in message
    assert "the service says something else now" in message
    spec = (branch.small.root / "specs/main.yaml").read_text()
    branch.small.write("specs/main.yaml", spec[: spec.index("deployments:")])
    applied = branch.apply(branch.save())
    assert applied is not None


def test_a_running_job_beside_it_may_end(branch: Branch) -> None:
    spec = (branch.small.root / "specs/main.yaml").read_text()
    branch.small.write("specs/main.yaml", spec[: spec.index("deployments:")])
    branch.small.launch_until_step()
    branch.small.write("specs/main.yaml", spec[: spec.index("deployments:")] + SECOND.removesuffix("deployments:\n"))
    saved = branch.save()
    branch.small.clock.time += 3600
    applied = branch.apply(saved)
    assert applied is not None and [str(r.address) for r in applied.results if r.outcome == "done"] == ["job.other"]


def test_one_saved_replacement_is_one_more_launch_however_often_it_is_applied(branch: Branch) -> None:
    branch.small.train()
    saved = branch.save(replace=frozenset({JOB}), allow=frozenset({Hazard.REPLACE_LIVE}))
    branch.apply(saved, wait=True)
    message = branch.refused(saved)
    assert "attempt 2" in message and "attempt 3" in message
    assert len(branch.small.jobs()) == 2


def test_what_was_destroyed_since_is_not_launched_again(branch: Branch) -> None:
    saved = branch.save()
    branch.apply(saved)
    branch.small.apply(destroy=True)
    assert "attempt 1" in branch.refused(saved)


def test_a_saved_part_is_applied_as_that_part_and_its_selection_binds(branch: Branch) -> None:
    branch.small.edit("specs/main.yaml", "deployments:\n", SECOND)
    saved = branch.save(target=frozenset({Address("job", "other")}))
    assert read_saved_plan(saved, name="p.json").selection == Selection(target=frozenset({Address("job", "other")}))
    widened = json.loads(saved)
    widened["selection"]["target"] = []
    assert "is a plan of part --target job.other, and this is everything" in branch.refused(json.dumps(widened))
    branch.apply(saved)
    assert {str(a) for a in branch.small.lock().resources if a.kind == "job"} == {"job.other"}
    assert "was applied already" in branch.refused(saved)


def test_a_plan_that_was_saved_before_there_were_parts_is_read(branch: Branch) -> None:
    saved = json.loads(branch.save())
    del saved["selection"]["target"], saved["selection"]["exclude"]
    assert branch.apply(json.dumps(saved)) is not None


def test_only_the_leave_that_was_saved_is_leave(branch: Branch) -> None:
    branch.small.train()
    edit_the_rows(branch.small)
    without, with_leave = branch.save(), branch.save(allow=frozenset({Hazard.REPLACE_LIVE}))
    assert json.loads(without)["plan"]["digest"] != json.loads(with_leave)["plan"]["digest"]
    with pytest.raises(RefusedPlanError, match="hazards that nobody allowed"):
        branch.apply(without, wait=True)
    assert len(branch.small.jobs()) == 1
    done = branch.apply(with_leave, wait=True)
    assert done is not None and {r.verb for r in done.results} >= {"relaunch", "promote"}


def test_leave_that_the_policy_took_back_is_none(branch: Branch) -> None:
    branch.small.train()
    edit_the_rows(branch.small)
    plain = (branch.small.root / "specs/main.yaml").read_text()
    branch.small.write("specs/main.yaml", plain + "policy: {allow: [replace-live]}\n")
    saved = branch.save()
    branch.small.write("specs/main.yaml", plain)
    assert "policy.allow: was replace-live → is nothing" in branch.refused(saved)


def test_a_saved_destroy_destroys_and_nothing_else(branch: Branch) -> None:
    branch.small.apply()
    saved = branch.save(destroy=True, allow=frozenset(Hazard))
    assert json.loads(saved)["plan"]["mode"] == "destroy"
    branch.apply(saved)
    assert branch.small.jobs()[0].status == "cancelled"
    assert "was applied already" in branch.refused(saved)


def test_a_plan_of_another_clone_of_the_lock_is_refused(branch: Branch) -> None:
    branch.small.train()
    edit_the_rows(branch.small)
    saved = branch.save()
    for path in ("rftplan.lock", ".rftplan/default/journal.jsonl"):
        (branch.small.root / path).unlink()
    assert "was made on the lock of lineage" in branch.refused(saved)
