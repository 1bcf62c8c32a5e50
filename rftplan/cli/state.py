"""Commands on the lock itself: `state list`, `show`, `mv`, `rm`. The first two write nothing, no service is changed."""

from __future__ import annotations

from typing import Annotated

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import invocation, parse_address
from rftplan.cli.reading import JsonFlag
from rftplan.errors import UsageError, UserError

group = typer.Typer(help="Show what the lock knows, or change it: list, show, mv, rm.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="state")


@group.command("list")
def list_entries(context: typer.Context, json: JsonFlag = False) -> int:
    """Show the address, id and holds of every entry."""
    from rftplan import project
    from rftplan.render.documents import dumped, state_document
    from rftplan.render.text import state_text

    run = invocation(context)
    document = state_document(project.state(run.options()))
    run.result(dumped(document) if json else state_text(document, run.look))
    return ExitCode.OK


@group.command("show")
def show_entry(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="For example job.security-review.")],
    json: JsonFlag = False,
) -> int:
    """Show all that the lock knows of one address."""
    from rftplan import project
    from rftplan.render.documents import dumped, entry_state_document
    from rftplan.render.text import entry_text

    run, wanted = invocation(context), parse_address(address)
    lock = project.state(run.options())
    if lock is None or wanted not in lock.resources:
        raise UserError(f"the lock does not know {wanted}", hint=f"{run.program} state list")
    document = entry_state_document(wanted, lock)
    run.result(dumped(document) if json else entry_text(document, run.look))
    return ExitCode.OK


@group.command("mv")
def move_entry(
    context: typer.Context,
    origin: Annotated[str, typer.Argument(metavar="FROM", help="What the lock knows it as.")],
    to: Annotated[str, typer.Argument(metavar="TO", help="What it is from now on.")],
    json: JsonFlag = False,
) -> int:
    """Know something under another address. Nothing changes at the service; says what to write into the specs."""
    from rftplan.amending.moves import move
    from rftplan.render.amending_documents import move_document
    from rftplan.render.amending_text import move_text
    from rftplan.render.documents import dumped

    run = invocation(context)
    document = move_document(move(run.options(), parse_address(origin), parse_address(to)))
    run.result(dumped(document) if json else move_text(document, run.look))
    return ExitCode.OK


@group.command("rm")
def forget_entry(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="For example job.security-review.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    leave_running: Annotated[
        bool, typer.Option("--leave-running", help="Forget a job that has not ended, too: nobody watches it then.")
    ] = False,
    json: JsonFlag = False,
) -> int:
    """Make the lock forget an address. Asks first, and says what stays at the service and goes on there."""
    import asyncio

    from rftplan.amending.forgetting import Forgetting, forget
    from rftplan.render.amending_documents import forget_document
    from rftplan.render.amending_text import forget_question, forget_text
    from rftplan.render.documents import dumped
    from rftplan.render.error_document import declined_document

    run, wanted = invocation(context), parse_address(address)
    if not yes and not run.terminal.can_ask:
        raise UsageError("there is no terminal to ask on, and what the lock forgets is lost", hint="give --yes")

    def consent(found: Forgetting) -> bool:
        return yes or run.terminal.ask(f"{forget_question(forget_document(found), run.look_err)}\nForget it?")

    found = asyncio.run(forget(run.options(), wanted, leave_running=leave_running, consent=consent))
    if found is None:
        run.terminal.err("Nothing was done.\n")
        if json:
            run.result(dumped(declined_document(exit_code=ExitCode.FAILED)))
        return ExitCode.FAILED
    document = forget_document(found)
    run.result(dumped(document) if json else forget_text(document, run.look))
    return ExitCode.OK
