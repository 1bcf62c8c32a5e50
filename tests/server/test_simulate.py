"""The simulating trainer: it climbs where the grader lets it, repeats itself, and says what it is."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Any

import pytest

from rftplan.grading import Flag, JudgeFailure, JudgeReply, JudgeRequest, TokenUsage
from rftplan.server.simulate import SimulatingTrainer
from rftplan.server.trainer import TrainingFailedError, TrainingRun, Trajectory
from tests.server.simulation import (
    CALLS,
    EXACT,
    GRADER,
    calling_rows,
    make_run,
    question_rows,
    short_rows,
)

TRAIN, VALID = question_rows(64), question_rows(40, seed=1)


def train(run: TrainingRun) -> Trajectory:
    return SimulatingTrainer().train(run)


def validated(trajectory: Trajectory) -> list[float]:
    return [step.checkpoint["valid_reward_mean"] for step in trajectory.steps if step.checkpoint]


@dataclass
class CountingJudge:
    """Remembers every question; gives full marks, or fails as told."""

    failure: JudgeFailure | None = None
    name: str = "canned"
    stand_in: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def score(self, request: JudgeRequest) -> JudgeReply:
        with self.lock:
            self.asked.append((request.messages[0].text, request.answer))
        return JudgeReply("judge-1", self.failure or 1.0, TokenUsage(100, 20, 10))


@pytest.mark.parametrize("seed", range(20))
def test_a_well_made_grader_is_learned_from_any_seed(seed: int) -> None:
    trajectory = train(make_run(TRAIN, VALID, seed=seed))
    first = trajectory.steps[0].metrics["train_mean_reward"]
    assert 12 <= len(trajectory.steps) <= 24
    assert 0.35 <= first <= 0.65
    assert max(validated(trajectory)) >= 0.85
    assert max(validated(trajectory)) > first + 0.2


def test_the_same_run_gives_the_same_trajectory_and_another_seed_another() -> None:
    assert train(make_run(TRAIN, VALID)) == train(make_run(TRAIN, VALID))
    assert validated(train(make_run(TRAIN, VALID))) != validated(train(make_run(TRAIN, VALID, seed=8)))


def test_every_message_and_note_says_that_it_is_simulated() -> None:
    trajectory = train(make_run(TRAIN, VALID))
    assert SimulatingTrainer.simulated
    assert all(step.message.startswith("[SIMULATED] ") for step in trajectory.steps)
    assert all(note.startswith("[SIMULATED] ") for note in trajectory.notes)
    assert any("stand-in judge (text overlap), not by a model" in note for note in trajectory.notes)
    assert trajectory.steps[0].metrics["simulation"]["judge"] == "stand-in judge (text overlap)"


def test_a_step_speaks_as_the_vendors_does() -> None:
    steps = train(make_run(TRAIN, VALID, eval_interval=3)).steps
    share = r"\d\.\d\d"
    plain = rf"\[SIMULATED\] Step 1/16 , train mean reward={share}"
    assert re.fullmatch(plain, steps[0].message)
    full = rf", full validation mean reward={share}, full validation mean parse error={share}"
    assert re.fullmatch(plain.replace("1/16", "3/16") + full, steps[2].message)


def test_the_last_step_is_validated_and_leaves_a_checkpoint() -> None:
    steps = train(make_run(TRAIN, VALID, eval_interval=5)).steps
    assert [step.number for step in steps if step.checkpoint] == [5, 10, 15, 16]
    assert steps[-1].checkpoint is not None
    assert set(steps[-1].checkpoint) >= {
        "train_mean_reward", "full_valid_mean_reward", "train_reward_mean", "valid_reward_mean",
        "completion_tokens_mean", "reasoning_tokens_mean", "mean_unresponsive_rewards",
    }  # fmt: skip
    assert all(isinstance(value, float) for value in steps[-1].checkpoint.values())


def test_auto_and_absent_hyperparameters_become_numbers() -> None:
    auto = {"n_epochs": "auto", "batch_size": "auto", "eval_samples": "auto", "reasoning_effort": "default"}
    decided = train(make_run(TRAIN, VALID, **auto)).hyperparameters
    assert decided == train(make_run(TRAIN, VALID)).hyperparameters
    assert decided == {
        "n_epochs": 2,
        "batch_size": 8,
        "learning_rate_multiplier": 1.0,
        "compute_multiplier": 1.0,
        "eval_interval": 2,
        "eval_samples": 3,
        "reasoning_effort": "medium",
    }


def test_epochs_and_batch_size_decide_the_steps() -> None:
    assert len(train(make_run(TRAIN, VALID, n_epochs=3, batch_size=20)).steps) == 12
    assert len(train(make_run(TRAIN, VALID, n_epochs=1, batch_size=256)).steps) == 1


def averaged(figure: Callable[[Trajectory], float], **hyperparameters: Any) -> float:
    """Over some seeds, so that what is seen is the hyperparameter's doing."""
    rows = short_rows(64)
    runs = (
        make_run(rows, rows[:40], grader=EXACT, response_format=None, seed=seed, **hyperparameters) for seed in range(6)
    )
    return fmean(figure(train(run)) for run in runs)


