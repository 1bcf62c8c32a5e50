"""What came of pausing, resuming or cancelling by hand, as a person reads it."""

from __future__ import annotations

from rftplan.address import Address
from rftplan.events import Outcome
from rftplan.intervening import Command, Intervention, Touched
from rftplan.render.intervention_documents import intervention_document
from rftplan.render.intervention_text import intervention_text
from rftplan.render.look import Look

JOB = Address("job", "review")


def text(
    command: Command, *jobs: Touched, unheld: str | None = None, elsewhere: str | None = None, width: int | None = None
) -> str:
    done = Intervention(command, jobs, 2, "local at http://127.0.0.1:8391/v1", unheld, elsewhere)
    return intervention_text(intervention_document(done), Look(width=width))


def test_where_the_specs_name_another_service_it_is_told_who_was_asked() -> None:
    assert text(Command.PAUSE, elsewhere="rftplan.lock belongs to another account") == (
        "Asked was local at http://127.0.0.1:8391/v1, where the lock's jobs run: "
        "rftplan.lock belongs to another account.\n"
    )


def test_a_pause_says_how_the_job_stands_and_how_it_goes_on() -> None:
    paused = Touched("ftjob-1", JOB, "running", "pausing", Outcome.DONE, held=True)
    assert text(Command.PAUSE, paused) == (
        "job.review (ftjob-1): pausing, was running\n  held: no apply touches it until rftplan resume job.review\n"
    )


def test_what_failed_says_why_and_what_helps_and_a_lock_that_was_not_written_is_told() -> None:
    said = text(
        Command.CANCEL,
        Touched("ftjob-1", None, "queued", "queued", Outcome.FAILED, detail="no", hint="look"),
        Touched("ftjob-2", JOB, "cancelled", "cancelled", Outcome.SKIPPED, held=True, detail="it is cancelled already"),
        unheld="there is no lock",
    )
    assert said == (
        "ftjob-1: cancel failed: no\n"
        "  hint: look\n"
        "job.review (ftjob-2): it is cancelled already\n"
        "  held: no apply touches it until rftplan release job.review\n"
        "The lock was not written: there is no lock. An apply finds the job as it is, and asks.\n"
    )


def test_text_of_the_service_cannot_steer_the_terminal() -> None:
    evil = Touched("ftjob-\x1b[2J", JOB, "run\nning", "\x1b]0;x", Outcome.DONE, detail="")
    assert "\x1b" not in text(Command.PAUSE, evil) and text(Command.PAUSE, evil).count("\n") == 1
