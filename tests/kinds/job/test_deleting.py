"""Models go only where `removed:` says so of a job that this lock launched, and where nothing points at them."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import JobStatus
from rftplan.changes import Action, Hazard, Leave, Reason
from rftplan.errors import NotFoundError, SpecError
from rftplan.kinds.checkpoints import Made
from rftplan.kinds.job.deleting import models_deleted
from rftplan.lockfile import Entry, Origin, write_lock
from rftplan.render.next_steps import next_step
from tests.faults import Fault, Faulty, once
from tests.planning import plan_inputs, scope
from tests.world import SPEC, Small

S = "specs/main.yaml"
JOB = Address("job", "review")
REMOVED = "removed: [{address: job.review, delete_model: true}]\n"
GOES_ON = """\
jobs:
  more:
    model: MODEL
    training_file: train
    validation_file: test
    run: cancelled
    method: {type: reinforcement, reinforcement: {grader: match}}
"""


@pytest.fixture
def trained(small: Small) -> Small:
    """A job that succeeded, and a deployment of its best checkpoint."""
    small.train()
    return small


def take_out(small: Small, *, models: bool = True, rest: str = "") -> None:
    """The job and its deployment leave the specs."""
    text = (small.root / S).read_text()
    kept = text[: text.index("jobs:")].replace(REMOVED, "")
    small.write(S, kept + (REMOVED if models else "") + rest)


def models(small: Small) -> list[str]:
    found = small.service(lambda port: port.list_models())
    return sorted(model.id for model in found if model.id.startswith("ft:"))


def edit_entry(small: Small, **changes: Any) -> None:
    lock = small.lock()
    entry = replace(lock.resources[JOB], **changes)
    write_lock(small.root / "rftplan.lock", replace(lock, resources={**lock.resources, JOB: entry}))


def test_one_plan_says_one_thing_of_a_model_that_goes_with_its_deployment(trained: Small) -> None:
    live = trained.lock().resources[Address("deployment", "reviewer")].id
    take_out(trained, models=False)
    assert f"{live} stays at the service" in trained.changes()["deployment.reviewer"].detail
    trained.edit(S, "files:", REMOVED + "files:")
    changes = trained.changes()
    assert f"what becomes of {live} is said of job.review" in changes["deployment.reviewer"].detail
    assert any(f"deletes {live} at the service" in hazard.detail for hazard in changes["job.review"].hazards)


def test_a_job_whose_models_were_deleted_and_that_comes_back_is_launched_again_by_hand(trained: Small) -> None:
    take_out(trained)
    trained.apply()
    trained.write(S, SPEC)
    trained.apply()
    held = trained.changes()["deployment.reviewer"]
    assert (held.reason, "it has none at all" in held.detail) == (Reason.NO_CHECKPOINT, True), held
    said = next_step(action="hold", reason="no-checkpoint", address="deployment.reviewer", program="rftplan")
    assert said is not None and "rftplan apply --replace" in said


def test_the_models_go_and_the_job_is_forgotten(trained: Small) -> None:
    there = models(trained)
    assert len(there) > 1, "the final model and checkpoints of their own"
    take_out(trained)
    change = trained.changes()["job.review"]
    assert (change.action, change.verb, change.reason) == (Action.DELETE, "delete-models", Reason.REMOVED_FROM_SPEC)
    assert [h.detail for h in change.hazards] == [f"deletes {model} at the service, for good" for model in there]
    assert {(h.hazard, h.leave) for h in change.hazards} == {(Hazard.DELETE, Leave.POLICY)}
    assert Address("deployment", "reviewer") in change.after
    results = trained.results()
    assert (results["job.review"].outcome, results["job.review"].detail) == ("done", ", ".join(there))
    assert models(trained) == []
    assert JOB not in trained.lock().resources
    assert trained.verbs() == {}, "the line may stay"


def test_without_the_word_every_model_stays(trained: Small) -> None:
    there = models(trained)
    take_out(trained, models=False)
    assert trained.verbs()["job.review"] == "forget forget"
    trained.apply()
    assert models(trained) == there


def test_models_that_are_gone_already_are_no_work(trained: Small) -> None:
    gone = models(trained)
    for model in gone:
        trained.service(lambda port, model=model: port.delete_model(model))
    with pytest.raises(NotFoundError):
        trained.service(lambda port: port.delete_model(gone[0]))
    take_out(trained)
    assert trained.verbs()["job.review"] == "forget forget"


def test_one_that_somebody_deletes_meanwhile_is_as_good_as_deleted(trained: Small) -> None:
    take_out(trained)
    path = f"/v1/models/{models(trained)[0]}"
    trained.wrap = lambda inner: Faulty(inner, once("DELETE", path, Fault.TWICE))
    assert trained.results()["job.review"].outcome == "done"
    assert models(trained) == []


def test_a_deployment_that_stays_keeps_the_models(trained: Small) -> None:
    live = trained.lock().resources[Address("deployment", "reviewer")].id
    there = models(trained)
    take_out(trained)
    without = frozenset({Address("deployment", "reviewer")})
    change = trained.changes(exclude=without)["job.review"]
    assert (change.action, change.reason) == (Action.HOLD, Reason.MODEL_IN_USE)
    assert change.detail == f"deployment.reviewer has {live} live"
    trained.apply(exclude=without)
    assert models(trained) == there


def test_a_deployment_whose_forgetting_fails_keeps_them_too(trained: Small) -> None:
    trained.edit(S, "    checkpoint: best", "    projects: [p1]\n    checkpoint: best")
    trained.apply()
    there = models(trained)
    take_out(trained)
    fails = lambda method, path, count: Fault.REFUSED if "/permissions/" in path else None  # noqa: E731
    trained.wrap = lambda inner: Faulty(inner, fails)
    results = trained.results()
    assert (results["deployment.reviewer"].outcome, results["job.review"].outcome) == ("failed", "skipped")
    assert models(trained) == there


@pytest.mark.parametrize("declared", [True, False])
def test_a_job_that_goes_on_from_one_keeps_them(trained: Small, declared: bool) -> None:
    base = models(trained)[0]
    take_out(trained, rest=GOES_ON.replace("MODEL", f'"{base}"'))
    if not declared:
        trained.edit(S, "run: cancelled", "run: running")
        trained.apply()
        take_out(trained)
    change = trained.changes(exclude=frozenset({Address("job", "more")}) if not declared else frozenset())["job.review"]
    assert (change.reason, change.detail) == (Reason.MODEL_IN_USE, f"job.more goes on from {base}")


JUDGED = """\
graders:
  judge:
    type: score_model
    model: "MODEL"
    input: [{role: user, content: "Is {{sample.output_text}} right?"}]
