"""A person at a real terminal: asked before anything is done, and able to stop."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rftplan.cli.boundary import main


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert main(["-C", str(tmp_path), "init"]) == 0
    return tmp_path


def typed(project: Path, answer: str, *words: str) -> tuple[int, str]:
    """Run rftplan at a pseudo-terminal and answer its question; exit code and all that was shown."""
    ours, theirs = pty.openpty()
    environ = {k: v for k, v in os.environ.items() if k != "CI"} | {
        "TERM": "xterm",
        "COLUMNS": "80",
        "RFTPLAN_LOCAL_SPEED": "100000",
    }
    command = [sys.executable, "-m", "rftplan", "-C", str(project), *words]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as running:
        os.close(theirs)
        os.write(ours, answer.encode())
        shown = b""
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    return running.returncode, shown.decode().replace("\r", "")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so when the other side is closed
        return b""


def test_a_yes_covers_what_was_shown(project: Path) -> None:
    code, shown = typed(project, "yes\n", "apply", "--wait")
    assert code == 0
    assert shown.index("Plan:") < shown.index("Apply this plan? [y/N]") < shown.index("Promoted")
    assert "Next: rftplan" not in shown[: shown.index("Apply this plan?")]
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")


def test_a_no_does_nothing(project: Path) -> None:
    code, shown = typed(project, "n\n", "apply", "--wait")
    assert code == 1
    assert shown.endswith("Nothing was done.\n")
    assert not (project / "rftplan.lock").exists()


def test_with_json_a_no_is_told_to_programs_too(project: Path) -> None:
    code, shown = typed(project, "n\n", "apply", "--json")
    assert code == 1
    document = json.loads(shown[shown.index("Nothing was done.\n") + len("Nothing was done.\n") :])
    assert (document["format"], document["code"], document["exit_code"]) == ("rftplan.error/1", "declined", 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_at_the_question_does_nothing(project: Path, number: signal.Signals) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "rftplan", "-C", str(project), "apply"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as asked:
        os.close(theirs)
        shown = b""
        while b"[y/N]" not in shown:
            shown += _read(ours)
        asked.send_signal(number)
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    assert asked.returncode == 130
    assert shown.decode().replace("\r", "").endswith("[y/N] \nInterrupted.\n")
    assert not (project / "rftplan.lock").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("of", ["specs", "request"])
@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN], ids=["heard", "ignored"])
def test_ctrl_c_while_a_service_is_asked_leaves_nothing_behind(
    project: Path, number: signal.Signals, of: str, before: signal.Handlers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A service that takes the call and never answers. What runs in the background may have Ctrl-C ignored."""
    temporary = tmp_path_factory.mktemp("temporary")
    with socket.create_server(("127.0.0.1", 0)) as service:
        url = f"http://127.0.0.1:{service.getsockname()[1]}/v1"
        (spec,) = (project / "specs").glob("*.yaml")
        spec.write_text(spec.read_text().replace("provider: local", f"provider: {{type: openai, base_url: '{url}'}}"))
        environ = {**os.environ, "OPENAI_API_KEY": "sk-nobody-0123456789", "OPENAI_BASE_URL": url}
        environ |= {"TMPDIR": str(temporary), "RFTPLAN_LOCAL_SPEED": "1"}
        words = ["-C", str(project), "check", "--online", "--json"]
        if of == "request":
            grader = {"type": "string_check", "name": "g", "operation": "eq", "input": "a", "reference": "{{item.a}}"}
            (project / "grader.json").write_text(json.dumps(grader))
            environ |= {"HTTPS_PROXY": url.removesuffix("/v1")}
            words = ["check", str(project / "grader.json"), "--online", "--json"]
        command = [sys.executable, "-m", "rftplan", *words]
        with _started_with(before, command, environ) as asking:
            connection, _ = service.accept()
            with connection:
                connection.recv(1)
                asking.send_signal(number)
                out, err = asking.communicate()
    assert (asking.returncode, err) == (130, "\nInterrupted.\n")
    assert json.loads(out)["code"] == "interrupted"
    assert list(temporary.iterdir()) == []


def _started_with(before: signal.Handlers, command: list[str], environ: dict[str, str]) -> subprocess.Popen[str]:
    """A process that takes over what this one does at Ctrl-C: nothing but the end, or nothing at all."""
    ours = signal.signal(signal.SIGINT, before)
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)
    finally:
        signal.signal(signal.SIGINT, ours)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_waiting_ends_in_good_order_and_says_how_to_go_on(project: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "rftplan", "-C", str(project), "apply", "--yes", "--wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        while not next(waiting.stderr).startswith("Waiting for job.triage"):
            pass
        waiting.send_signal(number)
        out, err = waiting.communicate()
    assert waiting.returncode == 130
    assert "Stopping when the calls in flight have ended" in err
    assert "Interrupted: 4 done, 1 waits." in out
    assert "Still training: job.triage. It goes on without this command; to pause it, write run: paused" in out
    assert out.endswith(f"Go on with: rftplan -C {project} apply --wait\n")
    assert '"ftjob-' in (project / "rftplan.lock").read_text()


def test_a_second_signal_stops_at_once_and_still_says_how_to_go_on(project: Path) -> None:
    command = [sys.executable, "-m", "rftplan", "-C", str(project), "apply", "--yes", "--wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        while not next(waiting.stderr).startswith("Waiting for job.triage"):
            pass
        waiting.send_signal(signal.SIGINT)
        waiting.send_signal(signal.SIGTERM)
        _, err = waiting.communicate()
    assert waiting.returncode == 130
    assert err.endswith(f"jobs that were launched go on at the service.\nGo on with: rftplan -C {project} apply\n")
    assert main(["-C", str(project), "plan"]) == 0


def test_what_is_told_by_lines_is_not_told_again_to_who_reads_both_streams(project: Path) -> None:
    command = [sys.executable, "-m", "rftplan", "-C", str(project), "apply", "--yes", "--wait"]
    environ = {**os.environ, "RFTPLAN_LOCAL_SPEED": "100000"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ, check=True)
    after = done.stdout[done.stdout.index("> file.") :]
    assert after.count("launch done") == 1
    assert after.count("upload done") == 2
    assert "Apply: 5 done." in after


def test_at_a_terminal_each_result_stays_once_and_so_does_the_curve(project: Path) -> None:
    _, shown = typed(project, "yes\n", "apply", "--wait")
    stays = shown[shown.rindex("\x1b[?25h") :]
    assert stays.count("launch done") == 1
    assert stays.count("upload done") == 2
    assert "job.triage  succeeded  step" in shown and "█" in shown


def test_signals_after_the_first_never_go_without_a_word(project: Path) -> None:
    """Wherever the second one comes: while the calls end, while the loop is closed, while the summary is printed."""
    command = [sys.executable, "-m", "rftplan", "-C", str(project), "apply", "--yes", "--wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        while not next(waiting.stderr).startswith("Waiting for job.triage"):
            pass
        waiting.send_signal(signal.SIGINT)
        while not next(waiting.stderr).startswith("Stopping when"):
            pass
        while waiting.poll() is None:
            waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate()
    assert waiting.returncode == 130
    assert "Interrupted.\n" not in err
    assert f"Go on with: rftplan -C {project} apply" in out + err
