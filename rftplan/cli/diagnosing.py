"""`doctor`: what stands in the way, at the provider and on this machine. Makes, changes and spends nothing."""

from __future__ import annotations

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import invocation
from rftplan.cli.reading import JsonFlag


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(context: typer.Context, json: JsonFlag = False) -> int:
    """Look what stands in the way: the service, the key, the account, this machine. Changes and spends nothing."""
    from rftplan.cli.interrupt import run_cancellable
    from rftplan.doctor import examine
    from rftplan.render.doctor_documents import doctor_document
    from rftplan.render.doctor_text import doctor_text
    from rftplan.render.documents import dumped
    from rftplan.wiring import real_world, telling

    run = invocation(context)
    with run.listener() as listener:
        examined = run_cancellable(examine(run.options(), telling(real_world(), listener)))
    document = doctor_document(examined)
    run.result(dumped(document) if json else doctor_text(document, run.look))
    return ExitCode.OK if document["ok"] else ExitCode.FAILED
