"""Rules about what graders read: templates against the rows of every file that a job uses. Pure.

A variable without a value is an error flag and reward 0 at the service, with HTTP 200: a run that learns nothing
and says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from rftplan.address import Address
from rftplan.checks.preflight import Path, Preflight, Use, scorers, uses, view, written_graders
from rftplan.checks.probes.fields import RESERVED, Column, FieldFacts, fields_probe
from rftplan.checks.reads import Read, columns_of, item_fields, job_reads, reads, slots
from rftplan.codes import Code, error, warning
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic
from rftplan.grading.templates import Namespace, TemplateError, parse_template
from rftplan.kinds.grader import StringCheck
from rftplan.spelling import close_names

NOT_A_TEMPLATE: Final = error("G101", "Text of a grader is no template")
UNKNOWN_SAMPLE_FIELD: Final = error("G102", "Grader reads what no sample has")
FIELD_MISSING: Final = error("G103", "Grader reads a field that rows do not have")
FIELD_NULL: Final = warning("G104", "Grader reads a field that is null in some rows")
FIELD_NOT_TEXT: Final = warning("G105", "Grader compares a field that is no text")

SAMPLE_FIELDS: Final = ("output_text", "output_json", "output_tools", "choices", "output_audio")
"""What a sample has (FACTS §3.7)."""


def field_probes(preflight: Preflight) -> Iterator[tuple[Address, Probe]]:
    """Every field that a job's grader reads, in every file that the job uses."""
    for file in preflight.of_kind("file"):
        if paths := item_fields(preflight, file):
            yield file.address, fields_probe(paths)


def broken_template(preflight: Preflight) -> Iterable[Diagnostic]:
    """`{{item.x}` and the like: the service refuses the grader, or compares the braces."""
    for written, spec in written_graders(preflight):
        for where, scorer in scorers(written, spec):
            for slot in slots(scorer):
                try:
                    parse_template(slot.text)
                except TemplateError as error:
                    hint = "write {{item.field}} or {{sample.output_text}}"
                    yield where.finding(NOT_A_TEMPLATE, error.message, *slot.path, hint=hint)


def unknown_sample_field(preflight: Preflight) -> Iterable[Diagnostic]:
    """`sample.output_txt`: no answer of a model has it, so every row is an error."""
    for written, spec in written_graders(preflight):
        for where, scorer in scorers(written, spec):
            for read in reads(where, scorer):
                first = read.variable.path[0]
                if read.variable.namespace is Namespace.SAMPLE and first not in SAMPLE_FIELDS:
                    detail = f"{{{{{read.variable}}}}} has no value in any row; a sample has {', '.join(SAMPLE_FIELDS)}"
                    hint = _closest("sample", str(first), SAMPLE_FIELDS)
                    yield where.finding(UNKNOWN_SAMPLE_FIELD, detail, *read.slot.path, hint=hint)


def missing_field(preflight: Preflight) -> Iterable[Diagnostic]:
    """A field that rows lack: each such row is graded 0 with an error, in training or in validation."""
    for seen in _columns(preflight):
        if seen.column.missing:
            name = f"{{{{{seen.read.variable}}}}}"
            detail = f"{name} is missing in {seen.share(seen.column.missing, seen.column.missing_lines)}"
            yield seen.finding(FIELD_MISSING, detail, hint=seen.hint())


def null_field(preflight: Preflight) -> Iterable[Diagnostic]:
    """A field that is null in some rows: it is compared as the text "null"."""
    for seen in _columns(preflight):
        if nulls := seen.column.kinds.get("null", 0):
            where = seen.share(nulls, [seen.column.kind_lines["null"]])
            yield seen.finding(FIELD_NULL, f"{{{{{seen.read.variable}}}}} is null in {where}", hint="give it a value")


def compared_field(preflight: Preflight) -> Iterable[Diagnostic]:
    """A `string_check` on a number, a boolean, a list or an object: how the service writes it is not established."""
    for seen in _columns(preflight):
        odd = {kind: n for kind, n in seen.column.kinds.items() if kind not in ("string", "null")}
        if odd and isinstance(seen.read.scorer, StringCheck):
            kind = max(sorted(odd), key=odd.__getitem__)
            where = seen.share(odd[kind], [seen.column.kind_lines[kind]])
            detail = f"{{{{{seen.read.variable}}}}} is {_ARTICLES[kind]} in {where}; string_check compares text"
            yield seen.finding(FIELD_NOT_TEXT, detail, hint="write it as text in the rows, in quotes")


_ARTICLES: Final = {"number": "a number", "boolean": "true or false", "array": "a list", "object": "an object"}


class _Seen(Struct, frozen=True):
    """One variable of a grader over the rows of one file."""

    read: Read
    use: Use
    column: Column
    facts: FieldFacts

    def share(self, count: int, lines: list[int]) -> str:
        """`3 of 83 rows of file.train (lines 4, 7, 9)`."""
        rows = f"{count} of {self.facts.rows} rows of {self.use.file.address}"
        if count == self.facts.rows:
            return rows
        shown = ", ".join(map(str, lines)) + ("…" if count > len(lines) else "")
        return f"{rows} ({'line' if count == 1 else 'lines'} {shown})"

    def hint(self) -> str | None:
        name = str(self.read.variable.path[0])
        if name in RESERVED:
            return f"{name} is the prompt and no field of item; put what the grader needs into a field of its own"
        others = [key for key in self.facts.keys if key not in (*RESERVED, name)]
        if name not in self.facts.keys:
            return _closest("item", name, others)
        close = close_names(name, others, cutoff=0.8)
        return f'some rows have "{close[0]}": rename it' if close else "give it to every row"

    def finding(self, code: Code, detail: str, *, hint: str | None) -> Diagnostic:
        return self.read.where.finding(code, detail, *self.read.slot.path, hint=hint)


@view
def _columns(preflight: Preflight) -> tuple[_Seen, ...]:
    """Each variable of each grader once a file, whichever jobs bring the two together."""
    return tuple(_each_column(preflight))


def _each_column(preflight: Preflight) -> Iterator[_Seen]:
    done: set[tuple[Address, str, Path, Path]] = set()
    for use in uses(preflight):
        facts = columns_of(preflight, use.file)
        for read in job_reads(preflight, use.job) if facts else ():
            key = (use.file.address, read.where.of, read.slot.path, read.variable.path)
            if facts and read.variable.namespace is Namespace.ITEM and key not in done:
                done.add(key)
                yield _Seen(read, use, facts.columns[read.variable.path], facts)


def _closest(namespace: str, name: str, names: Iterable[str]) -> str | None:
    close = close_names(name, names)
    return f'did you mean "{namespace}.{close[0]}"?' if close else None


RULES: Final = (broken_template, unknown_sample_field, missing_field, null_field, compared_field)
PROBES: Final = (field_probes,)
