"""`grade`: a grader tried on this machine before anything is launched. Executes what the person names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import invocation
from rftplan.cli.reading import JsonFlag, TrustOption
from rftplan.errors import UsageError


def register(app: typer.Typer) -> None:
    app.command()(grade)


def grade(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A grader, or job.NAME; not needed if there is one only.")
    ] = None,
    samples: Annotated[
        Path | None, typer.Option("--samples", metavar="FILE", help="Grade these instead of answers made from rows.")
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="Rows of the training file, not of the validation file.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="How many rows (100) or samples (all), evenly.")
    ] = None,
    trust_python: TrustOption = False,
    json: JsonFlag = False,
) -> int:
    """Try a grader on right and wrong answers. Runs it here, and asks no service but a judge that the specs name."""
    from rftplan.checks.preflight import Role
    from rftplan.render.documents import dumped
    from rftplan.render.grade_documents import grade_document
    from rftplan.render.grade_text import grade_text
    from rftplan.trial import ROLES
    from rftplan.trying import Wanted
    from rftplan.trying import grade as tried

    run = invocation(context)
    if train and samples is not None:
        raise UsageError("--train and --samples exclude each other")
    wanted = Wanted(name, samples, limit, (Role.TRAINING,) if train else ROLES)
    with run.listener() as listener:
        document = grade_document(tried(run.options(), wanted, trust=trust_python, on_event=listener))
    run.result(dumped(document) if json else grade_text(document, run.look))
    return ExitCode.OK if document["ok"] else ExitCode.FAILED