def quality_at_the_end(trajectory: Trajectory) -> float:
    return validated(trajectory)[-1]


def tokens_trained(trajectory: Trajectory) -> float:
    return trajectory.trained_tokens


def tokens_of_reasoning(trajectory: Trajectory) -> float:
    return float(trajectory.steps[0].metrics["reasoning_tokens_mean"])


def flat_prompts(trajectory: Trajectory) -> float:
    return fmean(step.metrics["simulation"]["flat_prompts"] for step in trajectory.steps[:4])


def evaluations(trajectory: Trajectory) -> float:
    return len(validated(trajectory))


def tokens_of_evaluation(trajectory: Trajectory) -> float:
    last = trajectory.steps[-1].metrics
    return float(last["usage"]["samples"]["valid_reasoning_tokens_count"])


@pytest.mark.parametrize(
    ("name", "values", "figure"),
    [
        ("n_epochs", (1, 2, 4), quality_at_the_end),
        ("n_epochs", (1, 2, 4), tokens_trained),
        ("batch_size", (64, 32, 16, 8), quality_at_the_end),
        ("learning_rate_multiplier", (0.01, 0.05, 0.2, 1), quality_at_the_end),
        ("compute_multiplier", (0.25, 1, 4), tokens_trained),
        ("compute_multiplier", (4, 1, 0.25), flat_prompts),
        ("eval_interval", (16, 4, 1), evaluations),
        ("eval_samples", (1, 3, 10), tokens_of_evaluation),
        ("reasoning_effort", ("low", "medium", "high"), tokens_of_reasoning),
    ],
)
def test_each_hyperparameter_matters_as_one_would_think(
    name: str, values: tuple[Any, ...], figure: Callable[[Trajectory], float]
) -> None:
    """More passes and more updates learn more and cost more; larger groups are less often all the same."""
    found = [averaged(figure, **{name: value}) for value in values]
    assert all(less * 1.005 < more for less, more in pairwise(found)), found


def test_how_one_validates_changes_nothing_in_training() -> None:
    usual = train(make_run(TRAIN, VALID))
    for looked_at in ({"eval_interval": 1}, {"eval_samples": 7}):
        changed = train(make_run(TRAIN, VALID, **looked_at))
        rewards = [[step.metrics["train_mean_reward"] for step in run.steps] for run in (usual, changed)]
        assert rewards[0] == rewards[1]


def test_more_samples_make_a_validation_less_noisy() -> None:
    def spread(samples: int) -> float:
        rows = short_rows(24)
        runs = (
            make_run(rows, rows, grader=EXACT, response_format=None, seed=seed, eval_samples=samples, batch_size=24,
                     learning_rate_multiplier=1e-6)
            for seed in range(30)
        )  # fmt: skip
        return pstdev(validated(train(run))[0] for run in runs)

    assert spread(30) < spread(1) * 0.7


def test_a_model_that_is_trained_further_starts_where_it_ended() -> None:
    first = train(make_run(TRAIN, VALID))
    learned = first.steps[-1].model
    further = train(make_run(TRAIN, VALID, start=learned, seed=8))
    anew = train(make_run(TRAIN, VALID, seed=8))
    reward = "train_mean_reward"
    assert further.steps[0].metrics[reward] == pytest.approx(first.steps[-1].metrics[reward], abs=0.1)
    assert further.steps[0].metrics[reward] > anew.steps[0].metrics[reward] + 0.2
    assert "[SIMULATED] Training goes on from what o4-mini-2025-04-16 learned." in further.notes


@pytest.mark.parametrize("start", [{}, {"method": "supervised", "token_accuracy": 0.7}])
def test_a_start_that_says_nothing_of_answers_is_that_of_a_base_model(start: dict[str, Any]) -> None:
    further, anew = train(make_run(TRAIN, VALID, start=start)), train(make_run(TRAIN, VALID))
    assert further.steps == anew.steps
    assert sum("starts from where base models start" in note for note in further.notes) == 1


