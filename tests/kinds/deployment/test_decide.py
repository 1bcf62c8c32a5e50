"""When a checkpoint is promoted, kept, held back; and who may use it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import Checkpoint, JobStatus, Permission
from rftplan.changes import Action, Change, Hazard, Reason
from rftplan.journal import Intent
from rftplan.kinds.base import OpenIntent, Resource, Situation
from rftplan.kinds.deployment import KIND, DeploymentSpec, ForgetStep, PermitStep, PromoteStep, SeenDeployment
from rftplan.kinds.deployment.spec import EvaluateStep
from rftplan.kinds.file.spec import FileSpec
from rftplan.kinds.grader import GraderSpec
from rftplan.kinds.job.launch import launch_of
from rftplan.kinds.job.spec import JobSpec
from rftplan.kinds.job.steps import AdoptStep, FollowStep
from rftplan.kinds.steps import RecordStep
from rftplan.lockfile import Entry, Origin
from tests.planning import graph_of, remote_job, scope

AT, JOB = Address("deployment", "reviewer"), Address("job", "review")
JOB_SPEC = JobSpec.model_validate({"model": "m", "training_file": {"id": "file-raw"}})
RAN = remote_job(JOB, JobStatus.SUCCEEDED, launch_of("v1:a", 1), id="ftjob-1")
POINTS = tuple(
    Checkpoint(f"c{step}", f"ft:{step}", "ftjob-1", step, 0, {"valid_reward_mean": reward})
    for step, reward in ((3, 0.4), (6, 0.9), (9, 0.7))
)
DONE = SeenDeployment(RAN, POINTS, ())
KEPT = Change(JOB, Action.NOOP, "keep", Reason.MATCHES)


def resource(**fields: Any) -> Resource:
    body = {"job": "review", "gates": [{"metric": "valid_reward_mean", "at_least": 0.8}], **fields}
    return graph_of({JOB: JOB_SPEC, AT: DeploymentSpec.model_validate(body)}).resources[AT]


WANT = resource()


def live(model: str = "ft:6", *, want: Resource = WANT, job_id: str = "ftjob-1", **resolved: Any) -> Entry:
    revision = {"revision": 1, "model": model, "job": "job.review", "job_id": job_id, "step": 6}
    return Entry(want.fingerprint, want.inputs, id=model, resolved=resolved, history=(revision,))  # type: ignore[arg-type]


def job_entry(origin: Origin = Origin.CREATED) -> Entry:
    return Entry("v1:a", {}, id="ftjob-1", origin=origin)


def decide(
    want: Resource | None = WANT,
    entry: Entry | None = None,
    seen: SeenDeployment = DONE,
    *,
    upstream: Change = KEPT,
    job: Entry | None = None,
    allow_selection_only: bool = False,
) -> Change:
    known = {} if upstream is FOUND else {JOB: job or job_entry()}
    entries = {**known, **({AT: entry} if entry else {})}
    return KIND.decide(
        Situation(
            AT,
            want,
            entry,
            seen,
            None,
            replace(scope(), allow_selection_only=allow_selection_only),
            upstream={JOB: upstream},
            entries=entries,
        )
    )


FOUND = Change(JOB, Action.ADOPT, "adopt", Reason.FOUND_AT_SERVICE, step=AdoptStep(job_entry(Origin.ADOPTED)))
"""Found by a lock that knows nothing of the job."""


def by(status: JobStatus) -> SeenDeployment:
    return SeenDeployment(replace(RAN, status=status))


def told(change: Change) -> tuple[Action, str, Reason]:
    return change.action, change.verb, change.reason


LAUNCH = Change(JOB, Action.CREATE, "launch", Reason.NOT_THERE, needs=(Address("file", "train"),))
RELAUNCH = Change(JOB, Action.REPLACE, "relaunch", Reason.CONTENT_CHANGED, needs=(Address("file", "train"),))
HELD = Change(JOB, Action.HOLD, "hold", Reason.JOB_FAILED)
NONE_BUT_LIVE = replace(DONE, checkpoints=POINTS[:1])

TABLE: list[tuple[str, dict[str, Any], Action, str, Reason]] = [
    ("the best passes", {}, Action.CREATE, "promote", Reason.GATES_PASSED),
    ("a gate fails", {"want": resource(checkpoint="final")}, Action.HOLD, "hold", Reason.GATE_FAILED),
    ("no such step", {"want": resource(checkpoint={"step": 5})}, Action.HOLD, "hold", Reason.NO_CHECKPOINT),
    ("no checkpoints", {"seen": SeenDeployment(RAN)}, Action.HOLD, "hold", Reason.NO_CHECKPOINT),
    ("live already", {"entry": live()}, Action.NOOP, "keep", Reason.MATCHES),
    ("live, but gone", {"entry": live(), "seen": NONE_BUT_LIVE}, Action.HOLD, "hold", Reason.CHECKPOINT_VANISHED),
    ("live from another job", {"entry": live(job_id="ftjob-0")}, Action.UPDATE, "promote", Reason.GATES_PASSED),
    ("live, on other gates", {"entry": live(want=resource(gates=[]))}, Action.UPDATE, "promote", Reason.GATES_PASSED),
    ("live, stricter gates that fail", {"want": resource(gates=[{"metric": "valid_reward_mean", "at_least": 0.95}]),
     "entry": live()}, Action.HOLD, "hold", Reason.GATE_FAILED),
    ("another is live, and only what chose it speaks for it", {"entry": live("ft:old", job_id="ftjob-0")}, Action.HOLD,
     "hold", Reason.SELECTION_ONLY),
    ("another is live, and policy lets it", {"entry": live("ft:old", job_id="ftjob-0"), "allow_selection_only": True},
     Action.UPDATE, "promote", Reason.GATES_PASSED),
    ("another is live, and no gate", {"want": resource(gates=[]), "entry": live("ft:old", job_id="ftjob-0")},
     Action.HOLD, "hold", Reason.SELECTION_ONLY),
    ("another is live, and nothing chose", {"want": resource(checkpoint="final", gates=[{"metric":
     "valid_reward_mean", "at_least": 0.6}]), "entry": live("ft:old", job_id="ftjob-0")}, Action.UPDATE, "promote",
     Reason.GATES_PASSED),
    ("the job runs", {"seen": by(JobStatus.RUNNING)}, Action.DEFER, "wait", Reason.WAITS_FOR_JOB),
    ("the job is launched", {"seen": SeenDeployment(None), "upstream": LAUNCH}, Action.DEFER, "wait",
     Reason.WAITS_FOR_JOB),
    ("the job is launched anew", {"entry": live(), "upstream": RELAUNCH}, Action.DEFER, "wait", Reason.WAITS_FOR_JOB),
    ("the job is held", {"seen": by(JobStatus.FAILED), "upstream": HELD}, Action.DEFER, "wait", Reason.WAITS_FOR_JOB),
    ("the lock was lost", {"job": job_entry(Origin.ADOPTED)}, Action.HOLD, "hold", Reason.LOCK_REBUILT),
    ("the lock is being rebuilt", {"upstream": FOUND}, Action.HOLD, "hold", Reason.LOCK_REBUILT),
    ("an edit was reverted", {"upstream": replace(FOUND, step=AdoptStep(job_entry()))}, Action.CREATE, "promote",
     Reason.GATES_PASSED),
    ("our own launch was recovered", {"upstream": Change(JOB, Action.ADOPT, "recover", Reason.INTENT_RECOVERED)},
     Action.CREATE, "promote", Reason.GATES_PASSED),
    ("released after a lost lock", {"entry": Entry(WANT.fingerprint, WANT.inputs), "job": job_entry(Origin.ADOPTED)},
     Action.CREATE, "promote", Reason.GATES_PASSED),
    ("removed", {"want": None, "entry": live()}, Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "action", "verb", "reason"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_table(given: dict[str, Any], action: Action, verb: str, reason: Reason) -> None:
    assert told(decide(**given)) == (action, verb, reason)


def test_the_figures_are_shown_whether_they_pass_or_not() -> None:
    assert [e.value for e in decide().evidence] == [0.9]
    assert [(e.value, e.passed) for e in decide(resource(checkpoint="final")).evidence] == [(0.7, False)]


def test_the_candidate_is_carried_in_the_step() -> None:
    step = decide().step
    assert isinstance(step, PromoteStep)
    assert step.checkpoint.model == "ft:6"


def test_replacing_what_is_live_is_a_hazard_and_promoting_the_same_model_anew_is_none() -> None:
    other = decide(entry=live("ft:old", job_id="ftjob-0"), allow_selection_only=True)
    assert [h.hazard for h in other.hazards] == [Hazard.REPLACE_LIVE]
    assert decide(entry=live(want=resource(gates=[]))).hazards == ()
    assert decide().hazards == ()


def test_what_follows_is_announced_with_its_hazard() -> None:
    change = decide(entry=live(), upstream=RELAUNCH)
    assert (change.then, [h.hazard for h in change.hazards]) == (("promote",), [Hazard.REPLACE_LIVE])
    assert "ft:6 stays live" in change.detail
    runs = Change(JOB, Action.NOOP, "keep", Reason.RUNNING, step=FollowStep())
    assert decide(seen=by(JobStatus.RUNNING), upstream=runs).then == ("promote",)


def test_nothing_is_announced_where_the_job_is_held() -> None:
    change = decide(entry=live(), seen=by(JobStatus.FAILED), upstream=HELD)
    assert (change.then, change.hazards) == ((), ())
    assert "ft:6 stays live" in change.detail


FINAL, STRICT = Address("file", "final"), Address("grader", "strict")
GRADER = GraderSpec.model_validate({"type": "string_check", "input": "a", "reference": "b", "operation": "eq"})


def on_rows(*gates: dict[str, Any], rows: int = 40) -> tuple[Resource, dict[Address, Resource]]:
    """A deployment with gates on rows that the job does not have, and all that is declared."""
    rowed = [{"held_out": {"file": "final", "grader": "strict"}, **gate} for gate in gates]
    body = DeploymentSpec.model_validate({"job": "review", "gates": rowed})
    known = {JOB: JOB_SPEC, AT: body, FINAL: FileSpec(path="final.jsonl"), STRICT: GRADER}
    resources = dict(graph_of(known).resources)
    facts = resources[FINAL].data
    assert facts is not None
    resources[FINAL] = replace(resources[FINAL], data=replace(facts, rows=rows, size=8000))
    return resources[AT], resources


def decided(*gates: dict[str, Any], entry: Entry | None = None, rows: int = 40, **seen: Any) -> Change:
    want, resources = on_rows(*gates, rows=rows)
    upstream, found = seen.get("upstream", KEPT), seen.get("seen", DONE)
    entries = {JOB: job_entry(), **({AT: entry} if entry else {})}
    return KIND.decide(
        Situation(AT, want, entry, found, None, scope(), {}, {JOB: upstream}, entries, resources=resources)
    )


def test_figures_that_are_missing_are_a_step_of_their_own_with_what_they_cost() -> None:
    change = decided({"at_least": 0.5}, {"better_than": "base", "samples": 2})
    assert told(change) == (Action.CREATE, "evaluate", Reason.NEEDS_EVIDENCE)
    assert isinstance(change.step, EvaluateStep) and change.step.candidate.model == "ft:6"
    assert [(risk.hazard, risk.detail) for risk in change.hazards] == [
        (
            Hazard.SPEND,
            "at most 200 answers to file.final: prompts of about 10,000 tokens at most; answers and judges on top",
        )
    ]


def test_an_evaluation_that_may_replace_what_is_live_says_so() -> None:
    change = decided({"no_worse_than": "live", "by": 0.1}, entry=live("ft:old", job_id="ftjob-0"))
    assert told(change) == (Action.UPDATE, "evaluate", Reason.NEEDS_EVIDENCE)
    assert [risk.hazard for risk in change.hazards] == [Hazard.SPEND, Hazard.REPLACE_LIVE]


def test_too_few_rows_are_held_before_anything_is_asked() -> None:
    assert told(decided({"at_least": 0.5}, rows=19)) == (Action.HOLD, "hold", Reason.GATE_FAILED)


def test_what_is_sampled_after_the_end_of_a_job_is_announced_with_what_it_spends() -> None:
    change = decided({"at_least": 0.5}, upstream=LAUNCH, seen=SeenDeployment(None))
    assert change.then == ("evaluate", "promote")
    assert [risk.hazard for risk in change.hazards] == [Hazard.SPEND]
    assert "answers to file.final are sampled once the job has ended" in change.hazards[0].detail


OPEN = resource(projects=["p1", "p2"])


def permitted(*projects: str) -> SeenDeployment:
    return replace(DONE, permissions=tuple(Permission(f"cp_{p}", p) for p in projects))


PERMISSIONS: list[tuple[str, Resource, dict[str, str], SeenDeployment, Action, Reason, str]] = [
    ("as declared", OPEN, {"p1": "cp_p1", "p2": "cp_p2"}, permitted("p1", "p2"), Action.NOOP, Reason.MATCHES, ""),
    ("one is missing", OPEN, {"p1": "cp_p1"}, permitted("p1"), Action.UPDATE, Reason.PERMISSIONS_DIFFER, "grant p2"),
    ("one of ours is left over", resource(projects=["p1"]), {"p1": "cp_p1", "p2": "cp_p2"}, permitted("p1", "p2"),
     Action.UPDATE, Reason.PERMISSIONS_DIFFER, "revoke p2"),
    ("both", resource(projects=["p3"]), {"p1": "cp_p1"}, permitted("p1"), Action.UPDATE, Reason.PERMISSIONS_DIFFER,
     "grant p3, revoke p1"),
    ("somebody else's is left alone", resource(projects=["p1"]), {"p1": "cp_p1"}, permitted("p1", "foreign"),
     Action.NOOP, Reason.MATCHES, ""),
    ("granted by somebody else", resource(projects=["p1"]), {}, permitted("p1"), Action.NOOP, Reason.MATCHES, ""),
    ("no admin key", OPEN, {}, replace(DONE, permissions=None), Action.DEFER, Reason.PERMISSIONS_UNKNOWN, "admin key"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("want", "granted", "seen", "action", "reason", "words"),
    [row[1:] for row in PERMISSIONS],
    ids=[row[0] for row in PERMISSIONS],
)
def test_who_may_use_it(
    want: Resource, granted: dict[str, str], seen: SeenDeployment, action: Action, reason: Reason, words: str
) -> None:
    change = decide(want, live(want=want, permissions={"ft:6": granted}), seen)
    assert (change.action, change.reason) == (action, reason)
    assert words in change.detail
    assert change.step == (PermitStep("ft:6") if action is Action.UPDATE else None)


def test_projects_are_no_condition_of_the_promotion() -> None:
    """Another project is a permission more, not another revision."""
    assert decide(OPEN, live(want=WANT), permitted()).verb == "permit"


def test_a_permission_that_somebody_revoked_is_drift() -> None:
    entry = live(want=OPEN, permissions={"ft:6": {"p1": "cp_p1", "p2": "cp_p2"}})

    def drift(seen: SeenDeployment) -> list[str]:
        return [d.detail for d in KIND.drift(Situation(AT, OPEN, entry, seen, None, scope()))]

    assert drift(permitted("p1")) == ["permission cp_p2 was revoked by somebody else"]
    assert len(drift(permitted())) == 2
    assert drift(permitted("p1", "p2")) == []
    assert drift(replace(DONE, permissions=None)) == []


GRANT = Intent(7, AT, "grant", "lineage-1:t", None, 0.0, target=("ft:6", "p1"))


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize(
    ("cut_off", "settled", "known"),
    [((Permission("cp_9", "p1"),), False, True), ((), True, False), ((), False, None), (None, True, None)],
    ids=["it was granted", "it was not", "it may still appear", "no admin key"],
)
def test_a_grant_of_unknown_fate_is_found_out_before_anything_is_decided(
    cut_off: tuple[Permission, ...] | None, settled: bool, known: bool | None, gone: bool
) -> None:
    want = resource(projects=["p1"])
    seen = replace(DONE, permissions=cut_off, cut_off=cut_off)
    change = KIND.decide(
        Situation(
            AT,
            None if gone else want,
            live(want=want),
            seen,
            OpenIntent(GRANT, settled),
            scope(),
            upstream={JOB: KEPT},
            entries={JOB: job_entry()},
        )
    )
    if known is None:
        assert told(change) == (Action.DEFER, "wait", Reason.FATE_UNKNOWN)
    elif gone:
        assert change.step == ForgetStep({"ft:6": {"p1": "cp_9"}} if known else {})
    elif known:
        assert change.step == RecordStep(live(want=want, permissions={"ft:6": {"p1": "cp_9"}}))
    else:
        assert (change.step, change.detail) == (PermitStep("ft:6"), "grant p1")


def test_a_permission_that_we_were_about_to_revoke_is_no_drift() -> None:
    entry = live(want=OPEN, permissions={"ft:6": {"p1": "cp_p1"}})
    ours = OpenIntent(replace(GRANT, verb="revoke"), settled=True)
    assert KIND.drift(Situation(AT, OPEN, entry, permitted(), ours, scope())) == ()


def test_when_removed_only_our_own_permissions_are_revoked_and_that_is_a_hazard() -> None:
    entry = live(permissions={"ft:6": {"p1": "cp_p1"}, "ft:3": {"p2": "cp_p2"}})
    change = decide(None, entry)
    assert change.step == ForgetStep({"ft:6": {"p1": "cp_p1"}, "ft:3": {"p2": "cp_p2"}})
    assert [h.hazard for h in change.hazards] == [Hazard.DELETE, Hazard.DELETE]
    assert "2 permissions" in change.hazards[1].detail


def test_how_it_stands() -> None:
    def standing(entry: Entry | None) -> tuple[str, str | None, str]:
        found = KIND.standing(Situation(AT, WANT, entry, DONE, None, scope()))
        return found.state, found.id, found.detail

    assert standing(None) == ("nothing promoted", None, "")
    assert standing(live()) == ("live", "ft:6", "revision 1, step 6")


BROKEN = Entry(
    "v1:a", {}, id="ftjob-1", resolved={"grader_errors": ["explanation 61 of 61 validation answers (other)"]}
)


def test_errors_of_its_graders_go_with_every_figure_that_promotes_it() -> None:
    errors = "grader errors: explanation 61 of 61 validation answers (other)"
    assert errors in decide(job=BROKEN).evidence[0].caveats
    ended = Change(JOB, Action.NOOP, "keep", Reason.MATCHES, step=RecordStep(BROKEN))
    assert errors in decide(upstream=ended).evidence[0].caveats
    assert decide(resource(gates=[]), job=BROKEN).detail == f"ft:6 (step 6); {errors}"
    assert decide(resource(gates=[])).detail == "ft:6 (step 6)"


def gated(at_least: float) -> Resource:
    return resource(gates=[{"metric": "valid_reward_mean", "at_least": at_least}])


@pytest.mark.parametrize("upstream", [KEPT, RELAUNCH, HELD])
def test_a_bar_that_moved_is_shown_whatever_happens_beside_it(upstream: Change) -> None:
    change = decide(gated(0.5), live(want=gated(0.8)), upstream=upstream)
    assert [(f.path, f.before, f.after) for f in change.fields] == [("gates[0].at_least", 0.8, 0.5)]
    assert decide(entry=live()).fields == ()


def test_what_an_older_lock_did_not_keep_changes_nothing() -> None:
    older = replace(live(), inputs={"job": WANT.inputs["job"]})
    assert (decide(entry=older).action, decide(entry=older).fields) == (Action.NOOP, ())


def test_a_live_deployment_does_not_go_without_leave() -> None:
    change = decide(None, live())
    assert [h.hazard for h in change.hazards] == [Hazard.DELETE]
    assert change.hazards[0].detail == "reviewer is live and would be gone: programs that resolve it fail"
    assert decide(None, Entry(WANT.fingerprint, WANT.inputs)).hazards == ()


@pytest.mark.parametrize(("same", "hinted"), [(WANT, True), (gated(0.5), False)])
def test_a_rename_is_told_from_a_removal(same: Resource, hinted: bool) -> None:
    new = Address("deployment", "renamed")
    change = KIND.decide(Situation(AT, None, live(), DONE, None, scope(), newcomers={new: same}))
    hint = "if it moved, say moved: [{from: deployment.reviewer, to: deployment.renamed}]"
    assert (hint in change.detail) is hinted


def test_what_is_held_stands_as_held_and_says_why() -> None:
    failing = gated(0.95)

    def standing(entry: Entry | None) -> tuple[str, str]:
        held = decide(failing, entry)
        found = KIND.standing(Situation(AT, failing, entry, DONE, None, scope())).with_hold(held)
        return found.state, found.detail

    why = "ft:6 was not promoted (valid_reward_mean 0.9, wanted at least 0.95)"
    assert standing(None) == ("held", why)
    state, detail = standing(live("ft:0", job_id="ftjob-0"))
    assert (state, detail.startswith("held: ft:6 was not promoted; ft:0 stays live (")) == ("live", True)
    assert detail.endswith("revision 1, step 6")