jobs:
  more:
    model: o4-mini-2025-04-16
    training_file: train
    validation_file: test
    method: {type: reinforcement, reinforcement: {grader: judge}}
"""


def test_what_asks_one_for_grades_keeps_them(trained: Small) -> None:
    judge, before = models(trained)[0], trained.jobs()
    text = (trained.root / S).read_text()
    judged = text[: text.index("graders:")] + REMOVED + JUDGED.replace("MODEL", judge)
    trained.write(S, judged)
    trained.apply()
    assert len(trained.jobs()) == len(before) + 1
    change = trained.changes()["job.review"]
    asked = f"grader.judge asks {judge} for grades; job.more asks {judge} for grades"
    assert (change.action, change.reason, change.detail) == (Action.HOLD, Reason.MODEL_IN_USE, asked)
    trained.write(S, judged.replace(judge, "gpt-4o-2024-08-06"))
    change = trained.changes(exclude=frozenset({Address("job", "more")}))["job.review"]
    assert change.detail == f"job.more asks {judge} for grades", "it trains on, whatever the specs say now"


def test_a_job_that_is_gone_at_the_service_is_forgotten(small: Small) -> None:
    small.launch_until_step()
    (job,) = small.jobs()
    shutil.rmtree(small.root / ".rftplan" / "local")
    take_out(small)
    change = small.changes()["job.review"]
    assert (change.verb, change.detail) == ("forget", f"{job.id} is not at the service any more")
    small.apply()
    assert (JOB in small.lock().resources, small.verbs()) == (False, {})


@pytest.mark.parametrize("origin", [Origin.ADOPTED, Origin.IMPORTED])
def test_only_what_this_lock_launched_is_unmade(trained: Small, origin: Origin) -> None:
    there = models(trained)
    edit_entry(trained, origin=origin)
    take_out(trained)
    change = trained.changes()["job.review"]
    assert (change.action, change.reason) == (Action.HOLD, Reason.NOT_OURS)
    assert change.detail.startswith(f"{trained.lock().resources[JOB].id} was {origin} and not launched by this lock")
    trained.apply()
    assert models(trained) == there


def test_a_job_that_still_runs_is_cancelled_first_and_its_models_go_with_the_next_apply(small: Small) -> None:
    small.launch_until_step()
    take_out(small)
    change = small.changes()["job.review"]
    assert change.detail == "still active; the apply after its end deletes its models"
    assert small.results()["job.review"].verb == "cancel"
    assert small.lock().resources[JOB].resolved["status"] == JobStatus.CANCELLED
    small.apply()
    assert (models(small), JOB in small.lock().resources) == ([], False)


def test_a_lost_reply_leaves_the_rest_for_the_next_apply(trained: Small) -> None:
    there = models(trained)
    take_out(trained)
    trained.wrap = lambda inner: Faulty(inner, once("DELETE", f"/v1/models/{there[1]}", Fault.LOST_AFTER))
    assert trained.results()["job.review"].outcome == "deferred"
    assert models(trained) == there[2:]
    trained.wrap = lambda inner: inner
    assert trained.results()["job.review"].outcome == "done"
    assert (models(trained), JOB in trained.lock().resources) == ([], False)


def test_a_lock_alone_does_not_know_which_models_there_are(trained: Small) -> None:
    from rftplan import project

    take_out(trained)
    planned = project.plan_offline(trained.options, world=trained.world)
    (change,) = (c for c in planned.plan.changes if c.address == JOB)
    assert (change.action, change.reason) == (Action.DEFER, Reason.NOT_ASKED)


def test_a_list_that_is_behind_is_waited_for() -> None:
    from rftplan.graph import Graph
    from rftplan.planner import alone

    where = replace(scope(), delete_models=frozenset({JOB}))
    inputs = plan_inputs(Graph({}, ()), {JOB: Entry("v1:x", {}, id="ftjob-1")}, {}, scope=where)
    change = models_deleted(alone(inputs, JOB), Made(("ft:a",), behind=True))
    assert change is not None
    assert (change.action, change.reason) == (Action.DEFER, Reason.CHANGING_STATE)
    other = plan_inputs(Graph({}, ()), {JOB: Entry("v1:x", {}, id="ftjob-1")}, {}, scope=scope())
    assert models_deleted(alone(other, JOB), Made(("ft:a",))) is None


def test_only_a_job_has_models(small: Small) -> None:
    small.edit(S, "jobs:\n", "removed: [{address: file.old, delete_model: true}]\njobs:\n")
    (found,) = (one for one in small.check() if one.severity == "error")
    assert found.detail == "delete_model is of a job, and file.old is none"
    assert (found.hint, str(found.place)) == ("name the job that it came from", "specs/main.yaml:11:11")
    with pytest.raises(SpecError):
        small.plan()
