"""What a person reads of a plan, as golden text."""

from __future__ import annotations

from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Action, Change, Drift, FieldChange, Mode, Plan, Reason
from rftplan.render.look import Look, ansi
from rftplan.render.plan_documents import plan_document
from rftplan.render.plan_text import MARKS, plan_text, proposal_text
from tests.render.plans import DEPLOYMENT, FIRST, GATE, JOB, RELAUNCH, plan_of


def shown(plan: Plan, look: Look = Look()) -> str:  # noqa: B008 - frozen
    return plan_text(plan_document(plan), look)


def test_a_first_plan() -> None:
    assert shown(FIRST, Look(program="rftplan -C demo")) == dedent("""\
        security  environment default, provider local, training SIMULATED

          + file.train                    upload
              a job that is about to launch needs it
          + job.security-review           launch
              not there yet
          … deployment.security-reviewer  waits
              its job has not succeeded yet: job.security-review is launched first
              then: promote

        Plan: 1 launch, 1 upload. 1 waits, 0 held.

        Next: rftplan -C demo apply --wait
        """)


def test_a_plan_with_hazards_drift_fields_and_evidence() -> None:
    assert shown(RELAUNCH) == dedent("""\
        security  environment default, provider local, training SIMULATED

          ± job.security-review           launch
              its content changed: launched beside the old one, which is then cancelled
              method.reinforcement.hyperparameters.reasoning_effort: "low" → "medium"
              seed: (none) → 7
          + deployment.security-reviewer  promote
              its candidate passed every gate: ft:new (step 12)
              valid_reward_mean 0.912 ≥ 0.8  passed  checkpoint step 12  (SIMULATED; stand-in judge (text overlap))

        Changed outside rftplan
          ~ file.train
              file-1 is gone from the service

        Needs your leave
          spend  job.security-review
              one training run of o4-mini-2025-04-16
          cancel-active  job.security-review
              ftjob-1 is running

        Plan: 1 launch, 1 promote. 0 waits, 0 held.

        Next: rftplan apply
        Without being asked: rftplan apply --yes --allow cancel-active,spend
        """).replace("  + deployment", "  ~ deployment")


def test_nothing_to_do_is_said_so() -> None:
    quiet = plan_of(Change(JOB, Action.NOOP, "keep", Reason.MATCHES, "ftjob-1 succeeded"))
    assert shown(quiet).splitlines()[2:] == ["No changes. What is there is what the specs say."]


def test_where_nothing_is_left_to_destroy_nothing_is_said_of_the_specs() -> None:
    said = shown(replace(plan_of(), mode=Mode.DESTROY)).splitlines()
    assert said[-1] == "Nothing to destroy. This lock has nothing left."


def test_an_unchanged_resource_with_news_is_listed() -> None:
    text = shown(plan_of(Change(JOB, Action.NOOP, "keep", Reason.PARTIAL, "3 of 12 steps")))
    assert "  · job.security-review  unchanged\n      it ended before its last step: 3 of 12 steps\n" in text


def test_a_hold_says_what_the_gate_saw_and_how_to_go_on() -> None:
    low = replace(GATE, value=0.79996, passed=False, caveats=())
    none = replace(GATE, metric="valid_loss", value=None, at_least=None, at_most=0.5, passed=False, caveats=())
    text = shown(
        plan_of(
            Change(DEPLOYMENT, Action.HOLD, "hold", Reason.GATE_FAILED, "ft:x", evidence=(low, none)),
            Change(JOB, Action.HOLD, "hold", Reason.HELD, "guard: reward fell"),
        )
    )
    assert "  ! deployment.security-reviewer  held\n      its candidate failed a gate: ft:x\n" in text
    assert "      valid_reward_mean 0.79996, needs ≥ 0.8  failed  checkpoint step 12\n" in text
    assert "      valid_loss has no figure, needs ≤ 0.5  failed" in text
    assert "      next: change the gate, the checkpoint or the job in the specs, then rftplan apply\n" in text
    assert "guard: reward fell\n      next: rftplan release job.security-review\n" in text
    assert text.endswith(
        "Plan: nothing to do now. 0 waits, 2 held.\n"
        "\n"
        "A person has to act on what is held, as it says above; until then apply exits 1.\n"
    )


def test_before_a_question_no_command_is_suggested() -> None:
    text = proposal_text(plan_document(RELAUNCH), Look())
    assert "Next:" not in text
    assert text.endswith("0 held.\n")


def test_every_action_has_a_mark_of_its_own() -> None:
    assert set(MARKS) == set(Action)
    assert len({mark for mark, _ in MARKS.values()}) == len(Action)


def test_many_fields_are_cut_and_counted() -> None:
    fields = tuple(FieldChange(f"f{i}", i, i + 1) for i in range(20))
    text = shown(plan_of(Change(JOB, Action.REPLACE, "launch", Reason.CONTENT_CHANGED, fields=fields)))
    assert "      f11: 11 → 12\n      and 8 more, in full with --json\n" in text


@given(st.text(), st.text(), st.integers(min_value=60, max_value=120))
def test_at_a_terminal_lines_fit_and_nothing_escapes(detail: str, value: str, width: int) -> None:
    change = Change(JOB, Action.REPLACE, "launch", Reason.GONE, detail, (FieldChange("a", value, "x" * 300),))
    text = shown(plan_of(change), Look(width=width))
    assert "\x1b" not in text
    assert all(len(line) <= width or " " not in line.strip() for line in text.splitlines())


def test_colours_change_no_word() -> None:
    import re

    assert re.sub(r"\x1b\[\d+m", "", shown(RELAUNCH, Look(paint=ansi))) == shown(RELAUNCH)
    assert "\x1b[" in shown(RELAUNCH, Look(paint=ansi))


def test_what_is_gone_and_not_needed_is_one_line_for_all() -> None:
    names = [Address("file", f"f{n}") for n in range(7)]
    changes = [Change(at, Action.NOOP, "keep", Reason.GONE_NOT_NEEDED) for at in names]
    drift = tuple(Drift(at, f"file-{at.name} is no longer at the service") for at in names)
    assert shown(plan_of(*changes, drift=drift)).splitlines()[2:] == [
        "Changed outside rftplan",
        "  ~ file.f0, file.f1, file.f2, file.f3, file.f4 and 2 more",
        "      gone from the service, and nothing needs it any more",
        "",
        "No changes. What changed outside needs none.",
    ]
