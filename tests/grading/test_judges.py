"""The stand-in judge: overlap of words, by name and never in disguise."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading import Flag, JudgeFailure, JudgeRequest, StandInJudge, word_overlap, words


def request(answer: str, *references: str, low: float = 0, high: float = 1) -> JudgeRequest:
    return JudgeRequest("gpt", (), (low, high), answer, references)


@pytest.mark.parametrize(
    ("answer", "references", "score"),
    [
        ("The data is encrypted.", ["the DATA is encrypted"], 1.0),
        ("data", ["data encrypted encrypted"], 0.5),
        ("nothing alike", ["data"], 0.0),
        ("", ["data"], 0.0),
        ("b c", ["a", "b c"], 1.0),
    ],
)
def test_it_scores_by_the_nearest_reference(answer: str, references: list[str], score: float) -> None:
    assert StandInJudge().score(request(answer, *references)).outcome == score


def test_its_score_fills_the_range() -> None:
    assert StandInJudge().score(request("a", "a", low=-1, high=5)).outcome == 5
    assert StandInJudge().score(request("b", "a", low=-1, high=5)).outcome == -1


def test_without_a_reference_it_gives_no_score() -> None:
    outcome = StandInJudge().score(request("a")).outcome
    assert isinstance(outcome, JudgeFailure)
    assert outcome.flag is Flag.MODEL_SERVER


def test_it_says_what_it_is() -> None:
    judge = StandInJudge()
    assert judge.stand_in
    assert judge.score(request("a", "a")).model == judge.name == "stand-in judge (text overlap)"
    assert judge.score(request("a", "a")).usage is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_overlap_is_symmetric_bounded_and_whole_for_the_same_words(one: str, other: str) -> None:
    overlap = word_overlap(words(one), words(other))
    assert 0 <= overlap <= 1
    assert overlap == word_overlap(words(other), words(one))
    assert word_overlap(words(one), words(one)) == (1 if words(one) else 0)
    assert word_overlap(Counter(), Counter()) == 0
