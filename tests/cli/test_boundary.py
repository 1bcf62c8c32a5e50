"""What an error becomes: a message, an exit code, and a traceback only for bugs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import NoReturn

import pytest

from rftplan import __version__
from rftplan.cli.app import COMMANDS
from rftplan.cli.boundary import main, reported, scrubbed
from rftplan.cli.exit_codes import ExitCode
from rftplan.errors import (
    ApiError,
    BusyError,
    CredentialError,
    Diagnostic,
    FateUnknownError,
    LockError,
    NotDoneError,
    NotFoundError,
    RefusedPlanError,
    RejectedError,
    RftplanError,
    SpecError,
    UsageError,
    UserError,
)
from rftplan.kinds import KINDS
from rftplan.kinds.base import Kind
from rftplan.kinds.spec import SpecModel
from tests.cli.streams import pipes
from tests.world import Small

EXPECTED = [
    (UserError("wrong", hint="mend it"), 1),
    (LockError("damaged"), 1),
    (CredentialError("no key"), 1),
    (BusyError("another"), 1),
    (RefusedPlanError("hazards:\n  job.x spend"), 1),
    (NotDoneError("not connected", status=429), 1),
    (RejectedError("no", status=400, code="bad", param="model", request_id="req_1"), 1),
    (NotFoundError("gone", status=404), 1),
    (FateUnknownError("lost"), 1),
    (ApiError("odd"), 1),
    (UsageError("no such option", hint="rftplan --help"), 64),
]


@pytest.mark.parametrize(("error", "code"), EXPECTED, ids=lambda v: type(v).__name__)
def test_our_errors_are_one_message_without_a_traceback(error: RftplanError, code: int) -> None:
    streams = pipes()
    assert reported(error, streams.terminal) == code
    said = streams.stderr.getvalue()
    assert said.startswith(f"error: {error.message.splitlines()[0]}")
    assert "Traceback" not in said and streams.stdout.getvalue() == ""
    assert (error.hint is None) == ("hint:" not in said)


def test_an_api_error_tells_status_code_and_request() -> None:
    streams = pipes()
    reported(RejectedError("no", status=400, code="bad", param="model", request_id="req_1"), streams.terminal)
    assert streams.stderr.getvalue() == "error: no (400, bad, param model, request req_1)\n"


def test_findings_come_all_at_once_before_the_verdict() -> None:
    streams = pipes()
    error = SpecError([Diagnostic("S1", "One", "a"), Diagnostic("S2", "Two", "b")])
    assert reported(error, streams.terminal) == 1
    assert streams.stderr.getvalue() == ("error[S1]: One\n  a\nerror[S2]: Two\n  b\nerror: 2 errors in the specs\n")


def test_a_group_of_our_errors_is_those_errors() -> None:
    streams = pipes()
    group = ExceptionGroup("tasks", [UserError("one"), ExceptionGroup("inner", [ApiError("two")])])
    assert reported(group, streams.terminal) == 1
    assert streams.stderr.getvalue() == "error: one\nerror: two\n"


def test_a_bug_shows_its_traceback_and_how_to_report_it() -> None:
    streams = pipes()
    try:
        raise ZeroDivisionError("Bearer abcdefghijkl")
    except ZeroDivisionError as error:
        assert reported(error, streams.terminal) == 70
    said = streams.stderr.getvalue()
    assert "Traceback" in said and "Please report it" in said
    assert "abcdefghijkl" not in said


def test_interrupts_and_exits_keep_their_codes() -> None:
    assert reported(KeyboardInterrupt(), pipes().terminal) == 130
    assert reported(SystemExit(3), pipes().terminal) == 3


def test_nobody_reading_is_no_bug() -> None:
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    streams = pipes()
    assert reported(BrokenPipeError(), streams.terminal) == 1
    assert streams.stderr.getvalue() == ""
    streams.stderr = Closed()
    assert reported(UserError("x"), streams.terminal) == 1


def test_keys_are_taken_out_of_text() -> None:
    environ = {"OPENAI_API_KEY": "very-secret-value", "MY_TOKEN": "tok", "HOME": "/home/x"}
    text = "very-secret-value sk-proj-abcdef123456 Bearer eyJhbGci.x /home/x tok"
    assert scrubbed(text, environ) == "*** sk-*** Bearer *** /home/x tok"


def test_an_option_that_is_like_none_is_compared_with_none(capsys: pytest.CaptureFixture[str]) -> None:
    main(["plan", "--bogus"])
    assert capsys.readouterr().err == "error: No such option: --bogus\n  hint: rftplan plan --help\n"
    main(["plan", "--jsn"])
    assert "hint: did you mean --json? rftplan plan --help" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["plann"], "No such command 'plann'"),
        (["plan", "--jsn"], "No such option: --jsn"),
        (["state", "show"], "Missing argument 'ADDRESS'"),
        (["state"], "Missing command"),
        (["apply", "--parallelism", "0"], "--parallelism"),
        (["plan", "--env"], "--env needs a value"),
        (["state", "show", "nonsense"], "is not an address"),
        (["plan", "--replace", "non.sense!"], "is not an address"),
        (["output", "--raw"], "--raw needs the name"),
        (["apply", "--yes", "--allow", "spend,fun"], '--allow does not know "fun"'),
        (["apply"], "there is no terminal to ask on"),
        (["destroy"], "there is no terminal to ask on"),
    ],
)
def test_wrong_usage_is_64_and_says_where_to_look(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == ExitCode.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ") and says in err


def test_no_words_at_all_is_wrong_usage_with_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == ExitCode.USAGE
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("Usage: rftplan")


def test_no_line_of_the_help_is_cut(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert "..." not in said.replace("[ARGS]...", "")
    assert all(len(line) <= 60 for line in said.splitlines())


def test_the_version_may_be_asked_for_as_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"rftplan {__version__}\n"


def test_help_is_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: rftplan apply [OPTIONS] [PLAN]\n")


@pytest.mark.parametrize("command", [command for commands in COMMANDS.values() for command in commands])
def test_what_may_be_left_out_stands_in_brackets_once(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    usage = capsys.readouterr().out.partition("\n\n")[0]
    assert usage.startswith(f"Usage: rftplan {command} ") and "[[" not in usage and "{[" not in usage


def test_with_json_the_error_is_a_document_on_stdout(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A program that reads stdout finds one document there, whatever happened."""
    assert main(["-C", str(tmp_path), "plan", "--json"]) == 1
    printed = capfd.readouterr()
    document = json.loads(printed.out)
    assert document["format"] == "rftplan.error/1"
    assert document["diagnostics"][0]["code"] == "S101"
    assert (document["code"], document["exit_code"]) == ("specs", 1)
    assert "error[S101]" in printed.err


