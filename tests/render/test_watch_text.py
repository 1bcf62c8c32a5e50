"""How watching ended, and what to do next."""

from __future__ import annotations

import pytest

from rftplan.address import Address
from rftplan.api.port import JobStatus
from rftplan.monitor.ending import End, Ending
from rftplan.render.look import Look
from rftplan.render.monitor_documents import watch_document
from rftplan.render.watch_text import endings_text, left_text
from rftplan.watching import Watched
from tests.monitor.runs import JOB, checkpoint, facts, job, rewards

KEPT = [checkpoint(8, valid_reward_mean=0.81), checkpoint(6, valid_reward_mean=0.92)]


def ended(ending: Ending, *, address: Address | None = JOB) -> str:
    status = JobStatus.SUCCEEDED
    seen = facts(job(status), rewards([0.1] * 20, seconds=60), KEPT, address=address)
    return endings_text([watch_document(Watched(seen, 0.0, ending=ending))], Look())


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (
            Ending(End.SUCCEEDED),
            "✓ job.review  succeeded after 20 of 20 steps in 20 min; best checkpoint step 6, valid reward 0.92\n"
            "Next: rftplan apply\n",
        ),
        (
            Ending(End.PARTIAL),
            "✓ job.review  succeeded after 20 of 20 steps in 20 min, before its last step; "
            "best checkpoint step 6, valid reward 0.92\nNext: rftplan apply\n",
        ),
        (
            Ending(End.FAILED, detail="too many\nerrors"),
            "✗ job.review  failed after 20 of 20 steps: too many\\nerrors\nNext: rftplan events job.review\n",
        ),
        (
            Ending(End.PAUSED, ours=True),
            "- job.review  is paused after 20 of 20 steps, from here; best checkpoint step 6, valid reward 0.92\n"
            "Next: rftplan resume job.review\n",
        ),
        (
            Ending(End.PAUSED),
            "✗ job.review  is paused after 20 of 20 steps, not from here; best checkpoint step 6, valid reward 0.92\n"
            "Next: rftplan resume job.review --allow resume-after-service-pause, once it is known why it was paused\n",
        ),
        (
            Ending(End.CANCELLED),
            "✗ job.review  is cancelled after 20 of 20 steps, not from here; "
            "best checkpoint step 6, valid reward 0.92\nNext: rftplan plan\n",
        ),
        (
            Ending(End.LOST, detail="no such job (404)"),
            "✗ job.review  cannot be watched any more: no such job (404)\nNext: rftplan doctor\n",
        ),
    ],
)
def test_each_end_has_its_words_and_its_next_command(ending: Ending, said: str) -> None:
    assert ended(ending) == said


def test_a_job_of_somebody_else_is_named_by_its_id() -> None:
    assert ended(Ending(End.SUCCEEDED), address=None).endswith("Next: rftplan checkpoints --id ftjob-1\n")
    going = watch_document(Watched(facts(job(), address=None), 0.0))
    assert left_text([going], Look()) == (
        "\nInterrupted. Only the watching ended: ftjob-1 goes on at the service.\n"
        "Go on watching: rftplan watch --id ftjob-1\n"
    )


def test_before_anything_was_seen_there_is_nothing_to_go_on_with() -> None:
    assert left_text([], Look()) == "\nInterrupted.\n"
    assert endings_text([], Look()) == "No job of this project is active.\nNext: rftplan status\n"
