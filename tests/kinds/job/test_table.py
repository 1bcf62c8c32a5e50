"""The job table of DESIGN §3, line by line: action, verb and reason."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from rftplan.api.port import JobStatus
from rftplan.changes import Action, Change, Hazard, Reason
from rftplan.kinds.job.decide import decide
from rftplan.kinds.job.observe import SeenJob
from rftplan.kinds.job.progress import Progress
from rftplan.kinds.job.spec import Run
from rftplan.kinds.job.steps import AwaitPauseStep, CancelStep, FollowStep, LaunchStep, PauseStep, ResumeStep
from rftplan.kinds.steps import RecordStep
from tests.kinds.builders import entry_for, first_launch, job_spec, launched, remote, resource, situation

S = JobStatus


class Cell(NamedTuple):
    """What the planner says; how it says it is for the reader."""

    action: Action
    verb: str
    reason: Reason


class Line(NamedTuple):
    """One line of the table: what the service says, and a cell for each run state we may want."""

    status: JobStatus
    running: Cell
    paused: Cell
    cancelled: Cell
    paused_by: str | None = None


def keep(reason: Reason) -> Cell:
    return Cell(Action.NOOP, "keep", reason)


def wait(reason: Reason) -> Cell:
    return Cell(Action.DEFER, "wait", reason)


def hold(reason: Reason) -> Cell:
    return Cell(Action.HOLD, "hold", reason)


def update(verb: str) -> Cell:
    return Cell(Action.UPDATE, verb, Reason.RUN_STATE_DIFFERS)


STARTING = (keep(Reason.RUNNING), wait(Reason.BEFORE_FIRST_STEP), update("cancel"))
TABLE = [
    Line(S.VALIDATING_FILES, *STARTING),
    Line(S.QUEUED, *STARTING),
    Line(S.PENDING, *STARTING),
    Line(S.RESUMING, *STARTING),
    Line(S.RUNNING, keep(Reason.RUNNING), update("pause"), update("cancel")),
    Line(S.PAUSING, wait(Reason.CHANGING_STATE), wait(Reason.CHANGING_STATE), wait(Reason.CHANGING_STATE)),
    Line(S.PAUSED, update("resume"), keep(Reason.MATCHES), update("cancel"), paused_by="us"),
    Line(S.PAUSED, hold(Reason.PAUSED_ELSEWHERE), keep(Reason.MATCHES), update("cancel")),
    Line(S.SUCCEEDED, keep(Reason.MATCHES), keep(Reason.MATCHES), keep(Reason.MATCHES)),
    Line(S.FAILED, hold(Reason.JOB_FAILED), hold(Reason.JOB_FAILED), keep(Reason.MATCHES)),
    Line(S.CANCELLED, hold(Reason.CANCELLED_ELSEWHERE), hold(Reason.CANCELLED_ELSEWHERE), keep(Reason.MATCHES)),
    Line(S.UNKNOWN, wait(Reason.UNKNOWN_STATUS), wait(Reason.UNKNOWN_STATUS), wait(Reason.UNKNOWN_STATUS)),
]


def cell_of(change: Change) -> Cell:
    return Cell(change.action, change.verb, change.reason)


@pytest.mark.parametrize("run", Run)
@pytest.mark.parametrize("line", TABLE, ids=lambda line: f"{line.status}-{line.paused_by}")
def test_job_table_line_by_line(line: Line, run: Run) -> None:
    resolved: dict[str, Any] = {"paused_by": line.paused_by} if line.paused_by else {}
    _, given = launched(line.status, run.value, step=10 if line.status is S.SUCCEEDED else 3, **resolved)
    assert cell_of(decide(given)) == getattr(line, run.value)


def test_every_status_has_its_line() -> None:
    assert {line.status for line in TABLE} == set(JobStatus)


NEVER_LAUNCHED = {
    Run.RUNNING: Cell(Action.CREATE, "launch", Reason.NOT_THERE),
    Run.PAUSED: keep(Reason.RUN_STATE_HELD_BACK),
    Run.CANCELLED: keep(Reason.RUN_STATE_HELD_BACK),
}
GONE = {Run.RUNNING: hold(Reason.GONE), Run.PAUSED: hold(Reason.GONE), Run.CANCELLED: keep(Reason.GONE)}


@pytest.mark.parametrize("run", Run)
def test_the_line_of_what_was_never_launched(run: Run) -> None:
    assert cell_of(decide(situation(resource(job_spec(run=run.value))))) == NEVER_LAUNCHED[run]


@pytest.mark.parametrize("run", Run)
def test_the_line_of_a_job_that_the_service_has_no_more(run: Run) -> None:
    want, given = launched(S.RUNNING, run.value)
    assert cell_of(decide(situation(want, entry=given.entry, seen=SeenJob()))) == GONE[run]


@pytest.mark.parametrize("line", TABLE, ids=lambda line: f"{line.status}-{line.paused_by}")
def test_each_verb_carries_the_step_that_does_it(line: Line) -> None:
    """A verb is a word; what apply carries out is the step, and it must be the same thing."""
    steps = {"pause": PauseStep, "resume": ResumeStep, "cancel": CancelStep, "launch": LaunchStep}
    announced = {("pause",): AwaitPauseStep}
    for run in Run:
        resolved: dict[str, Any] = {"paused_by": line.paused_by} if line.paused_by else {}
        change = decide(launched(line.status, run.value, **resolved)[1])
        expected = steps.get(change.verb) or announced.get(change.then)
        if expected is None:
            assert change.step is None or isinstance(change.step, FollowStep | RecordStep)
        else:
            assert isinstance(change.step, expected)


def test_the_words_of_a_status_that_is_not_known_are_shown_as_they_came() -> None:
    want = resource(job_spec())
    job = replace(remote(S.UNKNOWN, launch=first_launch(want)), raw_status="moon_phase")
    change = decide(situation(want, entry=entry_for(want, job), seen=SeenJob(mine=job, slot=(job,))))
    assert change.reason is Reason.UNKNOWN_STATUS
    assert '"moon_phase"' in change.detail


def test_a_resume_is_a_hazard_only_where_it_is_paid() -> None:
    want, given = launched(S.PAUSED, paused_by="us")
    assert [h.hazard for h in decide(given).hazards] == [Hazard.SPEND]
    free = situation(want, entry=given.entry, seen=given.seen, paid=False)
    assert decide(free).hazards == ()


@pytest.mark.parametrize("step", [None, 0])
def test_a_pause_before_the_first_step_waits_for_it(step: int | None) -> None:
    _, given = launched(S.RUNNING, "paused", step=step)
    assert cell_of(decide(given)) == wait(Reason.BEFORE_FIRST_STEP)
    assert decide(given).then == ("pause",)


@pytest.mark.parametrize(("step", "reason"), [(6, Reason.PARTIAL), (10, Reason.MATCHES), (None, Reason.MATCHES)])
def test_a_success_below_its_last_step_is_said_to_be_partial(step: int | None, reason: Reason) -> None:
    _, given = launched(S.SUCCEEDED, step=step)
    assert cell_of(decide(given)) == keep(reason)


def test_a_partial_success_is_still_partial_when_only_the_lock_knows_the_steps() -> None:
    want, given = launched(S.SUCCEEDED, step=6, total_steps=10)
    assert isinstance(given.seen, SeenJob)
    silent = replace(given.seen, progress=Progress())
    entry = replace(given.entry, resolved={**given.entry.resolved, "step": 6}) if given.entry else None
    assert decide(situation(want, entry=entry, seen=silent)).reason is Reason.PARTIAL


@pytest.mark.parametrize("run", ["running", "paused"])
def test_our_own_cancel_is_not_taken_for_somebody_elses(run: str) -> None:
    want, given = launched(S.CANCELLED, run)
    ended = situation(
        want,
        entry=given.entry,
        seen=given.seen,
        tombstones=(first_launch(want),),
    )
    expected = {
        "running": Cell(Action.REPLACE, "relaunch", Reason.AFTER_OUR_CANCEL),
        "paused": keep(Reason.RUN_STATE_HELD_BACK),
    }
    assert cell_of(decide(ended)) == expected[run]
