"""A plan of a part says so first, counts what it leaves out apart, and names commands that are about the same part."""

from __future__ import annotations

from textwrap import dedent

import pytest
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Action, Change, Mode, Plan, Reason
from rftplan.events import Outcome, Result
from rftplan.render.apply_text import apply_text
from rftplan.render.documents import Command, apply_document
from rftplan.render.look import Look
from rftplan.render.partial import partial_options, partial_text
from rftplan.render.plan_documents import plan_document
from rftplan.render.plan_text import plan_text, saved_plan_text
from tests.render.plans import FILE, JOB, RELAUNCH, plan_of

OTHER = Address("job", "other")
LEFT = Change(OTHER, Action.DEFER, "leave-out", Reason.LEFT_OUT, "--target names others; otherwise: launch")
PART = replace(
    plan_of(
        Change(FILE, Action.CREATE, "upload", Reason.NEEDED_BY_LAUNCH),
        Change(JOB, Action.CREATE, "launch", Reason.NOT_THERE),
        LEFT,
    ),
    target=(JOB,),
    left_out=(OTHER,),
)


def test_a_plan_of_a_part() -> None:
    assert plan_text(plan_document(PART), Look()) == dedent("""\
        Partial: only job.security-review and what it depends on.
        security  environment default, provider local, training SIMULATED

          + file.train           upload
              a job that is about to launch needs it
          + job.security-review  launch
              not there yet
          … job.other            left out
              left out of this plan: --target names others; otherwise: launch

        Plan: 1 launch, 1 upload. 0 waits, 0 held, 1 left out.

        Next: rftplan apply --target job.security-review
        """)


def test_a_part_with_nothing_to_do_claims_nothing_of_the_rest() -> None:
    quiet = replace(PART, changes=(LEFT,), target=(), exclude=(OTHER, FILE))
    text = plan_text(plan_document(quiet), Look())
    assert text.startswith("Partial: all but job.other, file.train and what depends on them.\n")
    assert text.endswith("\nNo changes in this part. 1 left out.\n")


@pytest.mark.parametrize(
    ("target", "exclude", "destroys", "said"),
    [
        ([], [], False, ""),
        (["job.a"], [], False, "Partial: only job.a and what it depends on."),
        (["job.a", "job.b"], [], True, "Partial: only job.a, job.b and what depends on them."),
        ([], ["job.a"], False, "Partial: all but job.a and what depends on it."),
        ([], ["job.a", "job.b"], True, "Partial: all but job.a, job.b and what they depend on."),
        (
            ["job.a"],
            ["file.b"],
            False,
            "Partial: only job.a and what it depends on, without file.b and what depends on it.",
        ),
        (["job.a\x1b[2J"], [], False, r"Partial: only job.a\x1b[2J and what it depends on."),
    ],
)
def test_what_the_part_is_in_one_sentence(target: list[str], exclude: list[str], destroys: bool, said: str) -> None:
    document = plan_document(replace(PART, target=(), mode=Mode.DESTROY if destroys else Mode.WHOLE))
    if target or exclude:
        document["partial"] = {"target": target, "exclude": exclude, "left_out": []}
    assert partial_text(document) == said


def test_what_is_typed_next_is_about_the_same_part_and_the_same_replacements() -> None:
    both = replace(PART, exclude=(OTHER,))
    assert partial_options(plan_document(both)) == " --target job.security-review --exclude job.other"
    again = replace(RELAUNCH.changes[0], reason=Reason.ASKED_TO_REPLACE)
    document = plan_document(replace(RELAUNCH, changes=(again,), target=(JOB,), mode=Mode.WHOLE))
    options = "--replace job.security-review --target job.security-review"
    assert f"Next: rftplan apply {options}\n" in plan_text(document, Look())
    saved = saved_plan_text(document, Look(), saved_as="p.json")
    assert f"with it: rftplan plan {options} --out p.json --allow cancel-active,spend\n" in saved


def test_the_part_is_bound_by_the_digest_and_what_it_leaves_out_is_not() -> None:
    document, whole = plan_document(PART), plan_document(replace(PART, target=(), left_out=()))
    assert document["digest"] != whole["digest"]
    assert "partial" not in whole
    assert plan_document(replace(PART, left_out=()))["digest"] == document["digest"]


def applied(plan: Plan, *results: Result, running: tuple[str, ...] = (), command: Command = Command.APPLY) -> str:
    document = apply_document(
        plan, results, requests=3, interrupted=False, outputs={}, running=running, command=command
    )
    return apply_text(document, Look())


UPLOADED = Result(FILE, Action.CREATE, "upload", Outcome.DONE, id="file-1")
LAUNCHED = Result(JOB, Action.CREATE, "launch", Outcome.DONE, id="ftjob-1")


def test_an_apply_of_a_part() -> None:
    assert applied(PART, UPLOADED, LAUNCHED, running=("job.security-review",)) == dedent("""\
          ✓ file.train           upload done  file-1
          ✓ job.security-review  launch done  ftjob-1
          … job.other            left out
              left out of this plan: --target names others; otherwise: launch

        Apply: 2 done, 1 left out. 3 requests. Training is SIMULATED.

        Still training: job.security-review. It goes on without this command; to pause it, write run: paused and apply.
        Follow this part to the end with: rftplan apply --target job.security-review --wait
        """)


def test_what_runs_outside_the_part_is_said_and_not_followed_with_it() -> None:
    text = applied(PART, UPLOADED, running=("job.other",))
    assert "Still training: job.other." in text
    assert "Follow" not in text
    assert text.endswith("What was left out is planned by: rftplan plan\n")
    assert applied(PART, UPLOADED, command=Command.DESTROY).endswith("is planned by: rftplan plan --destroy\n")


def test_what_failed_in_a_part_is_tried_again_in_that_part() -> None:
    failed = Result(FILE, Action.CREATE, "upload", Outcome.FAILED, error="no")
    assert "then run: rftplan apply --target job.security-review\n" in applied(PART, failed)


def test_a_part_with_nothing_in_it_to_do_is_not_all_that_the_specs_say() -> None:
    assert "What is there of this part is as it should be." in applied(replace(PART, changes=()))
