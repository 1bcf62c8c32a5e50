"""Grading may not take longer than somebody waits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import openai
import pytest

from rftplan.grading import Judge, JudgeReply, JudgeRequest, Sample, StandInJudge, parse_grader
from rftplan.server.reinforce import Reinforcement
from rftplan.server.scoring import LONGEST, Scoring
from rftplan.server.trainer import RefusedRunError, TrainingRun, Trajectory

from .conftest import TrivialTrainer, World, create_job
from .simulation import make_run, short_rows

STRING_CHECK = {
    "type": "string_check",
    "name": "s",
    "input": "{{sample.output_text}}",
    "reference": "{{item.ref}}",
    "operation": "eq",
}
JUDGED = {"type": "score_model", "name": "j", "model": "m", "input": [{"role": "user", "content": "{{item.ref}}"}]}


class Asked:
    """A model, as far as a grader can tell."""

    name = "a model"
    stand_in = False

    def __init__(self) -> None:
        self.times = 0

    def score(self, request: JudgeRequest) -> JudgeReply:
        self.times += 1
        return StandInJudge().score(request)


@pytest.mark.parametrize("grader", [STRING_CHECK, JUDGED], ids=["alone", "by a model"])
def test_grading_that_takes_too_long_ends_and_says_what_took_how_long(grader: dict[str, object]) -> None:
    judge = Asked()
    scoring = Scoring(parse_grader(grader), judge, now=count(0.0, LONGEST / 10).__next__)
    answers = [(Sample.of_text("a"), {"ref": "a"})] * 20_000
    with pytest.raises(RefusedRunError) as refused:
        scoring.results(answers)
    assert refused.value.param == "method.reinforcement.grader"
    assert str(refused.value) == (
        "grading 11 answers took 462 s, and at most 420 s are given to it."
        " Train on fewer rows, or with a faster grader."
    )
    assert judge.times < 20_000, "what was waiting is not asked any more"


def test_grading_in_time_gives_every_result_in_order() -> None:
    scoring = Scoring(parse_grader(STRING_CHECK), StandInJudge(), now=lambda: 0.0)
    answers = [(Sample.of_text(text), {"ref": "a"}) for text in ("a", "b", "a")]
    assert [result.reward for result in scoring.results(answers)] == [1, 0, 1]


def test_a_run_is_refused_for_a_slow_grader_whatever_it_is_grading_for() -> None:
    run = make_run(short_rows(40), short_rows(10))
    assert run.grader is not None
    with pytest.raises(RefusedRunError, match="grading 11 answers took"):
        Reinforcement(run, run.grader, now=count(0.0, LONGEST / 10).__next__).trajectory()


@pytest.mark.anyio
async def test_no_job_is_made_of_it(make_world: Callable[..., World]) -> None:
    class Slow(TrivialTrainer):
        def train(self, run: TrainingRun) -> Trajectory:
            assert run.grader is not None
            judge: Judge = StandInJudge()
            Scoring(run.grader, judge, now=count(0.0, LONGEST).__next__).results(
                [(Sample.of_text("a"), {"answer": "a"})] * 3
            )
            return super().train(run)

    async with make_world(trainer=Slow()).sdk() as sdk:
        with pytest.raises(openai.BadRequestError, match="does not simulate such a run: grading 2 answers"):
            await create_job(sdk)
        assert (await sdk.fine_tuning.jobs.list()).data == []
