"""Commands that change what the lock says, or what a crash left: hold, release, recover, unlock. They ask, call and
report."""

from __future__ import annotations

from typing import Annotated

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import invocation, parse_address
from rftplan.cli.reading import JsonFlag
from rftplan.errors import UsageError, UserError

AddressArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="For example job.security-review.")]


def register(app: typer.Typer) -> None:
    for command in (hold, release, recover, unlock):
        app.command()(command)


def hold(
    context: typer.Context,
    address: AddressArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: shown by every plan until then.")],
    json: JsonFlag = False,
) -> int:
    """Keep every plan and apply from an address. Until release; works with broken specs, and stops no job."""
    from rftplan.amending.holds import hold as set_hold
    from rftplan.render.amending_documents import hold_document
    from rftplan.render.amending_text import hold_text
    from rftplan.render.documents import dumped

    run, wanted = invocation(context), parse_address(address)
    if not reason.strip():
        raise UsageError("a hold needs a reason: whoever meets it has to know", hint="--reason TEXT")
    document = hold_document(set_hold(run.options(), wanted, reason.strip()))
    run.result(dumped(document) if json else hold_text(document, run.look))
    return ExitCode.OK


def release(context: typer.Context, address: AddressArgument, json: JsonFlag = False) -> int:
    """Lift what holds one address. That is a hold, a pause by somebody else, or the stop after a lost lock."""
    import asyncio

    from rftplan.amending.holds import Released
    from rftplan.amending.holds import release as lift
    from rftplan.render.amending_documents import release_document
    from rftplan.render.amending_text import release_text
    from rftplan.render.documents import dumped
    from rftplan.render.next_steps import not_released

    run, held = invocation(context), parse_address(address)
    found = asyncio.run(lift(run.options(), held))
    if not isinstance(found, Released):
        message, hint = not_released(found, run.program)
        raise UserError(message, hint=hint)
    document = release_document(found)
    run.result(dumped(document) if json else release_text(document, run.look))
    return ExitCode.OK


def recover(context: typer.Context, json: JsonFlag = False) -> int:
    """Show what a crash left open, and settle what is certain. Asks the service; launches and changes nothing there."""
    import asyncio

    from rftplan.amending.recovering import recover as look_up
    from rftplan.render.amending_documents import recover_document
    from rftplan.render.amending_text import recover_text
    from rftplan.render.documents import dumped

    run = invocation(context)
    recovery = asyncio.run(look_up(run.options()))
    if recovery.unasked is not None:
        from rftplan.render.documents import finding_document

        run.findings(map(finding_document, recovery.unasked.diagnostics))
    document = recover_document(recovery)
    run.result(dumped(document) if json else recover_text(document, run.look))
    return ExitCode.FAILED if recovery.unasked is not None else ExitCode.OK


def unlock(
    context: typer.Context,
    dead: Annotated[
        str | None,
        typer.Option("--dead", metavar="HOST/PROCESS", help="Take the lock from this one: its machine is gone."),
    ] = None,
    json: JsonFlag = False,
) -> int:
    """Show who holds the file lock, and since when. One that lives is left alone; a dead one's is free by itself."""
    from msgspec.structs import replace

    from rftplan.file_lock import break_lock, lock_standing
    from rftplan.promoted import require_directory, require_environment, state_paths
    from rftplan.render.amending_documents import unlock_document
    from rftplan.render.amending_text import unlock_text
    from rftplan.render.documents import dumped

    run = invocation(context)
    require_environment(run.env)
    require_directory(run.directory)
    standing = lock_standing(state_paths(run.directory, run.lock))
    broken = standing.held and dead is not None
    if broken and dead is not None:
        break_lock(standing, dead)
        standing = replace(standing, held=False)
    document = unlock_document(standing, broken=broken)
    run.result(dumped(document) if json else unlock_text(document, run.look))
    return ExitCode.FAILED if standing.held else ExitCode.OK
