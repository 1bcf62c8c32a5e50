"""Gates that fail whatever a job learns are told before it is paid for."""

from __future__ import annotations

from datetime import date

import pytest

from rftplan.api.profiles import profile
from rftplan.checks.gates import RULES
from rftplan.checks.preflight import Preflight
from rftplan.config import read_config
from rftplan.source.root import Root
from tests.findings import edited, line_of, with_grader
from tests.world import SPEC, Small

GATE = "{metric: valid_reward_mean, at_least: 0.1}"
AT = "specs/main.yaml"
METHOD = SPEC[SPEC.index("    method:") : SPEC.index("deployments:")]


def found(small: Small, spec: str) -> list[str]:
    small.write(AT, spec)
    config, findings = read_config(Root(small.root), "specs")
    assert findings == []
    preflight = Preflight(config, profile("local"), date(2026, 11, 22))
    return [line_of(one) for rule in RULES for one in rule(preflight)]


def gated(gate: str, spec: str = SPEC) -> str:
    return edited((GATE, gate), spec=spec)


def trained(method: str, spec: str = SPEC) -> str:
    return edited((METHOD, f"    method: {{type: {method}}}\n"), spec=spec)


@pytest.mark.parametrize(
    "gate",
    [
        GATE,
        "{metric: valid_reward_mean, at_least: 1.0}",
        "{metric: full_valid_mean_reward, at_most: 0}",
        "{metric: mean_unresponsive_rewards, at_most: 3}",
        "{metric: full_valid_mean_parse_error, at_most: 0.05}",
        "{metric: reasoning_tokens_mean, at_most: 9000}",
        "{metric: valid_reward_mean, at_least: 0.5, at_most: 0.5}",
        "{gap: reward, at_most: 0.1}",
        "{grader_errors: share, at_most: 0.01}",
    ],
)
def test_a_gate_that_can_be_passed_is_no_finding(small: Small, gate: str) -> None:
    assert found(small, gated(gate)) == []


def test_a_misspelt_metric_has_the_closest_one_as_hint(small: Small) -> None:
    assert found(small, gated("{metric: valid_reward_maen, at_least: 0.1}")) == [
        f"J110 {AT}:26:18 checkpoints of job.review, a reinforcement job, do not have valid_reward_maen, and a gate "
        'without its figure fails | did you mean "valid_reward_mean"?'
    ]


def test_a_metric_of_another_method_is_one_that_is_not_there(small: Small) -> None:
    (line,) = found(small, gated("{metric: train_loss, at_most: 0.1}"))
    assert line.startswith("J110")
    (line,) = found(small, trained("supervised"))
    assert line.startswith("J110") and "a supervised job, do not have valid_reward_mean" in line
    assert found(small, gated("{metric: full_valid_loss, at_most: 1}", trained("supervised"))) == []


def test_dpo_jobs_have_metrics_that_no_source_lists(small: Small) -> None:
    assert found(small, gated("{metric: valid_margin, at_least: 0}", trained("dpo"))) == []
    assert [line[:4] for line in found(small, trained("dpo"))] == ["J110"]


def test_without_a_validation_file_nothing_is_valid_and_nothing_the_best(small: Small) -> None:
    spec = edited(("    validation_file: test\n", ""), spec=trained("supervised"))
    lines = found(small, gated("{metric: valid_loss, at_most: 1}", spec))
    assert "a supervised job without a validation file, do not have valid_loss" in lines[0]
    assert lines[1].startswith(f"J112 {AT}:19:17 job.review has no validation file")
    assert found(small, gated("{metric: train_loss, at_most: 1}", spec).replace("best", "final")) == []


JUDGE = "    {type: score_model, model: m, input: [{role: user, content: x}], range: RANGE}\n"
CHECK = "{type: string_check, input: '{{sample.output_text}}', reference: '{{item.answer}}', operation: eq}"
MULTI = f"    {{type: multi, graders: {{a: {CHECK}, b: {JUDGE.strip()}}}, calculate_output: 'FORMULA'}}\n"
CODED = MULTI.replace(CHECK, "{type: python, source: 'def grade(sample, item): return 9.0'}")


