"""What a person reads after an apply, as golden text."""

from __future__ import annotations

from textwrap import dedent

import pytest

from rftplan.changes import Action, Change, Plan, Reason
from rftplan.events import Outcome, Result
from rftplan.promoted import Promoted
from rftplan.render.apply_text import apply_text, closing_text
from rftplan.render.documents import Command, apply_document
from rftplan.render.look import Look
from rftplan.render.shapes import ApplyDocument
from tests.render.plans import DEPLOYMENT, FILE, FIRST, GATE, JOB, plan_of

MODEL = "ft:o4-mini-2025-04-16:local::abc:ckpt-step-12"
PROMOTED = {"security-reviewer": Promoted(MODEL, "job.security-review", 12, 1)}
UPLOAD = Result(FILE, Action.CREATE, "upload", Outcome.DONE, id="file-1")
TRAINED = Result(JOB, Action.CREATE, "train", Outcome.DONE, id="ftjob-1", detail="succeeded")


def document(
    *results: Result,
    plan: Plan = FIRST,
    interrupted: bool = False,
    command: Command = Command.APPLY,
    outputs: dict[str, Promoted] | None = None,
    running: tuple[str, ...] = (),
) -> ApplyDocument:
    return apply_document(
        plan,
        results,
        requests=12,
        interrupted=interrupted,
        outputs=outputs or {},
        running=running,
        command=command,
    )


def test_an_apply_to_the_end() -> None:
    promoted = Result(DEPLOYMENT, Action.DEFER, "promote", Outcome.DONE, id=MODEL, detail="step 12", evidence=(GATE,))
    assert apply_text(document(UPLOAD, TRAINED, promoted, outputs=PROMOTED), Look()) == dedent(f"""\
          ✓ file.train                    upload done   file-1
          ✓ job.security-review           train done    ftjob-1
              succeeded
          ✓ deployment.security-reviewer  promote done  {MODEL}
              step 12
              valid_reward_mean 0.912 ≥ 0.8  passed  checkpoint step 12  (SIMULATED; stand-in judge (text overlap))

        Apply: 3 done. 12 requests. Training is SIMULATED.

        Promoted
          security-reviewer  {MODEL}
            job.security-review, step 12, revision 1

        Next: rftplan output security-reviewer --raw
        """).replace("  ✓", "  ✓")


def test_a_failure_says_why_what_was_not_tried_and_how_to_go_on() -> None:
    hint = "name another"
    failed = Result(JOB, Action.CREATE, "launch", Outcome.FAILED, error="model not available (403)", hint=hint)
    skipped = Result(DEPLOYMENT, Action.DEFER, "wait", Outcome.SKIPPED, detail="job.x is not done")
    assert apply_text(document(UPLOAD, failed, skipped), Look(program="rftplan -C d")) == (
        "  ✓ file.train                    upload done    file-1\n"
        "  ✗ job.security-review           launch failed\n"
        "      model not available (403)\n"
        "      next: name another\n"
        "  · deployment.security-reviewer  not tried\n"
        "      job.x is not done\n"
        "\n"
        "Apply: 1 done, 1 failed, 1 not tried. 12 requests. Training is SIMULATED.\n"
        "\n"
        "Next: mend what failed, then run: rftplan -C d apply\n"
        "If the service only did not answer, there is nothing to mend: run it again.\n"
    )


def test_who_read_each_line_of_progress_is_told_an_error_once() -> None:
    failed = Result(
        JOB, Action.CREATE, "launch", Outcome.FAILED, error="model not available (403)", hint="name another"
    )
    assert closing_text(document(UPLOAD, failed), Look()).splitlines()[:3] == [
        "  ✗ job.security-review           launch failed",
        "      why: it is said above",
        "      next: name another",
    ]


@pytest.mark.parametrize(
    ("shown", "last"),
    [
        (document(plan=plan_of()), "Nothing to do. What is there is what the specs say. Training is SIMULATED."),
        (document(UPLOAD, TRAINED), "What waits says above what it waits for. Look again with: rftplan apply"),
        (
            document(UPLOAD, TRAINED, running=("job.security-review",)),
            "Follow it to the end with: rftplan apply --wait",
        ),
        (document(UPLOAD, interrupted=True), "Go on with: rftplan apply --wait"),
        (document(UPLOAD, interrupted=True, command=Command.DESTROY), "Go on with: rftplan destroy"),
        (document(plan=plan_of(), command=Command.DESTROY), "Nothing to do. Nothing is left. Training is SIMULATED."),
        (document(plan=plan_of(), outputs=PROMOTED), "Next: rftplan output security-reviewer --raw"),
    ],
)
def test_the_last_line_is_what_to_do_next(shown: ApplyDocument, last: str) -> None:
    assert apply_text(shown, Look()).splitlines()[-1] == last


def test_jobs_that_go_on_are_said_to_and_to_cost_where_they_do() -> None:
    free = document(UPLOAD, TRAINED, running=("job.a", "job.b"))
    assert "Still training: job.a, job.b. It goes on without this command; to pause" in apply_text(free, Look())
    paid = document(UPLOAD, TRAINED, running=("job.a",))
    paid["provider"]["type"] = "openai"
    assert "Still training: job.a. It goes on without this command, and costs; to pause" in apply_text(paid, Look())


EARLY = plan_of(Change(JOB, Action.DEFER, "wait", Reason.BEFORE_FIRST_STEP, "ftjob-1 is queued, and trains on"))


def test_a_job_that_shall_be_paused_is_never_told_what_was_just_done() -> None:
    shown = document(plan=EARLY, running=(str(JOB),))
    shown["provider"]["type"] = "openai"
    text = apply_text(shown, Look())
    assert "write run: paused" not in text
    assert "Not paused yet: job.security-review. It goes on without this command, and costs." in text
    assert text.splitlines()[-1] == "Pause it after its first step with: rftplan apply --wait"
    both = apply_text(document(plan=EARLY, running=("job.other", str(JOB))), Look())
    assert "Still training: job.other. It goes on" in both


def test_what_destroy_did_is_said_of_destroy() -> None:
    assert "Destroy: 1 done" in apply_text(document(UPLOAD, command=Command.DESTROY), Look())


def test_a_held_job_does_not_go_on() -> None:
    held = plan_of(Change(JOB, Action.HOLD, "hold", Reason.PAUSED_ELSEWHERE, "ftjob-1 was paused by somebody else"))
    shown = document(plan=held, running=(str(JOB),))
    assert shown["running"] == []
    assert apply_text(shown, Look()).splitlines()[-1] == ("A person has to act; what stands in the way: rftplan plan")
    destroyed = apply_text(document(plan=held, command=Command.DESTROY), Look())
    assert destroyed.endswith("what stands in the way: rftplan plan --destroy\n")


def test_after_a_job_that_failed_the_next_step_is_a_decision_not_another_apply() -> None:
    failed = Result(JOB, Action.CREATE, "launch", Outcome.FAILED, id="ftjob-1", error="too many invalid rows")
    shown = document(UPLOAD, failed)
    assert "status" not in shown["results"][1]
    shown = apply_document(
        FIRST, [UPLOAD, failed], requests=1, interrupted=False, outputs={}, ended={"ftjob-1": "failed"}
    )
    text = apply_text(shown, Look())
    assert (
        "      next: mend its spec or its data; or launch it as it is: rftplan apply --replace job.security-review; or"
        in text
    )
    assert text.endswith("\nDecide about what failed, as it says above; then go on with: rftplan apply\n")
