"""From specs to a promoted checkpoint, and everything that must not launch again."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Action, Hazard, Plan, Reason
from rftplan.errors import RefusedPlanError, SpecError, UserError
from rftplan.events import Event, LookFailed, Outcome, StepEnded, Trained
from rftplan.file_lock import acting_alone
from rftplan.loading import load
from rftplan.safety import refuse_unallowed
from tests.faults import Fault, Faulty
from tests.world import SPEC, Small, rows

LAUNCH = {
    "file.train": "create upload",
    "file.test": "create upload",
    "grader.match": "create validate",
    "job.review": "create launch",
    "deployment.reviewer": "defer wait",
}
RELAUNCH = {"job.review": "replace relaunch", "deployment.reviewer": "defer wait"}


def test_from_specs_to_a_promoted_checkpoint(small: Small) -> None:
    assert small.verbs() == LAUNCH
    small.train()
    assert small.verbs() == {}
    assert len(small.jobs()) == 1
    assert len(small.files()) == 2
    live = small.lock().resources[next(a for a in small.lock().resources if a.kind == "deployment")]
    assert str(live.id).startswith("ft:")
    assert live.history[0]["revision"] == 1


def test_without_waiting_the_deployment_follows_in_a_later_apply(small: Small) -> None:
    results = small.results()
    assert results["job.review"].outcome is Outcome.DONE
    assert results["deployment.reviewer"].outcome is Outcome.DEFERRED
    assert small.verbs() == {"deployment.reviewer": "defer wait"}
    small.clock.time += 600
    assert small.verbs() == {"deployment.reviewer": "create promote"}
    assert small.results()["deployment.reviewer"].outcome is Outcome.DONE
    assert small.verbs() == {}


def test_waiting_for_a_job_that_runs_already_promotes_too(small: Small) -> None:
    small.launch_until_step()
    small.train()
    assert small.verbs() == {}


def test_applying_twice_writes_the_same_lock(small: Small) -> None:
    small.train()
    before = (small.root / "rftplan.lock").read_bytes()
    small.apply(wait=True)
    assert (small.root / "rftplan.lock").read_bytes() == before


def test_a_changed_row_is_one_upload_and_one_relaunch_and_says_why(small: Small) -> None:
    small.train()
    small.edit("specs/data/train.jsonl", "What is 3 + 4?", "What is 4 + 3?")
    changes = small.changes()
    assert small.verbs() == {**RELAUNCH, "file.train": "update upload"}
    assert changes["file.train"].reason is Reason.CONTENT_CHANGED
    assert [f.path for f in changes["job.review"].fields] == ["training.rows"]
    small.apply()
    assert len(small.jobs()) == 2
    assert len(small.files()) == 3


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("specs/main.yaml", "graders:", "# a comment\ngraders:"),
        ("specs/main.yaml", "{n_epochs: 2}", "\n          n_epochs: 2"),
        ("specs/main.yaml", "{n_epochs: 2}", "{n_epochs: 2, batch_size: auto}"),
        ("specs/main.yaml", "    operation: eq", "    operation: eq\n    name: exact match"),
        ("specs/main.yaml", "    validation_file: test", "    validation_file: test\n    metadata: {owner: ana}"),
        ("specs/data/train.jsonl", "\n", "\r\n"),
        ("specs/data/train.jsonl", '"answer": ', '"answer":    '),
        ("specs/data/train.jsonl", '{"messages"', '\n{"messages"'),
    ],
    ids=["comment", "layout", "default", "grader name", "metadata", "line endings", "spaces", "blank lines"],
)
def test_what_does_not_change_the_model_relaunches_nothing(small: Small, path: str, old: str, new: str) -> None:
    small.train()
    small.edit(path, old, new)
    assert small.verbs() == {}


def test_another_name_for_a_file_relaunches_nothing(small: Small) -> None:
    small.train()
    (small.root / "specs/data/train.jsonl").rename(small.root / "specs/data/renamed.jsonl")
    small.edit("specs/main.yaml", "data/train.jsonl", "data/renamed.jsonl")
    assert small.verbs() == {}
    small.edit("specs/main.yaml", "  train: {", "  training: {")
    small.edit("specs/main.yaml", "training_file: train", "training_file: training")
    verbs = small.verbs()
    assert "job.review" not in verbs
    assert verbs["file.train"] == "forget forget"


def test_reverting_an_edit_adopts_the_job_that_is_there(small: Small) -> None:
    small.train()
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    small.train()
    assert len(small.jobs()) == 2
    small.edit("specs/main.yaml", "n_epochs: 3", "n_epochs: 2")
    assert small.changes()["job.review"].action is Action.ADOPT
    small.train()
    assert len(small.jobs()) == 2


def test_a_relaunch_of_a_live_deployment_announces_that_it_will_be_replaced(small: Small) -> None:
    small.train()
    first = small.lock()
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    plan = small.plan()
    assert [risk.hazard for _, risk in plan.hazards()] == [Hazard.REPLACE_LIVE]
    with pytest.raises(RefusedPlanError, match="replaces ft:"):
        small.apply(wait=True, consent=lambda p: refuse_unallowed(p, frozenset()) is None)
    assert small.lock() == first
    small.apply(consent=lambda p: refuse_unallowed(p, frozenset()) is None)
    assert len(small.jobs()) == 2


def test_a_remote_file_deleted_by_hand_is_drift_and_relaunches_nothing(small: Small) -> None:
    small.train()
    gone = small.files()[0].id
    small.service(lambda port: port.delete_file(gone))
    plan = small.plan()
    assert [d.detail for d in plan.drift] == [f"{gone} is no longer at the service: somebody deleted it, or it expired"]
    assert not plan.acts


def test_pause_and_resume_follow_the_spec(small: Small) -> None:
    small.launch_until_step()
    small.edit("specs/main.yaml", "    model: o4-mini", "    run: paused\n    model: o4-mini")
    assert small.verbs()["job.review"] == "update pause"
    small.apply()
    assert small.verbs()["job.review"] == "defer wait"
    small.clock.time += 5
    assert "job.review" not in small.verbs()
    small.edit("specs/main.yaml", "run: paused", "run: running")
    assert small.verbs()["job.review"] == "update resume"
    small.train()
    assert len(small.jobs()) == 1


def test_cancel_and_run_again_is_a_new_attempt(small: Small) -> None:
    small.launch_until_step()
    small.edit("specs/main.yaml", "    model: o4-mini", "    run: cancelled\n    model: o4-mini")
    assert small.verbs()["job.review"] == "update cancel"
    small.apply()
    assert "job.review" not in small.verbs()
    small.edit("specs/main.yaml", "run: cancelled", "run: running")
    assert small.changes()["job.review"].reason is Reason.AFTER_OUR_CANCEL
    small.train()
    assert sorted(job.status for job in small.jobs()) == ["cancelled", "succeeded"]


def test_cancelled_by_hand_is_held_and_said_to_be_drift(small: Small) -> None:
    small.launch_until_step()
    small.service(lambda port: port.cancel_job(small.lock().resources[_job(small)].id))
    plan = small.plan()
    assert {str(c.address): c.reason for c in plan.changes}["job.review"] is Reason.CANCELLED_ELSEWHERE
    assert [d.fields[0].after for d in plan.drift] == ["cancelled"]
    assert small.changes(replace=frozenset({_job(small)}))["job.review"].verb == "relaunch"


def _job(small: Small) -> Address:
    return next(a for a in small.lock().resources if a.kind == "job")


def test_a_failed_gate_is_held_with_its_figures_and_promotes_nothing(small: Small) -> None:
    small.edit("specs/main.yaml", "at_least: 0.1", "at_least: 1.5")
    results = small.results(wait=True)
    held = results["deployment.reviewer"]
    assert held.outcome is Outcome.HELD
    assert held.evidence[0].value is not None
    assert not held.evidence[0].passed
    change = small.changes()["deployment.reviewer"]
    assert (change.action, change.reason) == (Action.HOLD, Reason.GATE_FAILED)
    assert all(a.kind != "deployment" for a in small.lock().resources)


def test_a_metric_that_no_checkpoint_has_fails_its_gate(small: Small) -> None:
    small.edit("specs/main.yaml", "metric: valid_reward_mean", "metric: no_such_metric")
    assert small.results(wait=True)["deployment.reviewer"].outcome is Outcome.HELD


def test_evidence_from_the_simulation_says_so(small: Small) -> None:
    evidence = small.results(wait=True)["deployment.reviewer"].evidence[0]
    assert "SIMULATED" in evidence.caveats


def test_a_grader_that_the_service_refuses_stops_the_launch(small: Small) -> None:
    prompt = '[{role: user, content: "{{sample.output_text}}"}]'
    grader = f"  match: {{type: score_model, model: ' ', input: {prompt}}}\n"
    small.write("specs/main.yaml", SPEC[: SPEC.index("  match:")] + grader + SPEC[SPEC.index("jobs:") :])
    results = small.results()
    assert results["grader.match"].outcome is Outcome.FAILED
    assert results["job.review"].outcome is Outcome.SKIPPED
    assert small.jobs() == []


def test_a_job_that_fails_is_reported_with_the_words_of_the_service(small: Small) -> None:
    """Here a byte order mark, of which only a warning was given beforehand."""
    small.write("specs/data/test.jsonl", "\ufeff" + rows(50, start=100))
    results = small.results(wait=True)
    assert results["job.review"].outcome is Outcome.FAILED
    assert "not valid JSON" in str(results["job.review"].error)
    assert results["deployment.reviewer"].outcome is Outcome.SKIPPED
    assert small.changes()["job.review"].reason is Reason.JOB_FAILED


def test_destroy_takes_everything_away_and_can_be_undone(small: Small) -> None:
    small.launch_until_step()
    going = {address: c.reason for address, c in small.changes(destroy=True).items() if c.action.acts}
    assert going.keys() == {"file.test", "file.train", "grader.match", "job.review"}
    assert set(going.values()) == {Reason.DESTROYED}
    small.apply(destroy=True)
    assert small.lock().resources == {}
    assert [job.status for job in small.jobs()] == ["cancelled"]
    assert small.changes()["job.review"].reason is Reason.AFTER_OUR_CANCEL
    small.train()
    assert len(small.jobs()) == 2


def test_destroy_keeps_what_a_job_was_trained_from(small: Small) -> None:
    small.train()
    small.apply(destroy=True)
    assert len(small.files()) == 2
    assert small.lock().resources == {}


def test_what_a_model_was_trained_from_is_kept_even_after_its_job_is_forgotten(small: Small) -> None:
    small.train()
    spec = (small.root / "specs/main.yaml").read_text()
    small.write("specs/main.yaml", spec[: spec.index("graders:")])
    small.apply()
    small.write("specs/main.yaml", "project: {name: demo, provider: local}\n")
    assert small.verbs() == {"file.test": "forget forget", "file.train": "forget forget"}
    small.apply()
    assert len(small.files()) == 2


def test_without_retain_a_file_is_deleted_when_no_live_job_uses_it(small: Small) -> None:
    small.launch_until_step()
    small.edit("specs/main.yaml", "{path: data/train.jsonl}", "{path: data/train.jsonl, lifecycle: {retain: false}}")
    assert small.verbs(destroy=True)["file.train"] == "forget forget"
    small.train()
    assert small.verbs() == {}
    assert small.verbs(destroy=True)["file.train"] == "delete delete"
    small.apply(destroy=True)
    assert len(small.files()) == 1


def test_nothing_happens_without_consent(small: Small) -> None:
    seen: list[Plan] = []
    assert small.apply(consent=lambda plan: bool(seen.append(plan))) is None
    assert len(seen) == 1
    assert not (small.root / "rftplan.lock").exists()
    assert small.jobs() == []


def test_errors_in_the_specs_touch_neither_lock_nor_service(small: Small) -> None:
    small.train()
    before = (small.root / "rftplan.lock").read_bytes()
    small.edit("specs/main.yaml", "training_file: train", "training_file: trian")
    with pytest.raises(SpecError) as caught:
        small.apply()
    assert caught.value.diagnostics[0].hint == 'did you mean "train"?'
    assert (small.root / "rftplan.lock").read_bytes() == before


def test_progress_is_told_while_training(small: Small) -> None:
    seen: list[object] = []
    small.apply(wait=True, on_event=seen.append)
    trained = [e for e in seen if isinstance(e, Trained)]
    assert {"queued", "running", "succeeded"} <= {e.status for e in trained}
    assert trained[-1].valid_reward is not None
    assert trained[-1].step == trained[-1].total_steps
    assert any(isinstance(e, StepEnded) and e.result.verb == "promote" for e in seen)


def test_stop_ends_what_is_in_flight_and_begins_nothing_new(small: Small) -> None:
    async def stopped() -> asyncio.Event:
        event = asyncio.Event()
        event.set()
        return event

    applied = small.apply(stop=asyncio.run(stopped()))
    assert applied is not None
    assert applied.interrupted
    assert {r.outcome for r in applied.results} <= {Outcome.SKIPPED, Outcome.DEFERRED}
    assert small.jobs() == []


def test_what_moved_is_known_under_its_new_name_and_not_launched_again(small: Small) -> None:
    small.train()
    small.edit("specs/main.yaml", "jobs:\n  review:", "jobs:\n  renamed:")
    small.edit("specs/main.yaml", "    job: review", "    job: renamed")
    held = small.changes()
    assert (held["job.renamed"].action, held["job.review"].action) == (Action.HOLD, Action.HOLD)
    assert "moved: [{from: job.review, to: job.renamed}]" in held["job.renamed"].detail
    small.apply()  # nothing of it is forgotten meanwhile
    small.edit("specs/main.yaml", "jobs:", "moved:\n  - {from: job.review, to: job.renamed}\njobs:")
    assert small.verbs() == {"job.review": "update move"}
    assert small.changes()["job.review"].reason is Reason.MOVED
    small.train()
    assert small.verbs() == {}
    assert len(small.jobs()) == 1
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    assert small.verbs()["job.renamed"] == "replace relaunch"


def test_a_move_to_nowhere_and_a_removal_of_what_is_declared_are_errors(small: Small) -> None:
    small.edit("specs/main.yaml", "jobs:", "moved: [{from: job.a, to: job.b}]\nremoved: [{address: file.train}]\njobs:")
    assert [(f.code, f.address) for f in small.check()] == [("S215", "job.b"), ("S215", "file.train")]


def test_another_lock_has_a_journal_of_its_own(small: Small) -> None:
    small.train()
    small.options = replace(small.options, lock="other.lock")
    assert small.verbs()["job.review"] == "adopt adopt"
    small.apply()
    assert (small.root / "other.lock").exists()
    small.options = replace(small.options, lock=None)
    assert small.verbs() == {}


def test_replace_names_only_jobs_of_the_specs(small: Small) -> None:

    with pytest.raises(UserError, match="is not a job"):
        small.plan(replace=frozenset({Address("job", "nosuch")}))


def test_a_grader_in_place_takes_its_name_from_the_job(small: Small) -> None:
    grader = "{type: string_check, input: '{{sample.output_text}}', operation: eq, reference: '{{item.answer}}'}"
    spec = SPEC.replace("grader: match", f"grader: {grader}")
    start, end = spec.index("graders:"), spec.index("jobs:")
    small.write("specs/main.yaml", spec[:start] + spec[end:])
    small.train()
    method = small.jobs()[0].body["method"]
    assert method["reinforcement"]["grader"]["name"] == "review"


def test_a_file_that_changes_between_plan_and_upload_is_not_kept_under_the_old_name(small: Small) -> None:
    """Same size, other bytes: the name at the service would carry a hash that is not theirs."""

    def meanwhile(_: Plan) -> bool:
        small.edit("specs/data/train.jsonl", "What is 3 + 4?", "What is 4 + 3?")
        return True

    results = small.results(consent=meanwhile)
    assert results["file.train"].outcome is not Outcome.DONE
    assert "changed since the plan" in str(results["file.train"].error)
    assert results["job.review"].outcome is Outcome.SKIPPED
    assert [f.filename.split("-")[0] for f in small.files()] == ["demo.default.test"]
    small.train()
    assert len(small.jobs()) == 1


def test_a_job_that_appears_in_the_slot_after_the_plan_is_not_launched_beside(small: Small) -> None:
    """Another clone was quicker while somebody read the plan."""
    clone = Small(small.root, clock=small.clock, environ=dict(small.environ))
    clone.options = replace(clone.options, lock="clone.lock")

    def meanwhile(_: Plan) -> bool:
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(clone.apply).result()
        return True

    results = small.results(consent=meanwhile)
    assert results["job.review"].outcome is Outcome.DEFERRED
    assert len(small.jobs()) == 1


def test_what_was_done_is_told_even_where_the_lock_cannot_be_written(small: Small) -> None:
    lock, aside = small.root / "rftplan.lock", small.root / "aside"

    def in_the_way(event: Event) -> None:
        if isinstance(event, StepEnded) and event.result.address.kind == "job":
            lock.rename(aside)
            (lock / "full").mkdir(parents=True)

    applied = small.apply(on_event=in_the_way)
    assert applied is not None
    assert {str(r.address): r.outcome for r in applied.results}["job.review"] is Outcome.DONE
    assert "changed by somebody else meanwhile: it is a directory" in str(applied.unsaved)
    (lock / "full").rmdir()
    lock.rmdir()
    aside.rename(lock)
    small.train()
    assert len(small.jobs()) == 1


def test_who_follows_a_job_waits_for_another_process_without_standing_still(small: Small) -> None:
    """Another process acts when our job ends: that is said once, and when it is done we go on."""
    small.launch_until_step()
    rests: list[float] = []
    holding = contextlib.ExitStack()
    sleep = small.clock.sleep

    async def sleeping(seconds: float) -> None:
        if not rests:
            holding.enter_context(acting_alone(load(small.options).paths, "apply"))
        rests.append(seconds)
        if len(rests) == 100:
            holding.close()
        await sleep(seconds)

    small.clock.sleep = sleeping  # type: ignore[method-assign]
    told: list[Event] = []
    results = small.results(wait=True, on_event=told.append)
    assert results["deployment.reviewer"].outcome is Outcome.DONE
    busy = [event for event in told if isinstance(event, LookFailed)]
    assert len(busy) == 1
    assert "another rftplan is acting" in busy[0].error
    assert len(rests) >= 100


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_job_that_may_not_be_looked_at_any_more_has_failed_and_nothing_follows_it(small: Small, status: int) -> None:
    """A CI whose key was taken away must not go green without a model."""

    def plan(method: str, path: str, times: int) -> Fault | None:
        looked = method == "GET" and "/fine_tuning/jobs/ftjob-" in path
        return {401: Fault.UNAUTHORIZED, 403: Fault.REFUSED, 404: Fault.NOT_FOUND}[status] if looked else None

    small.wrap = lambda inner: Faulty(inner, plan)
    results = small.results(wait=True)
    job, deployment = results["job.review"], results["deployment.reviewer"]
    assert (job.outcome, deployment.outcome) == (Outcome.FAILED, Outcome.SKIPPED)
    assert job.id is not None and job.id.startswith("ftjob-")
    assert job.error is not None and job.error.startswith("it cannot be watched any more: ")
