"""Nothing hazardous without leave: every step of every plan says what it risks, and every way of giving leave, for each
hazard, does what was allowed and nothing else."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan import service_choice
from rftplan.address import Address
from rftplan.amending.holds import release
from rftplan.api.port import RemoteJob
from rftplan.changes import Action, Change, Hazard, Plan
from rftplan.errors import RefusedPlanError
from rftplan.events import Outcome
from rftplan.kinds.deployment.spec import (
    AwaitStep,
    EvaluateStep,
    ForgetStep,
    PermitStep,
    PromoteStep,
    grants_of,
    model_of,
)
from rftplan.kinds.file.spec import AdoptStep as AdoptFile
from rftplan.kinds.file.spec import CompareStep, DeleteStep, UploadStep
from rftplan.kinds.grader import ValidateStep
from rftplan.kinds.job.steps import (
    AdoptStep,
    AdoptToStopStep,
    AwaitPauseStep,
    CancelStep,
    FollowStep,
    LaunchStep,
    PauseStep,
    ResumeStep,
)
from rftplan.kinds.steps import MoveStep, PlaceStep, RecordStep
from rftplan.lockfile import RELEASED
from rftplan.planner import PlanInputs, make_plan
from rftplan.render.plan_documents import plan_document
from rftplan.safety import refuse_unallowed
from tests.planning import worlds
from tests.scenarios.waiting import spec as jobs_of
from tests.world import Small

S: Final = "specs/main.yaml"
JOB: Final = Address("job", "review")


def risked(change: Change, inputs: PlanInputs) -> Iterator[tuple[Hazard, str]]:
    """What its step does that needs leave, and a word that the hazard has to name; closed over all steps."""
    entry, paid, at = inputs.entries.get(change.address), inputs.scope.profile.paid, change.address
    match change.step:
        case (
            None
            | RecordStep()
            | MoveStep()
            | FollowStep()
            | UploadStep()
            | AdoptFile()
            | CompareStep()
            | ValidateStep()
        ):
            pass
        case PauseStep() | AwaitPauseStep():
            pass
        case PlaceStep(waits):
            yield from risked(waits, inputs)
        case LaunchStep(cancels=cancels):
            yield from [(Hazard.SPEND, "paid")] if paid else []
            yield from _cancelled(cancels)
        case AdoptStep(cancels=cancels):
            yield from _cancelled(cancels)
        case CancelStep(jobs=jobs):
            yield from _cancelled(jobs)
        case AdoptToStopStep(adopt, stop):
            yield from _cancelled((*adopt.cancels, *(stop.jobs if isinstance(stop, CancelStep) else ())))
        case ResumeStep(job_id):
            yield from [(Hazard.SPEND, job_id)] if paid else []
            if entry is not None and entry.resolved.get("paused_by") == RELEASED:
                yield Hazard.RESUME_AFTER_SERVICE_PAUSE, job_id
        case DeleteStep(file_id):
            yield Hazard.DELETE, file_id
        case PromoteStep(checkpoint):
            live = model_of(entry)
            yield from [(Hazard.REPLACE_LIVE, live)] if live and live != checkpoint.model else []
        case EvaluateStep(checkpoint):
            live = model_of(entry)
            yield from [(Hazard.SPEND, "answers")] if paid else []
            yield from [(Hazard.REPLACE_LIVE, live)] if live and live != checkpoint.model else []
        case AwaitStep(live):
            held_out = [gate for gate in inputs.graph.resources[at].spec.gates if gate.held_out]
            yield from [(Hazard.SPEND, "answers")] if paid and held_out else []
            keeps = inputs.graph.resources[at].spec.lifecycle.prevent_replace
            yield from [(Hazard.REPLACE_LIVE, live)] if live and not keeps else []
        case PermitStep(model):
            wanted = inputs.graph.resources[at].spec.projects
            yield from ((Hazard.DELETE, p) for p in grants_of(entry).get(model, {}) if p not in wanted)
        case ForgetStep(grants):
            yield from [(Hazard.DELETE, "revokes")] if any(grants.values()) else []
            yield from [(Hazard.DELETE, at.name)] if model_of(entry) else []
        case other:
            raise AssertionError(f"{other} is a step of which nobody said what it risks")


def _cancelled(jobs: tuple[RemoteJob, ...]) -> Iterator[tuple[Hazard, str]]:
    yield from ((Hazard.CANCEL_ACTIVE, job.id) for job in jobs if not job.status.ended)


@given(worlds(), st.sampled_from([None, 1, 2]))
def test_every_step_of_every_plan_lists_what_it_risks_and_what_follows_it_does(
    inputs: PlanInputs, most: int | None
) -> None:
    plan = make_plan(replace(inputs, scope=replace(inputs.scope, most_running=most)))
    for change in plan.changes:
        for hazard, word in risked(change, inputs):
            said = [risk.detail for risk in (*change.hazards, *change.ahead) if risk.hazard is hazard]
            assert any(word in detail for detail in said), (change, hazard, word)
    for change in plan.without_follow_ups().changes:
        assert not (change.action is Action.DEFER and (change.step or change.then)), change


@dataclasses.dataclass(frozen=True)
class Risk:
    """An apply that is due with one hazard; `wait`: it comes as a follow-up."""

    hazard: Hazard
    prepare: Callable[[Small], None]
    destroy: bool = False
    wait: bool = False

    def __str__(self) -> str:
        return f"{self.hazard}{' destroy' * self.destroy}{' after a wait' * self.wait}"


def _edited(small: Small) -> None:
    small.launch_until_step()
    small.edit(S, "n_epochs: 2", "n_epochs: 3")


def _released(small: Small) -> None:
    small.launch_until_step()
    job = small.lock().resources[JOB].id
    small.service(lambda port: port.pause_job(job))
    small.clock.time += 60
    asyncio.run(release(small.options, JOB, world=small.world))


def _unused(small: Small) -> None:
    small.write("specs/more.yaml", "files: {more: {path: data/more.jsonl, lifecycle: {retain: false}}}\n")
    small.write("specs/data/more.jsonl", (small.root / "specs/data/test.jsonl").read_bytes().replace(b"is", b"was"))
    small.edit(S, "validation_file: test", "validation_file: more")
    small.apply()
    small.clock.time += 600
    small.edit(S, "validation_file: more", "validation_file: test")
    small.apply()
    small.clock.time += 600
    small.apply()
    (small.root / "specs/more.yaml").unlink()


def _retrained(small: Small) -> None:
    small.write(S, "policy: {allow_selection_only: true}\n" + (small.root / S).read_text())
    small.train()
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    small.apply()
    small.clock.time += 600


def _retraining(small: Small) -> None:
    small.write(S, "policy: {allow_selection_only: true}\n" + (small.root / S).read_text())
    small.train()
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    small.apply()


def _queued(small: Small) -> None:
    small.write(S, jobs_of("a", "b"))
    small.apply()


def _running(small: Small) -> None:
    small.launch_until_step()


def _live(small: Small) -> None:
    small.train()


RISKS: Final = (
    Risk(Hazard.SPEND, lambda _: None),
    Risk(Hazard.SPEND, _queued, wait=True),
    Risk(Hazard.CANCEL_ACTIVE, _edited),
    Risk(Hazard.CANCEL_ACTIVE, _running, destroy=True),
    Risk(Hazard.RESUME_AFTER_SERVICE_PAUSE, _released),
    Risk(Hazard.DELETE, _unused),
    Risk(Hazard.DELETE, _live, destroy=True),
    Risk(Hazard.REPLACE_LIVE, _retrained),
    Risk(Hazard.REPLACE_LIVE, _retraining, wait=True),
)


def test_the_matrix_has_every_hazard() -> None:
    assert {risk.hazard for risk in RISKS} == set(Hazard)


@pytest.fixture(params=RISKS, ids=str)
def due(request: pytest.FixtureRequest, small: Small, monkeypatch: pytest.MonkeyPatch) -> tuple[Risk, Small]:
    """Brought there where nothing is paid; from then on everything is, if that is what it is about."""
    risk: Risk = request.param
    risk.prepare(small)
    if risk.hazard is Hazard.SPEND:
        of = service_choice.profile
        monkeypatch.setattr(service_choice, "profile", lambda name: replace(of(name), paid=True))
    return risk, small


def truth(small: Small) -> Mapping[str, Any]:
    """All that could have been spent, deleted, replaced or stopped."""
    lock = small.root / "rftplan.lock"
    return {
        "jobs": sorted((job.id, str(job.status)) for job in small.jobs()),
        "files": sorted(file.id for file in small.files()),
        "lock": lock.read_bytes() if lock.exists() else None,
    }


def consent(allowed: frozenset[Hazard]) -> Callable[[Plan], bool]:
    """As `--yes --allow`, and as a saved plan with that leave."""

    def agreed(plan: Plan) -> bool:
        refuse_unallowed(plan, allowed)
        return True

    return agreed


def applied(risk: Risk, small: Small, agreed: Callable[[Plan], bool]) -> Any:
    return small.apply(consent=agreed, wait=risk.wait, destroy=risk.destroy)


def hazards(risk: Risk, small: Small) -> frozenset[Hazard]:
    plan = small.plan(destroy=risk.destroy)
    return frozenset(one.hazard for _, one in (plan if risk.wait else plan.without_follow_ups()).hazards())


def test_without_leave_nothing_is_done(due: tuple[Risk, Small]) -> None:
    risk, small = due
    there = hazards(risk, small)
    assert risk.hazard in there
    before = truth(small)
    assert applied(risk, small, lambda _: False) is None
    for allowed in (frozenset[Hazard](), frozenset(Hazard) - {risk.hazard}):
        with pytest.raises(RefusedPlanError) as caught:
            applied(risk, small, consent(allowed))
        assert str(risk.hazard) in str(caught.value.hint)
    assert truth(small) == before


def allow_in_policy(small: Small, hazards: frozenset[Hazard]) -> None:
    text, words = (small.root / S).read_text(), f"allow: [{', '.join(hazards)}]"
    known = text.startswith("policy: {")
    small.write(S, text.replace("policy: {", f"policy: {{{words}, ", 1) if known else f"{text}policy: {{{words}}}\n")


@pytest.mark.parametrize("way", ["a yes", "--allow", "policy.allow", "a saved plan"])
def test_with_leave_it_is_done(due: tuple[Risk, Small], way: str) -> None:
    risk, small = due
    there, before = hazards(risk, small), truth(small)
    if way == "policy.allow":
        allow_in_policy(small, there)
    saved = plan_document(small.plan(destroy=risk.destroy), allowed=there)
    ways: dict[str, Callable[[Plan], bool]] = {
        "a yes": lambda _: True,
        "--allow": consent(there),
        "policy.allow": consent(frozenset()),
        "a saved plan": consent(frozenset(map(Hazard, saved["allowed"]["option"]))),
    }
    agreed = ways[way]
    done = applied(risk, small, agreed)
    assert done is not None
    assert Outcome.FAILED not in {result.outcome for result in done.results}, done.results
    assert truth(small) != before


def test_a_follow_up_is_not_done_by_an_apply_that_does_not_wait(due: tuple[Risk, Small]) -> None:
    """Its hazard is asked for where it is done, and nowhere else."""
    risk, small = due
    if not risk.wait:
        return
    before = truth(small)
    assert applied(dataclasses.replace(risk, wait=False), small, consent(frozenset())) is not None
    assert {key: truth(small)[key] for key in ("jobs", "files")} == {key: before[key] for key in ("jobs", "files")}


def test_a_pause_of_ours_that_somebody_else_ended_is_no_leave_to_end_the_next_one(small: Small) -> None:
    small.launch_until_step()
    small.edit(S, "    model: o4-mini", "    run: paused\n    model: o4-mini")
    small.apply()
    small.clock.time += 5
    job = small.lock().resources[JOB].id
    small.service(lambda port: port.resume_job(job))
    small.clock.time += 0.5
    small.edit(S, "    run: paused\n", "")
    assert small.verbs() == {"deployment.reviewer": "defer wait"}
    small.apply()
    small.service(lambda port: port.pause_job(job))
    small.clock.time += 60
    assert small.verbs()["job.review"] == "hold hold"


def test_promoting_again_revokes_nobody_without_a_plan_that_says_so(small: Small) -> None:
    """Whom the lock let use a model long ago loses it by a change of its own, with its hazard."""
    small.let_selection_replace()
    projects = "    checkpoint: best\n"
    small.edit(S, projects, f"    projects: [p1]\n{projects}")
    small.train()
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    small.train()
    small.edit(S, "n_epochs: 3", "n_epochs: 2")
    small.edit(S, "projects: [p1]", "projects: [p2]")
    plan = small.plan()
    assert [one.hazard for _, one in plan.hazards()] in ([Hazard.REPLACE_LIVE], [])
    small.train()
    model = small.lock().resources[Address("deployment", "reviewer")].id

    def permitted() -> list[str]:
        return sorted(p.project_id for p in small.service(lambda port: port.list_permissions(model)))

    assert permitted() == ["p1", "p2"]
    (change,) = [c for c in small.plan().changes if c.action is Action.UPDATE]
    assert (change.verb, [one.hazard for one in change.hazards]) == ("permit", [Hazard.DELETE])
    small.apply()
    assert permitted() == ["p2"]