def combined(formula: str, of: str = MULTI) -> str:
    return with_grader(of.replace("RANGE", "[1, 5]").replace("FORMULA", formula))


@pytest.mark.parametrize(
    ("spec", "gate", "says"),
    [
        (SPEC, "{metric: valid_reward_mean, at_least: 1.5}", "lies between 0 and 1, and at least 1.5"),
        (SPEC, "{metric: valid_reward_mean, at_most: -0.1}", "lies between 0 and 1, and at most -0.1"),
        (SPEC, "{gap: reward, at_least: 1.5}", "lies between -1 and 1, and at least 1.5"),
        (SPEC, "{grader_errors: share, at_most: -0.1}", "lies between 0 and 1, and at most -0.1"),
        (
            SPEC,
            "{held_out: {file: test, grader: match}, better_than: live, by: 1}",
            "better by more than 1 is asked for",
        ),
        (SPEC, "{metric: valid_reward_mean, at_least: 0.8, at_most: 0.7}", "at least 0.8 and at most 0.7"),
        (SPEC, "{metric: full_valid_mean_parse_error, at_least: 2}", "lies between 0 and 1"),
        (SPEC, "{metric: completion_tokens_mean, at_most: -1}", "is never below 0"),
        (with_grader(JUDGE.replace("RANGE", "[1, 5]")), "{metric: valid_reward_mean, at_least: 6}", "between 0 and 5"),
        (combined("0.5 * a + 0.1 * b"), "{metric: valid_reward_mean, at_least: 1.2}", "lies between 0 and 1,"),
        (combined("0 - a * b"), "{metric: valid_reward_mean, at_least: 0.5}", "lies between -5 and 0,"),
        (
            combined("0 - exp(a)", CODED),
            "{metric: train_reward_mean, at_least: 1}",
            "never above 0",
        ),
    ],
)
def test_a_gate_that_nothing_can_pass_says_why(small: Small, spec: str, gate: str, says: str) -> None:
    (line,) = found(small, gated(gate, spec))
    assert line.startswith("J111") and says in line


def test_a_row_that_fails_counts_as_0_so_a_judges_least_score_is_no_limit(small: Small) -> None:
    judged = with_grader(JUDGE.replace("RANGE", "[1, 5]"))
    assert found(small, gated("{metric: valid_reward_mean, at_most: 0.5}", judged)) == []


def test_what_a_formula_may_reach_is_no_finding(small: Small) -> None:
    assert found(small, gated("{metric: valid_reward_mean, at_least: 1}", combined("0.5 * a + 0.1 * b"))) == []
    assert found(small, gated("{metric: valid_reward_mean, at_most: 0.1}", combined("max(0.2, a)"))) == []  # a failure


def test_where_the_range_is_not_certain_nothing_is_said(small: Small) -> None:
    unread = combined("a +* b")
    assert [line[:4] for line in found(small, gated("{metric: valid_reward_mean, at_least: 6}", unread))] == []
    python = with_grader("    type: python\n    source: 'def grade(sample, item): return 9.0'\n")
    assert found(small, gated("{metric: valid_reward_mean, at_least: 6}", python)) == []


@pytest.mark.parametrize("gate", ["{gap: reward, at_most: 0.1}", "{grader_errors: share, at_most: 0}"])
def test_a_job_without_graders_has_no_gap_and_no_errors_of_theirs(small: Small, gate: str) -> None:
    (line,) = found(small, gated(gate, trained("supervised")))
    assert line.startswith("J110") and "a supervised job, has no rewards and no graders" in line


@pytest.mark.parametrize(
    ("selector", "says"),
    [
        ("{step: 12}", "step 12 stays only if it is one of them"),
        ("{metric: completion_tokens_mean, take: min}", "the min of completion_tokens_mean is taken among these"),
        ("{metric: valid_reward_mean, take: max}", None),
        ("final", None),
    ],
)
def test_a_checkpoint_that_may_vanish_is_noted(small: Small, selector: str, says: str | None) -> None:
    lines = found(small, edited(("checkpoint: best", f"checkpoint: {selector}")))
    assert len(lines) == (says is not None)
    if says is not None:
        assert lines[0].startswith(f"J118 {AT}:24:17 ") and says in lines[0]