@pytest.mark.parametrize("words", [["plan", "--jsn", "--json"], ["state", "show", "--json"], ["apply", "--json"]])
def test_with_json_wrong_usage_is_a_document_too(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == ExitCode.USAGE
    document = json.loads(capsys.readouterr().out)
    assert (document["format"], document["code"], document["exit_code"]) == ("rftplan.error/1", "usage", 64)


class Broken(Kind[SpecModel]):
    """A kind with a bug: what happens to a command when rftplan itself is wrong."""

    name = "broken"
    section = "broken"

    def __init__(self, bug: BaseException) -> None:
        super().__init__(SpecModel)
        self.bug = bug

    def refs(self, spec: SpecModel) -> NoReturn:
        raise self.bug

    def identity(self, spec: SpecModel, upstream: object) -> NoReturn:
        raise self.bug

    def decide(self, situation: object) -> NoReturn:
        raise self.bug

    def standing(self, situation: object) -> NoReturn:
        raise self.bug

    async def perform(self, change: object, act: object) -> NoReturn:
        raise self.bug


@pytest.mark.parametrize(
    ("bug", "exit_code", "code"),
    [
        (ZeroDivisionError("sk-proj-0123456789"), 70, "bug"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ExceptionGroup("tasks", [UserError("one"), LockError("two")]), 1, "several"),
        (ExceptionGroup("tasks", [UserError("one"), ZeroDivisionError("two")]), 70, "several"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_with_json_whatever_ends_a_command_is_a_document(
    small: Small, capsys: pytest.CaptureFixture[str], bug: BaseException, exit_code: int, code: str
) -> None:
    small.write("specs/broken.yaml", "broken: {one: {}}\n")
    KINDS["broken"] = Broken(bug)
    try:
        assert main(["-C", str(small.root), "check", "--json"]) == exit_code
    finally:
        del KINDS["broken"]
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert (document["format"], document["code"], document["exit_code"]) == ("rftplan.error/1", code, exit_code)
    assert "0123456789" not in printed.out + printed.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "--format", "xml"], "'xml' is not one of 'text', 'json', 'sarif', 'github'"),
        (["apply", "--parallelism", "0"], "must be at least 1"),
        (["apply", "--parallelism", "many"], "must be a number"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert main(words) == ExitCode.USAGE
    first, _, _ = capsys.readouterr().err.partition("\n")
    assert first.endswith(f": {said}")