def test_without_a_schema_the_answer_is_the_field_that_the_grader_compares_with() -> None:
    run = make_run(short_rows(64), short_rows(40), grader=EXACT, response_format=None)
    trajectory = train(run)
    assert max(validated(trajectory)) > 0.9
    assert trajectory.steps[0].metrics["simulation"]["judge"] is None


def test_where_no_right_answer_can_be_built_it_says_so_and_learns_nothing() -> None:
    grader = GRADER["graders"]["explanation"] | {"input": [{"role": "user", "content": "{{sample.output_text}}"}]}
    schema = {"type": "object", "properties": {"formula": {"type": "string"}}}
    rows = [{"messages": [], "target": 3}] * 12
    run = make_run(rows, rows, grader=grader, response_format={"type": "json_schema", "schema": schema})
    trajectory = train(run)
    assert "[SIMULATED] No answer of these kinds can be made for 24 of 24 rows: right, near, wrong, verbose." in (
        trajectory.notes
    )
    assert all(step.metrics["simulation"]["train_right_share"] is None for step in trajectory.steps)
    assert max(validated(trajectory)) == 0
    assert trajectory.steps[0].metrics["simulation"]["flat_prompts"] == 1


def test_each_candidate_of_a_row_is_judged_once() -> None:
    judge = CountingJudge()
    prompt = "{{item.explanation}} {{sample.output_text}}"
    grader = GRADER["graders"]["explanation"] | {"input": [{"role": "user", "content": prompt}]}
    train(make_run(TRAIN, VALID, judge=judge, grader=grader))
    assert judge.asked
    assert len(judge.asked) == len(set(judge.asked))


def test_tokens_of_the_judge_are_counted_by_split() -> None:
    metrics = train(make_run(TRAIN, VALID, judge=CountingJudge())).steps[1].metrics
    (usage,) = metrics["usage"]["graders"]
    # A malformed answer is never shown to the judge and costs nothing.
    assert 0 < usage["train_prompt_tokens_mean"] <= 100
    assert (
        usage["valid_completion_tokens_count"]
        == metrics["model_graders_token_usage"]["judge-1"]["eval_completion_tokens"]
    )


def test_the_metrics_event_has_every_part_of_the_vendors() -> None:
    metrics = train(make_run(TRAIN, VALID)).steps[1].metrics
    assert set(metrics) == {
        "step", "total_steps", "usage", "errors", "scores", "timing", "train_mean_reward",
        "full_valid_mean_reward", "full_valid_mean_parse_error", "mean_unresponsive_rewards",
        "reasoning_tokens_mean", "valid_reasoning_tokens_mean", "completion_tokens_mean",
        "model_graders_token_usage", "simulation",
    }  # fmt: skip
    assert (metrics["step"], metrics["total_steps"]) == (2, 16)
    (usage,) = metrics["usage"]["graders"]
    assert set(usage) == {"name", "type", "model"} | {
        f"{split}_{kind}_tokens_{figure}"
        for split in ("train", "valid") for kind in ("prompt", "completion") for figure in ("mean", "count")
    }  # fmt: skip
    assert set(metrics["usage"]["samples"]) == {
        f"{split}_reasoning_tokens_{figure}" for split in ("train", "valid") for figure in ("mean", "count")
    }
    scores = metrics["scores"]
    assert [entry["name"] for entry in scores["graders"]] == ["verdict", "explanation"]
    assert scores["train_reward_mean"] == metrics["train_mean_reward"]
    halves = [entry["valid_reward_mean"] for entry in scores["graders"]]
    assert scores["valid_reward_mean"] == pytest.approx(sum(halves) / 2)
    assert set(metrics["timing"]["step"]) == {"sampling", "training", "eval", "full_iteration"}
    assert set(metrics["timing"]["graders"][0]) == {
        "name", "type", "train_execution_latency_mean", "valid_execution_latency_mean",
    }  # fmt: skip


def test_a_step_without_validation_has_nulls_where_its_figures_would_be() -> None:
    metrics = train(make_run(TRAIN, VALID)).steps[0].metrics
    assert metrics["full_valid_mean_reward"] is None
    assert metrics["scores"]["graders"][0]["valid_reward_mean"] is None
    assert metrics["usage"]["samples"]["valid_reasoning_tokens_count"] == 0


