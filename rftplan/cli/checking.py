"""`check`: what is wrong, found before anything is sent or spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import DEFAULT_SPECS, invocation
from rftplan.cli.reading import JsonFlag, TrustOption
from rftplan.errors import UsageError

if TYPE_CHECKING:
    from rftplan.checking.online import OnlineCheck
    from rftplan.checking.request import RequestCheck
    from rftplan.cli.invocation import Invocation
    from rftplan.cli.live import Listener
    from rftplan.errors import Diagnostic
    from rftplan.loading import Loaded
    from rftplan.render.shapes import AskedDocument, CheckDocument


class Format(StrEnum):
    """How findings are written: for people, for programs, for code scanners, for a workflow on GitHub."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


FormatOption = Annotated[
    Format | None, typer.Option("--format", help="text, json (as --json), sarif, or github for annotations.")
]

RequestArgument = Annotated[
    str | None,
    typer.Argument(metavar="REQUEST", help="The JSON of a create request, or of a grader, in place of specs."),
]
TrainOption = Annotated[str | None, typer.Option("--train", metavar="FILE", help="The rows that REQUEST trains on.")]
ValidOption = Annotated[str | None, typer.Option("--valid", metavar="FILE", help="The rows that REQUEST validates on.")]
RunPythonFlag = Annotated[
    bool, typer.Option("--run-python", help="Run the Python graders on some rows, kept in. Without it nothing is run.")
]
OnlineFlag = Annotated[
    bool,
    typer.Option(
        "--online",
        help="Ask the provider, too: it validates graders, runs each on a few rows (which may cost the tokens of a "
        "judge), and tells of models.",
    ),
]


def register(app: typer.Typer) -> None:
    app.command()(check)


def check(
    context: typer.Context,
    request: RequestArgument = None,
    train: TrainOption = None,
    valid: ValidOption = None,
    online: OnlineFlag = False,
    json: JsonFlag = False,
    format: FormatOption = None,
    run_python: RunPythonFlag = False,
    trust_python: TrustOption = False,
) -> int:
    """Find what is wrong with specs and data. Asks no service but with --online."""
    run = invocation(context)
    if json and format not in (None, Format.JSON):
        raise UsageError("--json is --format json, and excludes the others")
    if trust_python and not run_python:
        raise UsageError("--trust-python says how --run-python runs graders, and means nothing alone")
    if request is None:
        look = _running(trust=trust_python) if run_python else _only_read
        document, base = _of_specs(run, train, valid, look, online), run.base
    elif run_python:
        raise UsageError("--run-python runs the graders of specs", hint="put the request under jobs: of a spec")
    else:
        document, base = _of_request(run, request, train, valid, online), ""
    _tell(document, Format.JSON if json else format or Format.TEXT, run, base)
    return ExitCode.OK if document["ok"] else ExitCode.FAILED


Look = Callable[["Loaded", "Listener"], tuple["Diagnostic", ...]]
"""What is found in a project that was loaded."""


def _only_read(loaded: Loaded, _listener: Listener) -> tuple[Diagnostic, ...]:
    return loaded.diagnostics


def _running(*, trust: bool) -> Look:
    def look(loaded: Loaded, listener: Listener) -> tuple[Diagnostic, ...]:
        from rftplan.checking.python_runs import run_python
        from rftplan.errors import sort_diagnostics
        from rftplan.ignoring import ignoring
        from rftplan.wiring import real_world, trusting

        world = trusting(real_world()) if trust else real_world()
        found = (*loaded.diagnostics, *run_python(loaded, world, listener))
        return sort_diagnostics(ignoring(loaded.preflight.config, found))

    return look


def _loaded(run: Invocation, listener: Listener) -> Loaded:
    """LockError where the lock cannot be read, with what was found in the specs all the same."""
    from rftplan.errors import LockError
    from rftplan.loading import load, nothing_known  # not the facade, whose other half takes time to import

    try:
        return load(run.options(), listener)
    except LockError as error:
        error.diagnostics = load(run.options(), listener, locked=nothing_known).diagnostics
        raise


