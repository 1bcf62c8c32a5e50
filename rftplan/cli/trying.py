"""`grade`: a grader tried on this machine before anything is launched. Executes what the person names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import Invocation, invocation
from rftplan.cli.reading import JsonFlag, TrustOption
from rftplan.errors import UsageError

if TYPE_CHECKING:
    from rftplan.canonical import JsonObject
    from rftplan.render.grade_shapes import GradeDocument
    from rftplan.trying import Wanted


def register(app: typer.Typer) -> None:
    app.command()(grade)


def grade(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A grader, or job.NAME; not needed if there is one only.")
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
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Write every answer with its row and score, for --samples or simulate:."
        ),
    ] = None,
    trust_python: TrustOption = False,
    json: JsonFlag = False,
) -> int:
    """Try a grader on right and wrong answers. Runs it here, and asks no service but a judge that the specs name."""
    from rftplan.checks.preflight import Role
    from rftplan.render.documents import dumped
    from rftplan.render.grade_text import grade_text
    from rftplan.trial import ROLES
    from rftplan.trying import Wanted

    run = invocation(context)
    if train and samples is not None:
        raise UsageError("--train and --samples exclude each other")
    wanted = Wanted(name, samples, limit, (Role.TRAINING,) if train else ROLES)
    document = _tried(run, wanted, out, trust=trust_python)
    run.result(dumped(document) if json else grade_text(document, run.look))
    return ExitCode.OK if document["ok"] else ExitCode.FAILED


def _tried(run: Invocation, wanted: Wanted, out: Path | None, *, trust: bool) -> GradeDocument:
    from json import dumps

    from rftplan.importing.generating import require_new, write_new
    from rftplan.render.grade_documents import grade_document
    from rftplan.trial.runs import forget
    from rftplan.trying import grade as tried

    if out is not None:
        require_new(out)
    answers: list[JsonObject] = []
    keep = forget if out is None else answers.append
    with run.listener() as listener:
        trial = tried(run.options(), wanted, trust=trust, on_event=listener, record=keep)
    if out is not None:
        write_new(out, "".join(f"{dumps(one, ensure_ascii=False)}\n" for one in answers))
    return grade_document(trial)