def test_a_field_that_rows_lack_is_counted_as_an_error_of_its_grader() -> None:
    grader = GRADER | {"graders": GRADER["graders"] | {"typo": EXACT | {"reference": "{{item.complaint}}"}}}
    metrics = train(make_run(TRAIN, VALID, grader=grader)).steps[1].metrics
    errors = {entry["name"]: entry for entry in metrics["errors"]["graders"]}
    assert errors["exact"]["train_invalid_variable_error_mean"] == 1
    assert errors["exact"]["train_invalid_variable_error_count"] == 64
    assert errors["exact"]["valid_invalid_variable_error_count"] == 120
    assert errors["verdict"]["train_invalid_variable_error_count"] == 0


def test_output_json_without_a_response_format_is_a_parse_error_in_every_sample() -> None:
    trajectory = train(make_run(TRAIN, VALID, response_format=None))
    assert trajectory.steps[-1].metrics["full_valid_mean_parse_error"] == 1
    assert max(validated(trajectory)) == 0


def test_a_judge_that_fails_is_counted_under_its_own_name_or_as_other() -> None:
    for flag, counted in ((Flag.MODEL_SERVER, "model_grader_server_error"), (Flag.MODEL_REFUSAL, "other_error")):
        judge = CountingJudge(JudgeFailure(flag, "no"))
        metrics = train(make_run(TRAIN, VALID, judge=judge)).steps[0].metrics
        entry = next(entry for entry in metrics["errors"]["graders"] if entry["type"] == "score_model")
        assert entry[f"train_{counted}_mean"] > 0.5


def test_a_formula_that_fails_is_an_error_of_the_multi_grader() -> None:
    grader = GRADER | {"calculate_output": "explanation / compliant", "name": "whole"}
    metrics = train(make_run(TRAIN, VALID, grader=grader)).steps[0].metrics
    errors = {entry["name"]: entry for entry in metrics["errors"]["graders"]}
    assert errors["whole"]["train_other_error_mean"] > 0
    assert errors["verdict"]["train_other_error_mean"] == 0


def test_an_empty_answer_is_unresponsive() -> None:
    run = make_run(short_rows(64), short_rows(40), grader=EXACT, response_format=None)
    assert train(run).steps[0].metrics["mean_unresponsive_rewards"] > 0


def test_a_length_loving_grader_is_seen_being_hacked() -> None:
    grader = EXACT | {"operation": "like", "reference": "other readings were taken into account"}
    run = make_run(short_rows(64), short_rows(40), grader=GRADER | {
        "graders": {"long": grader, "right": EXACT | {"operation": "ilike"}},
        "calculate_output": "0.9 * long + 0.1 * right",
    }, response_format=None)  # fmt: skip
    shares = train(run).steps[-1].metrics["simulation"]["candidate_shares"]
    assert max(shares, key=shares.__getitem__) == "verbose"