def _of_specs(run: Invocation, train: str | None, valid: str | None, look: Look, online: bool) -> CheckDocument:
    from msgspec.structs import replace

    from rftplan.render.documents import check_document

    if train is not None or valid is not None:
        hint = "rftplan check job.json --train train.jsonl --valid valid.jsonl; specs name their files themselves"
        raise UsageError("--train and --valid are the rows of a request, and none is given", hint=hint)
    with run.listener() as listener:
        loaded = _loaded(run, listener)
        loaded = replace(loaded, diagnostics=look(loaded, listener))
    told = _ask_about_project(run, loaded) if online else None
    return check_document(
        told.diagnostics if told else loaded.diagnostics,
        provider=loaded.profile.type,
        unchecked=told.asked.unasked if told else (),
        asked=_counts(told),
    )


def _of_request(run: Invocation, request: str, train: str | None, valid: str | None, online: bool) -> CheckDocument:
    from rftplan.checking.request import RequestFiles, check_request
    from rftplan.config.request import DataNames
    from rftplan.render.documents import check_document

    if run.specs != DEFAULT_SPECS or run.lock is not None or run.env is not None:
        raise UsageError("--specs, --lock and --env are a project's, and a request is checked without one")
    files = RequestFiles(request, DataNames(train, valid))
    with run.listener() as listener:
        found = check_request(files, provider=run.provider, on_event=listener)
    told = _ask_about_request(run, found) if online else None
    return check_document(
        told.diagnostics if told else found.diagnostics,
        subject=found.subject.value,
        provider=found.service.profile.type,
        unchecked=(*found.unchecked, *(told.asked.unasked if told else ())),
        asked=_counts(told),
    )


def _ask_about_project(run: Invocation, loaded: Loaded) -> OnlineCheck:
    from rftplan.checking.online import check_project
    from rftplan.cli.interrupt import run_cancellable
    from rftplan.wiring import real_world, telling

    with run.listener() as listener:
        return run_cancellable(check_project(loaded, telling(real_world(), listener)))


def _ask_about_request(run: Invocation, found: RequestCheck) -> OnlineCheck:
    from rftplan.checking.online import check_request
    from rftplan.cli.interrupt import run_cancellable
    from rftplan.wiring import real_world, telling

    with run.listener() as listener:
        return run_cancellable(check_request(found, telling(real_world(), listener)))


def _counts(told: OnlineCheck | None) -> AskedDocument | None:
    if told is None or not told.requests:
        return None
    asked = told.asked
    return {"graders": asked.graders, "answers": asked.runs, "models": asked.models, "requests": told.requests}


def _tell(document: CheckDocument, format: Format, run: Invocation, base: str) -> None:
    """Findings in one form on stdout; as text, or beside annotations, what a person reads."""
    from rftplan.render.documents import dumped
    from rftplan.render.text import check_text

    match format:
        case Format.TEXT:
            run.findings(document["diagnostics"])
            run.result(check_text(document, run.look))
        case Format.JSON:
            run.result(dumped(document))
        case Format.SARIF:
            run.result(dumped(_sarif(document, base)))
        case Format.GITHUB:
            from rftplan.render.github import github_annotations

            run.result(github_annotations(document["diagnostics"], base=base))
            run.terminal.err(check_text(document, run.look_err))
        case _:
            assert_never(format)


def _sarif(document: CheckDocument, base: str) -> Mapping[str, object]:
    from rftplan import __version__
    from rftplan.checks import CODES
    from rftplan.checks.explain import page
    from rftplan.render.explain_documents import explain_document
    from rftplan.render.sarif import sarif_document

    found = [CODES[code] for code in {finding["code"] for finding in document["diagnostics"]}]
    explained = [explain_document(code, page(code)) for code in found]
    return sarif_document(document, explained, version=__version__, base=base)
