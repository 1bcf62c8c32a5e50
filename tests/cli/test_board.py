"""What is under way, folded from events; what is news and what is not."""

from __future__ import annotations

from rftplan.changes import Action
from rftplan.cli.board import Board
from rftplan.events import Hashed, LookFailed, Outcome, Result, StepEnded, StepStarted, Trained, Uploaded
from tests.render.plans import FILE, JOB


def trained(step: int | None, valid: float | None, status: str = "running") -> Trained:
    return Trained(JOB, "ftjob-1", status, step, 12, 0.5, valid, "SIMULATED")


def test_training_is_news_when_its_status_or_its_validation_changes() -> None:
    board = Board()
    heard = [
        trained(None, None, "queued"),
        trained(None, None, "queued"),
        trained(1, None),
        trained(2, 0.4),
        trained(3, 0.4),
        trained(4, 0.6),
        trained(12, 0.6, "succeeded"),
    ]
    assert [board.fold(event, 0.0) for event in heard] == [True, False, True, True, False, True, True]
    assert board.training[JOB].curve == [0.4, 0.6]
    assert board.training[JOB].last.step == 12


def test_a_job_with_losses_is_news_at_each_tenth_of_its_steps() -> None:
    board = Board()
    heard = [
        Trained(JOB, "x", "running", step, 500, train_loss=1 / step, valid_loss=2 / step) for step in range(1, 501)
    ]
    assert sum(board.fold(event, 0.0) for event in heard) == 11
    assert board.training[JOB].curve == [2.0] + [2 / step for step in range(50, 501, 50)], "the whole course"
    alone = Board()
    alone.fold(Trained(JOB, "x", "running", 1, train_loss=0.5), 0.0)
    assert alone.training[JOB].curve == [0.5], "without a validation file, the training's"


def test_reading_is_news_once_and_only_after_a_second() -> None:
    board = Board()
    told = [board.fold(Hashed("a", int(now * 10), 1000), now) for now in (0.0, 0.9, 1.0, 2.0, 3.0)]
    assert told == [False, False, True, False, False]
    assert not board.fold(Hashed("a", 1000, 1000), 4.0)
    assert board.hashing == {}


def test_a_service_that_does_not_answer_is_news_once_until_it_answers() -> None:
    board, failed = Board(), LookFailed(JOB, "timed out")
    assert [board.fold(failed, 0.0) for _ in range(3)] == [True, False, False]
    board.fold(trained(3, 0.5), 0.0)
    assert board.unanswered == {}
    assert board.fold(failed, 0.0)


def test_a_step_that_ended_is_no_longer_under_way() -> None:
    board = Board()
    assert board.fold(StepStarted(FILE, "upload"), 0.0)
    assert not board.fold(Uploaded(FILE, 5, 10), 0.0)
    assert board.fold(StepEnded(Result(FILE, Action.CREATE, "upload", Outcome.DONE)), 0.0)
    assert board == Board()
