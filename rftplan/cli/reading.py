"""Commands that only look: check, plan, status, output. They spend, write and train nothing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import invocation, parse_selection
from rftplan.errors import UsageError, UserError

if TYPE_CHECKING:
    from rftplan.cli.invocation import Invocation
    from rftplan.promoted import Promoted
    from rftplan.render.shapes import CheckDocument

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
ReplaceOption = Annotated[
    list[str] | None,
    typer.Option("--replace", metavar="ADDRESS", help="Launch this once more. May be repeated."),
]


class Format(StrEnum):
    """How findings are written: for people, for programs, for code scanners, for a workflow on GitHub."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


FormatOption = Annotated[
    Format | None, typer.Option("--format", help="text, json (as --json), sarif, or github for annotations.")
]


def register(app: typer.Typer) -> None:
    for command in (check, plan, status, output):
        app.command()(command)


def check(context: typer.Context, json: JsonFlag = False, format: FormatOption = None) -> int:
    """Find what is wrong with specs and data. Asks no service."""
    from rftplan.loading import load  # not the facade, whose other half is not needed and takes time to import
    from rftplan.render.documents import check_document

    run = invocation(context)
    if json and format not in (None, Format.JSON):
        raise UsageError("--json is --format json, and excludes the others")
    with run.listener() as listener:
        document = check_document(load(run.options(), listener).diagnostics)
    _tell(document, Format.JSON if json else format or Format.TEXT, run)
    return ExitCode.OK if document["ok"] else ExitCode.FAILED


def _tell(document: CheckDocument, format: Format, run: Invocation) -> None:
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
            run.result(dumped(_sarif(document, run)))
        case Format.GITHUB:
            from rftplan.render.github import github_annotations

            run.result(github_annotations(document["diagnostics"], base=run.base))
            run.terminal.err(check_text(document, run.look_err))
        case _:
            assert_never(format)


def _sarif(document: CheckDocument, run: Invocation) -> Mapping[str, object]:
    from rftplan import __version__
    from rftplan.checks import CODES
    from rftplan.checks.explain import page
    from rftplan.render.explain_documents import explain_document
    from rftplan.render.sarif import sarif_document

    found = [CODES[code] for code in {finding["code"] for finding in document["diagnostics"]}]
    explained = [explain_document(code, page(code)) for code in found]
    return sarif_document(document, explained, version=__version__, base=run.base)


def plan(
    context: typer.Context,
    json: JsonFlag = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 if there is something to apply.")
    ] = False,
    replace: ReplaceOption = None,
) -> int:
    """Show what apply would do and why. Spends nothing, writes nothing, trains nothing."""
    import asyncio

    from rftplan import project
    from rftplan.render.documents import dumped, plan_document
    from rftplan.render.plan_text import plan_text

    run, selection = invocation(context), parse_selection(replace or ())
    with run.listener() as listener:
        made = asyncio.run(project.plan(run.options(), selection=selection, on_event=listener)).plan
    document = plan_document(made)
    run.findings(document["diagnostics"])
    run.result(dumped(document) if json else plan_text(document, run.look))
    return ExitCode.CHANGES if detailed_exitcode and made.acts else ExitCode.OK


def status(context: typer.Context, json: JsonFlag = False) -> int:
    """Show how every resource stands. Asks the service."""
    import asyncio

    from rftplan import project
    from rftplan.render.documents import dumped, status_document
    from rftplan.render.text import status_text

    run = invocation(context)
    with run.listener() as listener:
        document = status_document(asyncio.run(project.status(run.options(), on_event=listener)))
    run.result(dumped(document) if json else status_text(document, run.look))
    return ExitCode.OK


def output(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One deployment.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The model id alone.")] = False,
    json: JsonFlag = False,
) -> int:
    """Show the promoted models. Reads the lock alone."""
    from rftplan.promoted import read_promoted, require_environment
    from rftplan.render.documents import dumped, outputs_document
    from rftplan.render.escape import visible
    from rftplan.render.text import outputs_text, warning_text

    run = invocation(context)
    if raw and json:
        raise UsageError("--raw and --json exclude each other", hint="--raw is the model id alone")
    require_environment(run.env)
    if raw and name is None:
        raise UsageError("--raw needs the name of one deployment", hint=_names_for_hint(run))
    live = read_promoted(run.directory, run.lock)
    if live.doubt is not None:
        run.terminal.err(warning_text(live.doubt, run.look_err))
    document = outputs_document(_chosen(live.models, name))
    if raw and name is not None:
        run.result(visible(document[name]["model"]) + "\n")
    else:
        run.result(dumped(document) if json else outputs_text(document, run.look))
    return ExitCode.OK


def _chosen(outputs: Mapping[str, Promoted], name: str | None) -> Mapping[str, Promoted]:
    """All, or the one called `name`; UserError if nothing is promoted under it."""
    if name is None:
        return outputs
    if name in outputs:
        return {name: outputs[name]}
    raise UserError(f'no model is promoted as "{name}"', hint=_promoted_names(outputs))


def _names_for_hint(run: Invocation) -> str:
    from rftplan.promoted import read_promoted

    try:
        return _promoted_names(read_promoted(run.directory, run.lock).models)
    except UserError as error:
        return str(error)


def _promoted_names(outputs: Mapping[str, Promoted]) -> str:
    return f"promoted: {', '.join(outputs) or 'nothing yet'}"
