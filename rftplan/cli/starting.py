"""Commands that need no project: init, version. `init` writes new files and never over old ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import invocation
from rftplan.cli.reading import JsonFlag


def register(app: typer.Typer) -> None:
    for command in (init, version):
        app.command()(command)


def init(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where; it is made if need be.")] = Path(),
) -> int:
    """Write a small project to start from. It plans and applies as it is."""
    from rftplan.cli.template_files import write_template

    run = invocation(context)
    there = replace(run, directory=run.directory / directory)
    for line in write_template(there.directory):
        run.result(line + "\n")
    run.result(f"Next: {there.program} plan\n")
    return ExitCode.OK


def version(context: typer.Context, json: JsonFlag = False) -> int:
    """Show which rftplan this is."""
    from rftplan import __version__

    text = f"rftplan {__version__}\n"
    if json:
        from rftplan.render.documents import dumped, version_document

        text = dumped(version_document(__version__))
    invocation(context).result(text)
    return ExitCode.OK
