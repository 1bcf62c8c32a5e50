"""Commands that show the lock: `state list`, `state show`. They read it and write nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import invocation, parse_address
from rftplan.cli.reading import JsonFlag
from rftplan.errors import UserError

group = typer.Typer(help="Show what the lock knows.", rich_markup_mode=None)


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
    document = entry_state_document(wanted, lock.resources[wanted])
    run.result(dumped(document) if json else entry_text(document, run.look))
    return ExitCode.OK
