"""`watch`, `events`, `metrics`, `checkpoints` and `samples` on the command line, and jobs that train in `status`."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import JobStatus
from rftplan.cli.boundary import main
from rftplan.cli.invocation import Invocation
from rftplan.cli.watch_view import BlocksView, DocumentsView, LinesView
from rftplan.events import AskedToWait
from rftplan.monitor import Facts, news_of
from rftplan.monitor.ending import End, Ending
from rftplan.watching import Watched
from tests.cli.streams import Streams, person, pipes
from tests.cli.test_at_a_terminal import _read
from tests.monitor.runs import facts, job, rewards, simulated
from tests.render.test_shapes import FORMATS, fits
from tests.world import Small

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RFTPLAN_LOCAL_SPEED", "100000")


@pytest.fixture
def launched(small: Small, capsys: Capture) -> Path:
    """A project whose job begins to train."""
    assert main(["-C", str(small.root), "apply", "--yes"]) == 0
    capsys.readouterr()
    return small.root


def run(root: Path, capsys: Capture, *words: str, code: int = 0) -> str:
    assert main(["-C", str(root), *words]) == code
    return capsys.readouterr().out


@pytest.mark.usefixtures("fast")
def test_without_a_terminal_news_are_lines_and_the_end_says_what_is_next(launched: Path, capsys: Capture) -> None:
    told = run(launched, capsys, "watch", "job.review").splitlines()
    assert told[0].startswith("job.review  succeeded  step ") and "(SIMULATED)" in told[0]
    assert re.fullmatch(r"✓ job\.review  succeeded after \d+ of \d+ steps in \d+ s; best checkpoint step .*", told[-2])
    assert told[-1] == f"Next: rftplan -C {launched} apply"


@pytest.mark.usefixtures("fast")
def test_the_stream_has_a_document_a_line_and_each_step_once(launched: Path, capsys: Capture) -> None:
    documents = [json.loads(line) for line in run(launched, capsys, "watch", "--json", "job.review").splitlines()]
    assert [found for one in documents for found in fits(one, FORMATS["rftplan.watch/1"])] == []
    steps = [point["step"] for one in documents for point in one["training"]["points"]]
    assert steps == list(range(1, documents[-1]["training"]["total_steps"] + 1))
    assert documents[-1]["ending"]["end"] == "succeeded"


@pytest.mark.usefixtures("fast")
def test_nothing_to_watch_is_no_error(launched: Path, capsys: Capture) -> None:
    run(launched, capsys, "watch", "job.review")
    assert run(launched, capsys, "watch") == f"No job of this project is active.\nNext: rftplan -C {launched} status\n"
    assert run(launched, capsys, "watch", "--json") == ""


def test_what_another_stopped_is_an_exit_code(small: Small, capsys: Capture) -> None:
    small.clock.time = 1_700_000_000  # before that of the process, which looks later
    small.apply()
    id = small.lock().resources[Address("job", "review")].id
    small.service(lambda port: port.cancel_job(id))
    told = run(small.root, capsys, "watch", "--id", str(id), code=1).splitlines()
    assert told[-2:] == ["✗ job.review  is cancelled, not from here", f"Next: rftplan -C {small.root} plan"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["watch", "file.train"], "file.train is not a job"),
        (["events"], "say which job: its ADDRESS, or --id ID"),
        (["metrics", "job.review", "--id", "ftjob-1"], "say which job: its ADDRESS, or --id ID"),
        (["metrics", "job.review", "--json", "--format", "csv"], "--json and --format csv exclude each other"),
        (["samples", "job.review"], "say which step: --step N"),
        (["events", "job.review", "--limit", "0"], "must be at least 1"),
    ],
)
def test_wrong_words_are_told(words: list[str], said: str, capsys: Capture) -> None:
    assert main(words) == 64
    assert said in capsys.readouterr().err


def test_an_error_is_the_last_line_of_the_stream(small: Small, capsys: Capture) -> None:
    assert main(["-C", str(small.root), "watch", "--json", "job.nix"]) == 1
    out, err = capsys.readouterr()
    assert out.count("\n") == 1 and json.loads(out)["format"] == "rftplan.error/1"
    assert err.startswith("error: no launch of job.nix is known")


@pytest.mark.usefixtures("fast")
def test_one_look_at_a_job_that_has_ended(launched: Path, capsys: Capture) -> None:
    told = run(launched, capsys, "events", "job.review", "--limit", "2").splitlines()
    assert re.fullmatch(r"job\.review \(ftjob-\w+\)  succeeded  SIMULATED", told[0])
    assert told[2].endswith("  info   Fine tuning job successfully completed")
    assert told[3] == f"There are older ones: rftplan -C {launched} events job.review --limit 20"
    table = run(launched, capsys, "metrics", "job.review").splitlines()
    assert table[1].split() == [
        "step",
        "train",
        "reward",
        "valid",
        "reward",
        "train",
        "right",
        "valid",
        "right",
        "tokens",
        "seconds",
    ]
    csv = run(launched, capsys, "metrics", "job.review", "--format", "csv").splitlines()
    assert len(csv) == len(table) - 2 and csv[0].startswith("step,at,train_reward,") and "timing.step.eval" in csv[0]
    assert (
        json.loads(run(launched, capsys, "metrics", "job.review", "--format", "json"))["format"] == "rftplan.metrics/1"
    )
    kept = run(launched, capsys, "checkpoints", "job.review")
    assert kept.count("best") == 1 and "ft:o4-mini-2025-04-16" in kept
    step = re.findall(r"step (\d+)", kept)[0]
    assert "row " in run(launched, capsys, "samples", "job.review", "--step", step)


def test_status_has_the_same_facts_of_a_job_that_trains(small: Small, capsys: Capture) -> None:
    small.launch_until_step()
    (status,) = [one for one in small.status().values() if one.facts is not None]
    assert (str(status.address), status.facts and status.facts.job.status) == ("job.review", JobStatus.RUNNING)
    from rftplan.render.documents import status_document
    from rftplan.render.look import Look
    from rftplan.render.status_text import status_text

    document = status_document(small.status().values())
    assert [fits(document, FORMATS["rftplan.status/1"])] == [[]]
    told = status_text(document, Look(width=80))
    assert "\n\njob.review  running  step 1 of " in told and "\n  money          nothing: " in told
    small.train()
    assert [one for one in small.status().values() if one.facts is not None] == []


def test_ctrl_c_ends_the_watching_and_no_job(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RFTPLAN_LOCAL_SPEED", "0.001")  # however busy the machine is, it still trains
    launched = small.root
    assert main(["-C", str(launched), "apply", "--yes"]) == 0
    ours, theirs = pty.openpty()
    environ = {k: v for k, v in os.environ.items() if k != "CI"} | {"TERM": "xterm", "COLUMNS": "80"}
    command = [sys.executable, "-m", "rftplan", "-C", str(launched), "watch"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as watching:
        os.close(theirs)
        shown = b""
        while b"last event" not in shown:
            chunk = _read(ours)
            assert chunk, shown.decode()
            shown += chunk
        watching.send_signal(signal.SIGINT)
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    assert watching.returncode == 130
    told = re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", shown.decode()).replace("\r", "")
    assert "Only the watching ended: job.review goes on at the service." in " ".join(told.split())
    assert told.endswith(f"Go on watching: rftplan -C {launched} watch job.review\n")
    assert shown.count(b"\x1b[?25l") == shown.count(b"\x1b[?25h")


def view_of(streams: Streams, view: Any) -> Any:
    return view(Invocation(streams.terminal))


def seen(of: Facts, before: Facts | None = None, **rest: Any) -> Watched:
    return Watched(of, 0.0, news_of(before, of), **rest)


EARLY = facts(simulated(job()), rewards([0.1, 0.2]), after=130)
LATER = facts(simulated(job()), rewards([0.1, 0.2, 0.3]), after=190)


def test_a_log_says_once_that_nobody_answers_and_that_somebody_does_again() -> None:
    streams = pipes()
    view = view_of(streams, LinesView)
    view.show([seen(EARLY)])
    for _ in range(2):
        view.show([replace(seen(EARLY, EARLY), unanswered="connection reset")])
    view.show([seen(LATER, EARLY)])
    assert streams.stdout.getvalue().splitlines()[1:] == [
        "job.review  no answer, asked again: connection reset",
        "job.review  answers again",
    ]
    view(AskedToWait(7))
    assert streams.stderr.getvalue() == "The service asks to wait 7 s; nothing is sent until then.\n"


def test_a_stream_tells_what_is_new_alone() -> None:
    streams = pipes()
    view = view_of(streams, DocumentsView)
    for one in (seen(EARLY), seen(EARLY, EARLY), seen(LATER, EARLY), replace(seen(LATER, LATER), unanswered="no")):
        view.show([one])
    view.show([replace(seen(LATER, LATER), ending=Ending(End.LOST))])
    documents = [json.loads(line) for line in streams.stdout.getvalue().splitlines()]
    assert [[point["step"] for point in one["training"]["points"]] for one in documents] == [[1, 2], [3], [], []]
    assert [one["unanswered"] for one in documents] == [None, None, "no", None]


def test_many_jobs_are_told_in_two_lines_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    drawn = {}
    for count in (1, 2, 9):
        streams = person()
        view = view_of(streams, BlocksView)
        view.show([seen(EARLY)] * count)
        drawn[count] = re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", streams.stderr.getvalue())
        view.close()
    assert drawn[1].count("last event") == 1 and drawn[2].count("last event") == 2
    assert "last event" not in drawn[9] and drawn[9].count("reward train 0.2") == 9
