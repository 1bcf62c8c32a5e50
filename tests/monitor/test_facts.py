"""All that is known of one job."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.port import JobEvent, JobStatus
from rftplan.monitor.facts import growth
from rftplan.render.look import Look
from rftplan.render.monitor_documents import metrics_document, training_document
from rftplan.render.monitor_shapes import MetricsDocument, TrainingDocument
from rftplan.render.monitor_text import block_lines, brief_lines, news_lines
from rftplan.render.table import cell_width
from tests.monitor.runs import checkpoint, facts, job, rewards
from tests.monitor.test_points import EVENTS
from tests.render.test_shapes import fits


def test_a_run_is_told_by_its_newest_step() -> None:
    seen = facts(job(), rewards([0.1, 0.2, 0.3, 0.4]), after=250)
    assert (seen.step, seen.total_steps, seen.elapsed, seen.quiet) == (4, 20, 250, 10)
    assert seen.last is not None and seen.last.message == "Step 4/20"
    assert seen.guarded_by is None


def test_a_job_of_which_nothing_was_told_is_as_old_as_it_is() -> None:
    seen = facts(job(JobStatus.QUEUED), after=90)
    assert (seen.step, seen.total_steps, seen.elapsed, seen.quiet, seen.last) == (None, None, 90, 90, None)
    assert facts(job(), after=-5).elapsed == 0  # this machine's clock is behind


def test_the_best_checkpoint_is_the_one_that_best_would_choose() -> None:
    kept = [checkpoint(6, valid_reward_mean=0.8), checkpoint(4, valid_reward_mean=0.8), checkpoint(2)]
    assert facts(job(), checkpoints=kept).best == 4
    assert facts(job(), checkpoints=[checkpoint(6, valid_loss=0.3), checkpoint(4, valid_loss=0.2)]).best == 4
    assert facts(job(), checkpoints=[checkpoint(2)]).best is None


def test_answers_grow_by_means_of_three_and_the_judges_tokens_add_up() -> None:
    assert growth([100, 100, 100, 500, 300, 300, 300]) == 3
    assert growth([100] * 5) is None and growth([0.0] * 6) is None
    used = {"gpt-4o": {"train_prompt_tokens": 7, "train_completion_tokens": 2}}
    seen = facts(job(trained_tokens=99), rewards([0.1] * 3, model_graders_token_usage=used))
    assert (seen.tokens.judges["gpt-4o"].read, seen.tokens.judges["gpt-4o"].written, seen.tokens.trained) == (21, 6, 99)


@given(EVENTS, st.sampled_from(JobStatus), st.integers(-10, 10**7), st.sampled_from([60, 80, 120, None]))
def test_whatever_a_service_says_is_a_document_and_lines_that_fit(
    events: list[JobEvent], status: JobStatus, after: int, width: int | None
) -> None:
    seen = facts(job(status), sorted(events, key=lambda e: -e.created_at), after=after)
    for document, shape in ((training_document(seen), TrainingDocument), (metrics_document(seen), MetricsDocument)):
        assert fits(json.loads(json.dumps(document, allow_nan=False)), shape) == []
    look, training = Look(width=width), training_document(seen)
    shown = [*block_lines(training, look), *brief_lines(training, look), *news_lines(training, ["status"], look)]
    assert [line for line in shown if not line.isprintable()] == []
    if width is not None:
        assert [line for line in block_lines(training, look)[1:] if cell_width(line) > width and " " in line[20:]] == []


@pytest.mark.parametrize("value", [10**400, -(10**400)])
def test_a_number_beyond_all_numbers_is_none(value: int) -> None:
    (point,) = facts(job(), rewards([0.1], completion_tokens_mean=value, scores={"train_reward_mean": value})).points
    assert (point.answer_tokens,) == (None,)
