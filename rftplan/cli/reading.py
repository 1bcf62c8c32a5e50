"""Commands that only look: plan, show, status, output. They spend, write and train nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import invocation, parse_selection
from rftplan.errors import UsageError, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rftplan.cli.invocation import Invocation
    from rftplan.planner import Selection
    from rftplan.planning import Planned
    from rftplan.promoted import Promoted
    from rftplan.render.shapes import PlanDocument

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
ReplaceOption = Annotated[
    list[str] | None,
    typer.Option("--replace", metavar="ADDRESS", help="Launch this once more. May be repeated."),
]

TargetOption = Annotated[
    list[str] | None,
    typer.Option("--target", metavar="ADDRESS", help="Only this, and what it depends on. May be repeated."),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="ADDRESS", help="All but this, and what depends on it. May be repeated."),
]

OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Save the plan, for apply FILE or show FILE.")
]
RefreshOption = Annotated[
    bool, typer.Option("--refresh-only", help="The lock against the service alone: nothing of the specs.")
]
LeaveOption = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="LIST", help="Hazards that an apply of FILE may take, with commas between them."),
]
TrustOption = Annotated[
    bool, typer.Option("--trust-python", help="Run python graders with your own rights, without keeping them in.")
]


def register(app: typer.Typer) -> None:
    for command in (plan, show, status, output):
        app.command()(command)


def plan(
    context: typer.Context,
    json: JsonFlag = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 if there is something to apply.")
    ] = False,
    replace: ReplaceOption = None,
    target: TargetOption = None,
    exclude: ExcludeOption = None,
    out: OutOption = None,
    allow: LeaveOption = None,
    destroy: Annotated[bool, typer.Option("--destroy", help="What destroy would do.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Specs against the lock: asks no service, needs no key.")
    ] = False,
    refresh_only: RefreshOption = False,
) -> int:
    """Show what apply would do and why. Spends nothing, writes nothing but --out, trains nothing."""
    import asyncio

    from msgspec.structs import replace as with_

    from rftplan import project
    from rftplan.cli.order import parse_allowed
    from rftplan.render.documents import dumped
    from rftplan.render.plan_documents import plan_document
    from rftplan.render.plan_text import plan_text, saved_plan_text

    run, selection = invocation(context), with_(parse_selection(replace, target, exclude), destroy=destroy)
    _refuse_mixed(run, out, allow, selection)
    _refuse_modes(selection, out, offline=offline, refresh_only=refresh_only)
    with run.listener() as listener:
        if offline:
            planned = project.plan_offline(run.options(), selection=selection, on_event=listener)
        elif refresh_only:
            planned = asyncio.run(project.plan_refresh(run.options(), on_event=listener))
        else:
            planned = asyncio.run(project.plan(run.options(), selection=selection, on_event=listener))
    document = plan_document(planned.plan, allowed=parse_allowed(allow or ()))
    if out is not None:
        _save(out, document, planned, selection)
    run.findings(document["diagnostics"])
    if json:
        run.result(dumped(document))
    elif out is None:
        run.result(plan_text(document, run.look))
    else:
        run.result(saved_plan_text(document, run.look, saved_as=str(out)))
    return ExitCode.CHANGES if detailed_exitcode and planned.plan.acts else ExitCode.OK


def _refuse_mixed(run: Invocation, out: Path | None, allow: Sequence[str] | None, selection: Selection) -> None:
    """Options that mean nothing together, and a file that is not ours, before anything is asked."""
    from rftplan.cli.order import parse_allowed
    from rftplan.cli.plan_files import refuse_foreign

    if selection.destroy and selection.replace:
        raise UsageError("--destroy and --replace exclude each other")
    parse_allowed(allow or ())
    if allow and out is None:
        hint = "rftplan plan --out FILE --allow LIST; without a file, give it to apply"
        raise UsageError("--allow is what a saved plan may do, and none is saved", hint=hint)
    if out is not None:
        refuse_foreign(out, run=run)


def _refuse_modes(selection: Selection, out: Path | None, *, offline: bool, refresh_only: bool) -> None:
    """Each of them is a plan of its own."""
    from rftplan.planner import Selection

    given = [("--offline", offline), ("--refresh-only", refresh_only), ("--destroy", selection.destroy)]
    named = [name for name, there in given if there]
    if len(named) > 1:
        raise UsageError(f"{named[0]} and {named[1]} exclude each other")
    if refresh_only and selection != Selection():
        raise UsageError("--refresh-only looks at nothing of the specs, at all of the lock, and launches nothing")
    if refresh_only and out is not None:
        raise UsageError("what --refresh-only would record is not saved", hint="rftplan apply --refresh-only")


def _save(out: Path, document: PlanDocument, planned: Planned, selection: Selection) -> None:
    from rftplan import __version__
    from rftplan.cli.plan_files import write_plan_file
    from rftplan.render.saved_documents import saved_plan_document

    saved = saved_plan_document(document, selection=selection, made_from=planned.made_from, version=__version__)
    write_plan_file(out, saved)


def show(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PLAN", help="A file that plan --out saved.")],
    json: JsonFlag = False,
) -> int:
    """Show a saved plan as `plan` did. Reads that file alone, and asks no service."""
    from rftplan.cli.plan_files import read_plan_file
    from rftplan.render.documents import dumped
    from rftplan.render.plan_text import saved_plan_text

    run, saved = invocation(context), read_plan_file(path)
    run.findings(saved.plan["diagnostics"])
    run.result(dumped(saved.plan) if json else saved_plan_text(saved.plan, run.look, saved_as=str(path)))
    return ExitCode.OK


def status(context: typer.Context, json: JsonFlag = False) -> int:
    """Show how every resource stands. Asks the service."""
    import asyncio

    from rftplan import project
    from rftplan.render.documents import dumped, status_document
    from rftplan.render.status_text import status_text

    run = invocation(context)
    with run.listener() as listener:
        document = status_document(asyncio.run(project.status(run.options(), on_event=listener)))
    run.result(dumped(document) if json else status_text(document, run.look))
    return ExitCode.OK


def output(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One deployment.")] = None,
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
        if document[name]["simulated"]:
            run.terminal.err("SIMULATED: nothing was trained for this model\n")
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
