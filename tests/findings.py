"""Findings as lines that can be read in a table: `code path:line:column detail | hint`."""

from __future__ import annotations

from collections.abc import Iterable

from rftplan.errors import Diagnostic
from tests.world import SPEC, Small

GRADER = "  match:\n" + SPEC.partition("  match:\n")[2].partition("jobs:")[0]


def line_of(found: Diagnostic) -> str:
    """One finding as one line."""
    hint = f" | {found.hint}" if found.hint else ""
    return f"{found.code} {found.place} {found.detail}{hint}"


def lines_of(found: Iterable[Diagnostic]) -> list[str]:
    return [line_of(one) for one in found]


def edited(*edits: tuple[str, str], spec: str = SPEC) -> str:
    """The spec with texts replaced, each of which has to be there."""
    for old, new in edits:
        assert old in spec, f"{old!r} is not in the spec"
        spec = spec.replace(old, new)
    return spec


def with_job(fields: str) -> str:
    """The spec with further fields on its job, the first of them in line 15."""
    return edited(("    validation_file: test\n", "    validation_file: test\n" + fields))


def with_grader(grader: str) -> str:
    """The spec with another grader under the same name, whose first line is line 7."""
    return edited((GRADER, "  match:\n" + grader))


def found_in(small: Small, spec: str, **files: str | bytes) -> list[str]:
    small.write("specs/main.yaml", spec)
    for path, content in files.items():
        small.write(path, content)
    return lines_of(small.check())
