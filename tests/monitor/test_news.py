"""What is new about a job since somebody looked last."""

from __future__ import annotations

from rftplan.api.port import JobStatus
from rftplan.monitor import News, news_of
from tests.monitor.runs import checkpoint, facts, job, rewards, step

RUNNING = facts(job(), rewards([0.1, 0.2]), after=130)


def test_of_a_job_nobody_looked_at_everything_is_new_and_then_nothing_is() -> None:
    assert news_of(None, RUNNING) == (News.STATUS, News.STEP, News.VALIDATED)
    assert news_of(RUNNING, RUNNING) == ()


def test_a_step_is_news_and_so_is_a_validation_with_its_checkpoint() -> None:
    third = facts(job(), rewards([0.1, 0.2, 0.3]), after=190)
    assert news_of(RUNNING, third) == (News.STEP,)
    fourth = facts(job(), rewards([0.1, 0.2, 0.3, 0.4]), [checkpoint(4)], after=250)
    assert news_of(third, fourth) == (News.STEP, News.VALIDATED, News.CHECKPOINT)
    assert news_of(fourth, facts(job(JobStatus.PAUSING), rewards([0.1] * 4), after=250)) == (News.STATUS,)


def test_of_losses_each_tenth_is_news() -> None:
    told = [step(n, n, total=100, train_loss=1 / n) for n in range(21, 0, -1)]
    at = {n: facts(job(), told[-n:], after=30) for n in (9, 10, 19, 20)}
    assert News.TENTH in news_of(at[9], at[10])
    assert news_of(at[10], at[19]) == (News.STEP,)
    assert News.TENTH in news_of(at[19], at[20])


def test_trouble_is_news_once() -> None:
    graders = [{"name": "a", "train_other_error_mean": 0.5, "train_other_error_count": 3}]
    bad = {"errors": {"graders": graders}, "simulation": {"verdict": {"said": "so"}, "hacked": "it is"}}
    first, second = (facts(job(), rewards([0.1] * n, every=99, **bad), after=200) for n in (2, 3))
    assert news_of(None, first)[2:] == (News.GRADER_ERRORS, News.VERDICT, News.HACKED)
    assert news_of(first, second) == (News.STEP,)
    late = facts(job(), rewards([0.1] * 3, every=99, **bad), after=9_000)
    assert news_of(second, late) == (News.STALL,)
    assert news_of(late, late) == ()
