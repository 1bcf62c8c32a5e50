"""The one place where errors become messages and exit codes. Knows no command's business."""

from __future__ import annotations

import atexit
import gc
import os
import re
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from rftplan.cli.exit_codes import ExitCode
from rftplan.errors import RftplanError, UsageError

if TYPE_CHECKING:
    from rftplan.cli.terminal import Terminal

# Patterns are compiled when a bug needs them: every start would pay otherwise.
_SECRET_NAMES: Final = r"(?i)KEY|TOKEN|SECRET|PASSWORD"
_SECRET_FORMS: Final = r"\b(sk-|Bearer\s+)[A-Za-z0-9_.~+/=-]{6,}"
_SHORTEST_SECRET: Final = 6


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code. A traceback is shown for bugs of rftplan only."""
    from rftplan.cli.terminal import Terminal

    # Modules, specs and their graph live until the end, so the collector looks through them again and again for
    # nothing: 28 ms of 530 in a check, 200 ms of 2,000 in a plan of 1,000 resources. Cycles are still collected.
    gc.set_threshold(100_000, 50, 100)
    # At exit it would look through all of it twice more, 0.4 s after a plan of 1,000 resources, for memory that the
    # system takes back anyway.
    atexit.register(gc.freeze)
    terminal = Terminal.of_process()
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        return _run(words, terminal)
    except BaseException as error:  # the last place that can say anything: Ctrl-C and bugs are told here too
        known = _understood(error)
        code = reported(known, terminal)
        if _wants_json(words) and not isinstance(known, BrokenPipeError | SystemExit):
            return _documented(known, code, terminal)
        return code


def _wants_json(words: Sequence[str]) -> bool:
    return not {"--json", "--format=json"}.isdisjoint(words) or ("--format", "json") in pairwise(words)


def _understood(error: BaseException) -> BaseException:
    """The parser's complaints are usage errors, and its word for Ctrl-C is Ctrl-C; all else is what it is."""
    if not isinstance(error, Exception) or isinstance(error, RftplanError):
        return error
    import typer

    if isinstance(error, typer.Abort):
        return KeyboardInterrupt()
    usage_error = typer.BadParameter.__mro__[1]
    return _as_usage(error) if isinstance(error, usage_error) else error


def _documented(error: BaseException, code: int, terminal: Terminal) -> int:
    """For a program that reads stdout: what ended the command as its one document, for people as always."""
    from rftplan.render.documents import dumped
    from rftplan.render.error_document import error_document

    try:
        terminal.out(dumped(error_document(error, exit_code=code)))
    except BrokenPipeError:
        return _nobody_reads(terminal)
    return code


def reported(error: BaseException, terminal: Terminal) -> int:
    """Say what went wrong, as far as anybody reads it; the exit code. Raises nothing."""
    match error:
        case BrokenPipeError():
            return _nobody_reads(terminal)
        case RftplanError():
            return _report(error, terminal)
        case ExceptionGroup() if not error.split(RftplanError)[1]:
            return max(_report(each, terminal) for each in _leaves(error))
        case Exception():
            return _report_bug(error, terminal)
        case SystemExit(code=int(code)):
            return code
        case _:
            terminal.err("\nInterrupted.\n")
            return ExitCode.INTERRUPTED


def _run(words: list[str], terminal: Terminal) -> int:
    import typer

    from rftplan.cli.app import make_app
    from rftplan.cli.arguments import first_word, help_text, take_globals
    from rftplan.cli.invocation import Invocation

    if first_word(words) == "--version":
        words = ["version" if word == "--version" else word for word in words]
    command = typer.main.get_command(make_app(first_word(words)))
    line = take_globals(words, command)
    if line.wants_help:
        terminal.out(help_text(line.path, command))
        return ExitCode.OK
    if not line.rest:
        terminal.err(help_text((), command))
        return ExitCode.USAGE
    run = Invocation.given(terminal, line.given)
    # Not `command.main`: it would turn Ctrl-C into an exit code that nobody says a word about.
    with command.make_context("rftplan", list(line.rest), obj=run) as context:
        return int(command.invoke(context) or ExitCode.OK)


def _nobody_reads(terminal: Terminal) -> int:
    from rftplan.cli.terminal import silence

    silence(terminal.stdout)
    return ExitCode.FAILED


def _report(error: RftplanError, terminal: Terminal) -> int:
    from rftplan.render.documents import finding_document
    from rftplan.render.text import error_text, findings_text

    look = terminal.look(terminal.stderr)
    if error.diagnostics:
        terminal.err(findings_text(map(finding_document, error.diagnostics), look))
    terminal.err(error_text(str(error), error.hint, look))
    return ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.FAILED


def _leaves(group: ExceptionGroup[RftplanError]) -> list[RftplanError]:
    return [
        leaf for each in group.exceptions for leaf in (_leaves(each) if isinstance(each, ExceptionGroup) else [each])
    ]


def _as_usage(error: Exception) -> UsageError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "rftplan"
    message = getattr(error, "format_message", error.__str__)()
    if (name := getattr(error, "option_name", None)) and hasattr(error, "possibilities"):
        return UsageError(f"No such option: {name}", hint=f"{_meant(name, error.possibilities)}{path} --help")
    return UsageError(_plain_words(message.rstrip(".")), hint=f"{path} --help")


def _meant(name: str, possible: Sequence[str] | None) -> str:
    """What somebody may have meant: by the letters, for the dashes all have."""
    from rftplan.spelling import close_names

    bare = {option.lstrip("-"): option for option in possible or ()}
    close = [bare[one] for one in close_names(name.lstrip("-"), bare)]
    return f"did you mean {' or '.join(close)}? " if close else ""


_WORDS: Final = (
    (r"Value error, ", ""),
    (r"Input should be greater than or equal to ", "must be at least "),
    (r"Input should be less than or equal to ", "must be at most "),
    (r"Input should be greater than ", "must be over "),
    (r"Input should be less than ", "must be under "),
    (r"Input should be a valid (?:integer|number)\b.*", "must be a number"),
)
"""What the parser's own words for a wrong value mean."""


def _plain_words(message: str) -> str:
    for theirs, ours in _WORDS:
        message = re.sub(theirs, ours, message)
    return message


def _report_bug(error: Exception, terminal: Terminal) -> int:
    import traceback

    from rftplan import __version__

    terminal.err(scrubbed("".join(traceback.format_exception(error)), os.environ))
    terminal.err(
        f"bug: this should not have happened in rftplan {__version__}. Please report it with the command and\n"
        "  the lines above (keys were taken out). Nothing is lost: the command can be run again.\n"
    )
    return ExitCode.BUG


def scrubbed(text: str, environ: Mapping[str, str]) -> str:
    """The text without anything that looks like a key, or is the value of a variable named like one."""
    from rftplan.api.credentials import handed_out
    from rftplan.api.secrets import without_keys

    secrets = {
        value for name, value in environ.items() if re.search(_SECRET_NAMES, name) and len(value) >= _SHORTEST_SECRET
    }
    secrets |= handed_out()
    text = without_keys(text, sorted(secrets, key=len, reverse=True), mark="***")
    return re.sub(_SECRET_FORMS, r"\1***", text)
