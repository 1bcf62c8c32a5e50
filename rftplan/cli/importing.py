"""Commands that take up what exists: import and accept. They ask, call and report; nothing is launched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import Invocation, invocation, parse_address
from rftplan.cli.reading import JsonFlag
from rftplan.errors import UsageError, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rftplan.importing import Imported
    from rftplan.importing.generating import Generated, Wanted


def register(app: typer.Typer) -> None:
    app.command("import")(import_)
    app.command()(accept)


def import_(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="ADDRESS ID")] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data", metavar="NAME=PATH", help="The bytes that file NAME was uploaded from. May be repeated."
        ),
    ] = None,
    generate: Annotated[
        bool, typer.Option("--generate", help="Write specs for the given IDs instead, and import nothing.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="With --generate: all files and jobs.")] = False,
    out: Annotated[
        str | None, typer.Option("--out", metavar="FILE", help="With --generate: a new file instead of stdout.")
    ] = None,
    json: JsonFlag = False,
) -> int:
    """Take a file, a job or a live checkpoint that exists under rftplan's care.

    The spec under ADDRESS is compared with what the service has; where they differ, nothing is recorded. Launches,
    uploads and promotes nothing.
    """
    run, given = invocation(context), words or []
    if generate:
        if data:
            raise UsageError("--data is for an import, not for --generate")
        return _generate(run, given, everything, Path(out) if out else None, json)
    if everything or out:
        raise UsageError("--all and --out need --generate")
    if len(given) != 2:
        raise UsageError(
            "say which: rftplan import ADDRESS ID", hint="or rftplan import --generate, to see what exists"
        )
    return _import(run, given[0], given[1], data or [], json)


def _import(run: Invocation, address: str, id: str, data: Sequence[str], json: bool) -> int:
    import asyncio

    from rftplan.importing import ImportOutcome, UndeclaredError, import_one
    from rftplan.importing.generating import Wanted
    from rftplan.render.documents import dumped
    from rftplan.render.import_documents import import_document
    from rftplan.render.import_text import import_text

    wanted = parse_address(address)
    try:
        with run.listener() as listener:
            work = import_one(run.options(), wanted, id, given=_given(data), on_event=listener)
            done: Imported = asyncio.run(work)
    except UndeclaredError:
        if not json:
            _show_how(run, _generated(run, Wanted([id], named={id: wanted}), None))
        raise
    document = import_document(done)
    run.result(dumped(document) if json else import_text(document, run.look))
    return ExitCode.FAILED if done.outcome is ImportOutcome.REFUSED else ExitCode.OK


def _show_how(run: Invocation, made: Generated) -> None:
    """What to write into the specs, or why nothing is to be written. UserError where it cannot be imported at all."""
    if made.imports:
        run.result(_text(run, made))
        return
    for id, why in made.left_out:
        raise UserError(f"{id} cannot be imported: {why}")


def _given(data: Sequence[str]) -> dict[str, Path]:
    pairs = [one.partition("=") for one in data]
    for name, equals, path in pairs:
        if not name or not equals or not path:
            raise UsageError("--data takes NAME=PATH, such as train=data/train.jsonl")
    return {name: Path(path) for name, _, path in pairs}


def _generate(run: Invocation, ids: Sequence[str], everything: bool, out: Path | None, json: bool) -> int:
    from rftplan.importing.generating import Wanted, write_new
    from rftplan.render.documents import dumped
    from rftplan.render.import_documents import generated_document
    from rftplan.render.import_text import left_out_text

    if everything == bool(ids):
        raise UsageError("--generate takes IDs, or --all")
    made = _generated(run, Wanted(ids, everything), out)
    document = generated_document(made, out=str(out) if out else None)
    if out is not None:
        write_new(out, _text(run, made))
    run.terminal.err(left_out_text(document["left_out"], run.look_err))
    if json:
        run.result(dumped(document))
    elif out is None:
        run.result(_text(run, made))
    return ExitCode.OK


def _generated(run: Invocation, wanted: Wanted, out: Path | None) -> Generated:
    import asyncio

    from rftplan.importing.generating import generate

    return asyncio.run(generate(run.options(), wanted, beside=out.parent if out else None))


def _text(run: Invocation, made: Generated) -> str:
    from rftplan.render.import_documents import generated_document
    from rftplan.render.import_text import generated_text

    return generated_text(generated_document(made, out=None), run.program)


def accept(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="For example job.security-review.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the lock and shown by plan.")],
    json: JsonFlag = False,
) -> int:
    """Keep a finished run whose spec was edited since. The next edit launches anew."""
    import asyncio

    from rftplan.accepting import accept as keep
    from rftplan.render.documents import dumped
    from rftplan.render.import_documents import accept_document
    from rftplan.render.import_text import accept_text

    run, kept = invocation(context), parse_address(address)
    if not reason.strip():
        raise UsageError("--reason says why the difference does not matter, and may not be empty")
    document = accept_document(asyncio.run(keep(run.options(), kept, reason.strip())))
    run.result(dumped(document) if json else accept_text(document, run.look))
    return ExitCode.OK
