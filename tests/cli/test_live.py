"""Events shown: lines for a log, a live view for a person, never an error."""

from __future__ import annotations

import io
import re

from rftplan.changes import Action
from rftplan.cli.live import Lines, LiveView, listener_for
from rftplan.events import (
    Event,
    Hashed,
    LookFailed,
    Outcome,
    Quality,
    Result,
    StepEnded,
    StepStarted,
    Trained,
    Uploaded,
    WaitStarted,
)
from rftplan.render.look import Look, Tone
from rftplan.render.progress_text import remarks
from tests.cli.streams import Streams, person, pipes
from tests.cli.test_board import trained
from tests.render.plans import FILE, JOB

UPLOADED = Result(FILE, Action.CREATE, "upload", Outcome.DONE, id="file-1")
FAILED = Result(JOB, Action.CREATE, "launch", Outcome.FAILED, error="out of\nquota")
EVENTS: list[Event] = [
    StepStarted(FILE, "upload"),
    Uploaded(FILE, 512, 2048),
    StepEnded(UPLOADED),
    WaitStarted((JOB,)),
    trained(None, None, "queued"),
    LookFailed(JOB, "timed\nout"),
    trained(3, 0.25),
    trained(4, 0.25),
    trained(6, 0.75),
    StepEnded(FAILED),
]


def told(streams: Streams, events: list[Event]) -> str:
    listener = listener_for(streams.terminal, Look(), now=lambda: 0.0)
    for event in events:
        listener(event)
    listener.close()
    return streams.stderr.getvalue()


def test_a_log_gets_one_line_for_each_piece_of_news() -> None:
    assert told(pipes(), EVENTS) == (
        "> file.train  upload …\n"
        "✓ file.train  upload done  file-1\n"
        "Waiting for job.security-review\n"
        "job.security-review  queued  reward train 0.5  (SIMULATED)\n"
        "job.security-review  no answer, asked again: timed\\nout\n"
        "job.security-review  running  step 3/12  reward train 0.5  valid 0.25  (SIMULATED)\n"
        "job.security-review  running  step 6/12  reward train 0.5  valid 0.75  (SIMULATED)\n"
        "✗ job.security-review  training failed  out of\\nquota\n"
    )


def test_hundreds_of_steps_are_not_hundreds_of_lines() -> None:
    assert told(pipes(), [trained(step, 0.5) for step in range(1, 500)]).count("\n") == 1


def test_a_person_sees_bar_curve_and_caveat_and_only_what_ended_stays() -> None:
    streams = person()
    listener = listener_for(streams.terminal, Look(), now=iter(range(100)).__next__)
    assert isinstance(listener, LiveView)
    for event in EVENTS[:-1]:
        listener(event)
    drawn = streams.stderr.getvalue()
    assert "running  step 6/12  [██████████··········]" in drawn
    assert "  reward train 0.5  valid 0.75  ▃▆\n  (SIMULATED)" in drawn
    assert "file.train  uploading [█████···············] 512 B of 2.0 kB" in drawn
    listener.close()
    assert streams.stderr.getvalue().endswith("\x1b[?25h") or "\x1b[?25h" in streams.stderr.getvalue()


def test_nothing_is_drawn_while_there_is_nothing_to_draw() -> None:
    assert told(person(), [Hashed("data/a.jsonl", 1, 10), Hashed("data/a.jsonl", 10, 10)]) == ""


def test_text_of_a_service_cannot_move_the_cursor() -> None:
    evil = Trained(JOB, "x", "running\x1b[2J\n", 1, 2, None, None, "\x1b]0;title\x07")
    assert "\x1b" not in told(pipes(), [evil])
    shown = re.sub(r"\x1b\[\??[0-9;]*[a-zA-Z]", "", told(person(), [evil]))
    assert "\x1b" not in shown and "\\x1b[2J\\n" in shown


def test_a_stream_that_nobody_reads_stops_nothing() -> None:
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    streams = pipes()
    streams.stderr = Closed()
    listener = listener_for(streams.terminal, Look())
    assert isinstance(listener, Lines)
    for event in EVENTS:
        listener(event)


def test_graders_that_fail_are_told_while_it_trains() -> None:
    broken = Trained(JOB, "x", "running", 1, 2, grader_errors=("explanation 61 of 61 validation answers (other)",))
    for streams in (pipes(), person()):
        assert "grader errors: explanation 61 of 61 validation answers (other)" in told(streams, [broken])


def test_a_grader_that_is_hacked_is_seen_being_hacked() -> None:
    """Reward and right answers side by side, the verdict before them; in a log each remark once."""
    quality = [Quality(0.1, 0.1 * n, "the grader does not tell", hacked="reward rose" * (n > 0)) for n in (3, 2, 1)]
    heard = [Trained(JOB, "x", "running", n, 9, 0.5, 0.3 * n, None, (), one) for n, one in enumerate(quality, 1)]
    log = told(pipes(), heard)
    assert log.count("before training: the grader does not tell") == log.count("hacked: reward rose") == 1
    assert log.index("before training") < log.index("reward train 0.5  valid 0.3  right answers train 0.1  valid 0.3")
    drawn = re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", told(person(), heard))
    assert "  reward train 0.5  valid 0.9  ▃▅▇" in drawn
    assert "  right answers train 0.1  valid 0.1  ▃▂▂" in drawn
    assert "  hacked: reward rose" in drawn


def test_losses_are_told_like_rewards() -> None:
    heard = [Trained(JOB, "x", "running", n, 2, train_loss=1 / n, valid_loss=0.9 / n) for n in (1, 2)]
    assert told(pipes(), heard).endswith("job.security-review  running  step 2/2  loss train 0.5  valid 0.45\n")
    assert "  loss train 0.5  valid 0.45  ▇▄" in re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", told(person(), heard))


def test_a_grader_that_is_good_is_no_caution() -> None:
    for separates, tone in ((True, Tone.FAINT), (False, Tone.CAUTION)):
        event = Trained(JOB, "x", "running", quality=Quality(verdict="so", separates=separates))
        assert remarks(event) == [(tone, "before training: so")]
    assert remarks(Trained(JOB, "x", "running")) == []


def test_a_block_fits_its_terminal() -> None:
    streams = person()
    listener = listener_for(streams.terminal, Look(width=40), now=lambda: 0.0)
    listener(trained(6, 0.75))
    drawn = re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", streams.stderr.getvalue()).replace("\r", "")
    assert "[██████████··········]" in drawn and "…" not in drawn
    assert all(len(line) <= 40 for line in drawn.splitlines())


def test_the_last_state_of_a_training_stays_and_a_drawn_block_can_be_taken_away() -> None:
    streams = person()
    listener = listener_for(streams.terminal, Look(), now=lambda: 0.0)
    for event in EVENTS[:-1]:
        listener(event)
    assert listener.erasure().startswith("\r\x1b[2K\x1b[1A")
    listener.close()
    assert listener.erasure() == ""
    kept = streams.stderr.getvalue()
    assert kept.rindex("step 6/12") > kept.rindex("\x1b[?25h")