def test_a_thousand_rows_are_simulated() -> None:
    run = make_run(short_rows(1_000), short_rows(1_000), grader=EXACT, response_format=None)
    assert len(train(run).steps) == 16


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"train": []}, "invalid_training_file"),
        ({"valid": []}, "invalid_method"),
        ({"grader": None}, "invalid_method"),
        ({"grader": {"type": "python", "source": "def grade(s, i): return 1"}}, "unsupported_grader"),
    ],
)
def test_what_could_only_be_made_up_fails_the_job(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(TrainingFailedError) as caught:
        train(make_run(**{"train": TRAIN, "valid": VALID} | changed))
    assert caught.value.code == code


LOVES_WORDS: dict[str, Any] = {
    "type": "string_check",
    "name": "length",
    "input": "{{sample.output_json.explanation}}",
    "operation": "like",
    "reference": "every part of the question",
}
LOVES_FORM: dict[str, Any] = {
    "type": "string_check",
    "name": "form",
    "input": "{{sample.output_text}}",
    "operation": "like",
    "reference": '"}',
}


def qualities(trajectory: Trajectory) -> list[tuple[float, float]]:
    """Validation reward, and the share of right answers beside it."""
    validated = [step.metrics for step in trajectory.steps if step.checkpoint]
    return [(one["full_valid_mean_reward"], one["simulation"]["valid_right_share"]) for one in validated]


@pytest.mark.parametrize("grader", [LOVES_WORDS, LOVES_FORM])
def test_a_grader_that_can_be_hacked_is_seen_being_hacked(grader: dict[str, Any]) -> None:
    """Reward climbs to the top while right answers become no more: their share stands beside it."""
    trajectory = train(make_run(TRAIN, VALID, grader=grader))
    reward, right = qualities(trajectory)[-1]
    assert reward > 0.95
    assert right < 0.35
    survey = trajectory.steps[0].metrics["simulation"]["survey"]
    assert survey["verdict"] != "separates"
    assert any(
        note.startswith("[SIMULATED] Before training, the grader does not tell right answers from wrong ones: ")
        for note in trajectory.notes
    )
    assert (hacked := trajectory.steps[-1].metrics["simulation"]["hacked"]) is not None
    assert "the grader rewards something else" in hacked


def test_where_a_grader_is_good_quality_rises_with_reward() -> None:
    run = make_run(short_rows(64), short_rows(40), grader=EXACT, response_format=None)
    trajectory = train(run)
    assert qualities(trajectory)[-1][1] > qualities(trajectory)[0][1] + 0.2
    survey = trajectory.steps[0].metrics["simulation"]["survey"]
    assert (survey["verdict"], survey["why"], survey["scores"]["right"]) == ("separates", "clear", 1.0)
    assert survey["scores"]["other-row"] == survey["scores"]["empty"] == survey["flat_prompts"] == 0.0
    assert all(step.metrics["simulation"]["hacked"] is None for step in trajectory.steps)
    assert any("Each of 20 prompts has answers that score differently" in note for note in trajectory.notes)


def test_a_grader_that_says_the_same_of_everything_is_told_before_any_curve() -> None:
    always = {**LOVES_FORM, "reference": ""}
    trajectory = train(make_run(TRAIN, VALID, grader=always))
    notes = " ".join(trajectory.notes)
    assert "20 of 20 prompts score the same whatever is answered" in notes
    assert "the grader does not tell right answers from wrong ones: " in notes
    assert trajectory.steps[0].metrics["simulation"]["flat_prompts"] == 1.0


def test_scores_by_kind_are_those_of_the_step() -> None:
    step = train(make_run(TRAIN, VALID, grader=LOVES_WORDS)).steps[3].metrics
    shares, scores = step["simulation"]["candidate_shares"], step["simulation"]["scores_by_kind"]
    assert shares.keys() == scores.keys()
    assert sum(shares[kind] * scores[kind] for kind in shares) == pytest.approx(step["train_mean_reward"])
    assert step["simulation"]["train_right_share"] == pytest.approx(shares.get("right", 0.0))


def test_a_model_that_judges_is_not_asked_for_a_survey() -> None:
    judge = CountingJudge()
    trajectory = train(make_run(TRAIN, VALID, judge=judge))
    assert trajectory.steps[0].metrics["simulation"]["survey"] is None


def test_rows_with_tools_are_answered_with_calls_and_learned_from() -> None:
    trajectory = train(make_run(calling_rows(64), calling_rows(40), grader=CALLS, response_format=None))
    assert max(validated(trajectory)) > 0.85
    assert qualities(trajectory)[-1][1] > qualities(trajectory)[0][1] + 0.2
    said = [one for row in trajectory.answers for one in row]
    assert all(len(one.tool_calls) == 1 and one.text == "" for one in said)
    rights = [one for one in said if one.kind == "right"]
    assert rights and all(one.reward == 1.0 for one in rights)
    assert all(step.metrics["mean_unresponsive_rewards"] == 0.0 for step in trajectory.steps)


def test_calls_are_surveyed_like_any_answer() -> None:
    trajectory = train(make_run(calling_rows(64), calling_rows(40), grader=CALLS, response_format=None))
    survey = trajectory.steps[0].metrics["simulation"]["survey"]
    assert (survey["verdict"], survey["scores"]["right"], survey["scores"]["empty"]) == ("separates", 1.0, 0.0)
    assert survey["scores"]["malformed"] == 0.5, "half for the name, nothing for arguments that are cut off"


def test_arguments_that_no_grader_looks_at_are_seen_to_rot() -> None:
    """A grader of names alone pays for calls whose arguments are no JSON, and the run says so."""
    trajectory = train(
        make_run(calling_rows(64), calling_rows(40), grader=CALLS["graders"]["name"], response_format=None)
    )
    said = [step.metrics["simulation"]["hacked"] for step in trajectory.steps]
    assert any(one is not None and "cut off or empty" in one for one in said)


def test_an_answer_that_is_right_counts_as_right_whatever_its_kind() -> None:
    """The constant answer is the right one in some rows."""
    step = train(make_run(short_rows(64), short_rows(40), grader=EXACT, response_format=None)).steps[0].metrics
    assert step["simulation"]["train_right_share"] == pytest.approx(step["train_mean_reward"])


def test_tools_that_no_grader_reads_are_told() -> None:
    trajectory = train(make_run(calling_rows(12), calling_rows(4), grader=EXACT, response_format=None))
    assert any("nothing says which call is right" in note for note in trajectory.notes)
