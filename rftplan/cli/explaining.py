"""`explain`: what a finding means. Reads no project."""

from __future__ import annotations

from typing import Annotated

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import invocation
from rftplan.cli.reading import JsonFlag
from rftplan.errors import UsageError


def register(app: typer.Typer) -> None:
    app.command()(explain)


def explain(
    context: typer.Context,
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="As in error[G103]; all without one.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Every page, as docs/rules.md has them.")] = False,
    json: JsonFlag = False,
) -> int:
    """Say what a finding means and what to do."""
    from rftplan.checks import CODES
    from rftplan.checks.explain import code_named, page, rules_document
    from rftplan.render.documents import dumped
    from rftplan.render.explain_documents import codes_document, explain_document
    from rftplan.render.explain_text import codes_text, explain_text

    run = invocation(context)
    if markdown and (json or code is not None):
        raise UsageError("--markdown is for all pages, and excludes --json")
    if markdown:
        run.result(rules_document())
    elif code is None:
        codes = codes_document(CODES.values())
        run.result(dumped(codes) if json else codes_text(codes, run.look))
    else:
        named = code_named(code)
        document = explain_document(named, page(named))
        run.result(dumped(document) if json else explain_text(document, run.look))
    return ExitCode.OK
