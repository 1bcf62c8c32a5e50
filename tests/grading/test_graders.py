"""What each grader type gives, and that a failure is a flag with reward 0."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from rftplan.grading import (
    Flag,
    JudgeFailure,
    JudgeReply,
    JudgeRequest,
    Result,
    Sample,
    StandInJudge,
    TokenUsage,
    missing_package,
    parse_grader,
)
from rftplan.grading.metrics import Metric
from tests.grading.builders import EQUAL, JUDGED, PYTHON, SIMILAR, multi

ITEM = {"label": "Paris", "n": 3}


@dataclass
class CannedJudge:
    """Answers as it was told to and remembers what it was asked."""

    outcome: float | JudgeFailure
    asked: list[JudgeRequest] = field(default_factory=list)
    name: str = "canned"
    stand_in: bool = False

    def score(self, request: JudgeRequest) -> JudgeReply:
        self.asked.append(request)
        return JudgeReply("judge-1", self.outcome, TokenUsage(10, 5, 2))


def grade(body: dict[str, Any], text: str, judge: Any = None) -> Result:
    return parse_grader(body).grade(Sample.of_text(text), ITEM, judge or StandInJudge())


@pytest.mark.parametrize(
    ("operation", "text", "reward"),
    [
        ("eq", "Paris", 1), ("eq", "paris", 0), ("ne", "Paris", 0), ("ne", "paris", 1),
        ("like", "In Paris.", 1), ("like", "in paris", 0), ("like", "Par", 0), ("ilike", "IN PARIS", 1),
    ],
)  # fmt: skip
def test_string_check_compares_as_its_operation_says(operation: str, text: str, reward: float) -> None:
    assert grade(EQUAL | {"operation": operation}, text).reward == reward


def test_a_number_is_compared_by_its_json_form() -> None:
    assert grade(EQUAL | {"reference": "{{item.n}}"}, "3").reward == 1


@pytest.mark.parametrize(
    ("reads", "flag"),
    [("item.nothing", Flag.INVALID_VARIABLE), ("sample.output_json.a", Flag.SAMPLE_PARSE)],
)
@pytest.mark.parametrize("body", [EQUAL, SIMILAR, JUDGED])
def test_a_missing_variable_is_a_flag_and_no_reward(body: dict[str, Any], reads: str, flag: Flag) -> None:
    text = f"{{{{{reads}}}}}"
    changed = {"input": [{"role": "user", "content": text}]} if body is JUDGED else {"input": text}
    result = grade(body | changed, "Paris")
    assert result.reward == 0
    assert list(result.errors) == [flag]
    assert reads in result.errors[flag]


@pytest.mark.skipif(missing_package(Metric.FUZZY_MATCH) is not None, reason="rapidfuzz is not installed")
def test_text_similarity_is_between_nothing_and_the_same() -> None:
    assert grade(SIMILAR, "Paris").reward == 1
    assert grade(SIMILAR, "xyz").reward == 0
    assert 0 < grade(SIMILAR, "Parma").reward < 1


def test_score_model_asks_the_judge_with_the_prompt_filled_in() -> None:
    judge = CannedJudge(0.75)
    result = grade(JUDGED | {"sampling_params": {"seed": 1}}, "London", judge)
    assert result.reward == 0.75
    assert result.sampled_model_name == "judge-1"
    assert result.token_usage == {"judge-1": TokenUsage(10, 5, 2)}
    (asked,) = judge.asked
    assert (asked.model, asked.sampling_params, asked.range) == ("gpt-4o-2024-08-06", {"seed": 1}, (0.0, 1.0))
    assert [message.text for message in asked.messages] == ["Reference: Paris\nAnswer: London"]
    assert (asked.answer, asked.references) == ("London", ("Paris",))


@pytest.mark.parametrize(("score", "reward"), [(9.0, 5.0), (-1.0, 0.0), (2.5, 2.5)])
def test_a_judges_score_is_clamped_to_the_range(score: float, reward: float) -> None:
    assert grade(JUDGED | {"range": [0, 5]}, "x", CannedJudge(score)).reward == reward


def test_a_score_that_is_no_number_is_a_parse_error() -> None:
    result = grade(JUDGED, "x", CannedJudge(float("nan")))
    assert result.reward == 0
    assert Flag.MODEL_PARSE in result.errors


def test_a_judge_that_fails_leaves_its_flag_and_its_tokens() -> None:
    result = grade(JUDGED, "x", CannedJudge(JudgeFailure(Flag.MODEL_REFUSAL, "no")))
    assert (result.reward, result.errors) == (0, {Flag.MODEL_REFUSAL: "no"})
    assert result.token_usage == {"judge-1": TokenUsage(10, 5, 2)}


def test_parts_of_an_answer_are_set_beside_fields_of_the_same_name() -> None:
    judge = CannedJudge(1.0)
    prompt = "{{item.why}} {{item.verdict}} {{sample.output_json.verdict}} {{sample.output_json.why}}"
    grader = parse_grader(JUDGED | {"input": [{"role": "user", "content": prompt}]})
    sample = Sample.of_text('{"verdict": "yes", "why": "It says so."}')
    grader.grade(sample, {"verdict": "no", "why": "It does not."}, judge)
    assert judge.asked[0].answer == "yes It says so."
    assert judge.asked[0].references == ("no It does not.",)


def test_a_prompt_that_reads_no_field_is_compared_with_all_texts_of_the_item() -> None:
    judge = CannedJudge(1.0)
    grade(JUDGED | {"input": [{"role": "user", "content": "Is this polite?"}]}, "Hello", judge)
    assert (judge.asked[0].answer, judge.asked[0].references) == ("Hello", ("Paris",))


def test_multi_calculates_over_its_members_by_key() -> None:
    result = grade(multi("0.5 * x + 0.25 * y", x=EQUAL, y=JUDGED), "Paris", CannedJudge(0.5))
    assert result.reward == 0.625
    assert result.sub_rewards == {"x": 1.0, "y": 0.5}
    assert result.sampled_model_name == "judge-1"
    assert result.token_usage == {"judge-1": TokenUsage(10, 5, 2)}


def test_a_member_that_fails_counts_as_nothing_and_is_named() -> None:
    broken = EQUAL | {"input": "{{sample.output_json.a}}"}
    result = grade(multi("x + y + z", x=broken, y=EQUAL, z=broken), "Paris")
    assert result.reward == 1
    details = result.errors[Flag.SAMPLE_PARSE]
    assert details.startswith("x: ")
    assert "; z: " in details


def test_dividing_by_a_member_that_is_zero_is_a_formula_error() -> None:
    result = grade(multi("1 / x", x=EQUAL), "London")
    assert result.reward == 0
    assert result.errors == {Flag.FORMULA_PARSE: "Division by zero."}


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (PYTHON, "Python graders are not run here."),
        (multi("x", x=EQUAL, y=PYTHON), "Grader 'y': Python graders are not run here."),
        (
            JUDGED | {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
            "Images and audio in a score_model grader's input are not judged by this service yet.",
        ),
    ],
)
def test_what_cannot_be_graded_here_says_so_and_gives_no_score(body: dict[str, Any], refusal: str) -> None:
    grader = parse_grader(body)
    assert grader.refusal == refusal
    with pytest.raises(RuntimeError, match=r"not (run here|judged by this service)"):
        grader.grade(Sample.of_text("x"), ITEM, StandInJudge())


def test_the_guides_own_example_is_graded_by_the_stand_in() -> None:
    body = multi(
        "0.5 * compliant + 0.5 * explanation",
        compliant=EQUAL | {"input": "{{sample.output_json.compliant}}", "reference": "{{item.compliant}}"},
        explanation=JUDGED
        | {"input": [{"role": "user", "content": "{{item.explanation}} {{sample.output_json.explanation}}"}]},
    )
    item = {"compliant": "yes", "explanation": "Data at rest is encrypted with AES-256."}
    sample = Sample.of_text('{"compliant": "yes", "explanation": "data at rest is encrypted with AES 256"}')
    result = parse_grader(body).grade(sample, item, StandInJudge())
    assert result.reward == 1
    assert result.sampled_model_name == "stand-in judge (text overlap)"
