"""Grading many answers: several at once where a model is asked, in order, and an end to what never ends."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import pytest

from rftplan.errors import UserError
from rftplan.grading import (
    Flag,
    JudgeFailure,
    JudgeReply,
    JudgeRequest,
    PythonFailure,
    Sample,
    StandInJudge,
    parse_grader,
)
from rftplan.trial.runs import SAMPLE, Rater, rate_samples
from rftplan.trial.samples import Entry

JUDGED = {"type": "score_model", "model": "m", "input": [{"role": "user", "content": "{{sample.output_text}}"}]}
CODE = {"type": "python", "source": "def grade(sample, item): ..."}
MULTI = {"type": "multi", "graders": {"code": CODE}, "calculate_output": "code"}


class Slow:
    """A model that answers with the text, and only when four are asked at once."""

    name = "slow"
    stand_in = False

    def __init__(self) -> None:
        self._together = threading.Barrier(4, timeout=30)

    def score(self, request: JudgeRequest) -> JudgeReply:
        self._together.wait()
        return JudgeReply("slow", float(request.answer))


class Broken(Slow):
    def score(self, request: JudgeRequest) -> JudgeReply:
        return JudgeReply("slow", JudgeFailure(Flag.MODEL_SERVER, "connection refused"))


class Late:
    """Runs out of time for every answer but "quick"."""

    refusal = None

    def score(self, source: str, sample: object, item: object) -> float | PythonFailure:
        assert isinstance(sample, dict)
        return 1.0 if sample["output_text"] == "quick" else PythonFailure(Flag.PYTHON_SERVER, "timeout: over 120 s")

    def scores(self, source: str, rows: Iterable[tuple[object, object]]) -> Iterator[float | PythonFailure]:
        return (self.score(source, *row) for row in rows)


def entries(*texts: str) -> list[Entry]:
    return [Entry(line, Sample(text), {}) for line, text in enumerate(texts, start=1)]


def test_a_model_is_asked_several_times_at_once_and_the_order_is_kept() -> None:
    heard: list[int] = []
    texts = [str(number / 100) for number in range(40)]
    scored = rate_samples(Rater(parse_grader(JUDGED), Slow()), entries(*texts), heard.append)
    assert [one.result.reward for one in scored.listed] == [float(text) for text in texts]
    assert heard == list(range(1, 41))


def test_a_judge_that_gives_no_score_is_no_fault_of_the_grader() -> None:
    scored = rate_samples(Rater(parse_grader(JUDGED), Broken()), entries("a", "b"), lambda _: None)
    assert scored.unjudged == scored.column(SAMPLE).failed == 2


@pytest.mark.parametrize("body", [CODE, MULTI])
def test_what_runs_out_of_time_three_times_in_a_row_is_given_up(body: dict[str, object]) -> None:
    rater = Rater(parse_grader(body, runner=Late()), StandInJudge())
    rate_samples(rater, entries("slow", "slow", "quick", "slow", "slow"), lambda _: None)
    with pytest.raises(UserError, match="out of time on 3 answers"):
        rate_samples(rater, entries("slow"), lambda _: None)
