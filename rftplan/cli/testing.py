"""`test`: the tests of the specs, run on this machine. Executes what the specs say, because it was asked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import invocation
from rftplan.cli.reading import JsonFlag, TrustOption
from rftplan.errors import UsageError, UserError

if TYPE_CHECKING:
    from rftplan.render.testing_shapes import TestDocument


def register(app: typer.Typer) -> None:
    app.command()(test)


def test(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="These tests alone.")] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write JUnit XML, for a CI to show.")
    ] = None,
    trust_python: TrustOption = False,
    json: JsonFlag = False,
) -> int:
    """Grade the samples of the specs' tests. Runs it here, and asks no service but a judge that the specs name."""
    from rftplan.cli.interrupt import interruptible
    from rftplan.grader_tests import run_tests
    from rftplan.render.documents import dumped
    from rftplan.render.testing_documents import ran_document
    from rftplan.render.testing_text import ran_text
    from rftplan.wiring import real_world, trusting

    run = invocation(context)
    if junit is not None:
        _refuse_foreign(junit, specs=run.directory / run.specs)
    world = trusting(real_world()) if trust_python else real_world()
    # A trusted grader has a folder of its own, which shall not stay behind where SIGTERM ends the command.
    with interruptible(run.program), run.listener() as listener:
        document = ran_document(run_tests(run.options(), names or (), on_event=listener, world=world))
    if junit is not None:
        _write(junit, document, run.base)
    run.result(dumped(document) if json else ran_text(document, run.look))
    return ExitCode.OK if document["ok"] else ExitCode.FAILED


_REPORT: Final = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<testsuites?[\s/>]", re.DOTALL)
_ENOUGH: Final = 512


def _refuse_foreign(path: Path, *, specs: Path) -> None:
    """A spec, data or a lock named by mistake is not written over; a report of before is, and so is an empty file, as
    a CI may make one, outside of the specs. Before anything is run."""
    from rftplan.reading import BOM, UnreadableError, read_at_most

    if not path.is_file():
        return  # what is none at all is said when it is written
    try:
        start = read_at_most(path, _ENOUGH).removeprefix(BOM)
    except UnreadableError as error:
        raise UserError(f"{path} {error.message}", hint="give another with --junit") from None
    is_new = not start and specs.resolve() not in path.resolve().parents
    if not is_new and not _REPORT.match(start):
        hint = "give another with --junit, or delete it"
        raise UsageError(f"{path} is there and no JUnit report, so it is not written over", hint=hint)


def _write(path: Path, document: TestDocument, base: str) -> None:
    """From where the command runs, as the shell that completed the name sees it."""
    from rftplan.render.junit import junit_xml

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(junit_xml(document, base=base))
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}", hint="give another with --junit") from None
