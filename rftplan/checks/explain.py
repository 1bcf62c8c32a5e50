"""What each finding means, why it matters and what to do: a page a code, and all of them as one document.

The pages are Markdown beside this module, without a title: code, severity and summary stand in the table of codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Final

from rftplan.checks import CODES
from rftplan.checks.pitfalls import PITFALLS
from rftplan.codes import Code
from rftplan.errors import UserError

FAMILIES: Final = {
    "S": "Specs",
    "D": "Data",
    "G": "Graders",
    "J": "Jobs",
    "M": "Models and their life",
    "C": "Cost",
    "P": "Policy",
}
"""The families of codes by their letter (DESIGN §8)."""


def code_named(name: str) -> Code:
    """The code of this name, in capitals or not. UserError if there is none."""
    code = CODES.get(name.upper())
    if code is None:
        raise UserError(f'there is no finding "{name}"', hint="rftplan explain lists them all")
    return code


def page(code: Code) -> str:
    """The page of one code in Markdown, without a title."""
    return (files("rftplan.checks") / "pages" / f"{code.code}.md").read_text(encoding="utf-8").strip() + "\n"


def rules_document() -> str:
    """`docs/rules.md`: every page under its family, and which pitfall is found by which code."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Findings\n"
    yield "Made by `rftplan explain --markdown` from the pages that `rftplan explain CODE` prints.\n"
    yield "An error stops a plan; warnings and notes do not. A code is never given a second meaning.\n"
    for letter, name in FAMILIES.items():
        codes = sorted(code for code in CODES.values() if code.code.startswith(letter))
        if codes:
            yield f"## {name}\n"
        for code in codes:
            yield f"### {code.code} {code.summary}\n"
            yield f"*{code.severity.value}*\n"
            yield page(code)
    yield "## Pitfalls\n"
    yield "What is known to have wasted runs, and where it is caught.\n"
    yield "| pitfall | caught by |"
    yield "|---|---|"
    yield from (f"| {pitfall.what} | {pitfall.caught_by} |" for pitfall in PITFALLS)
    yield ""
