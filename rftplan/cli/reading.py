"""Commands that only look: plan, status, output. They spend, write and train nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import invocation, parse_selection
from rftplan.errors import UsageError, UserError

if TYPE_CHECKING:
    from rftplan.cli.invocation import Invocation
    from rftplan.promoted import Promoted

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
ReplaceOption = Annotated[
    list[str] | None,
    typer.Option("--replace", metavar="ADDRESS", help="Launch this once more. May be repeated."),
]


TrustOption = Annotated[
    bool, typer.Option("--trust-python", help="Run python graders with your own rights, without keeping them in.")
]


def register(app: typer.Typer) -> None:
    for command in (plan, status, output):
        app.command()(command)


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
