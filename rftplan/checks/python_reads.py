"""Rules about what a Python grader reads of the row and of the answer, against the files and the job. Runs nothing.

Only what `grade` itself reads by a written key counts; what it may do without is its own matter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from rftplan.address import Address
from rftplan.checks import python_tree
from rftplan.checks.preflight import Preflight, Use, Written, grader_of, scorers, uses
from rftplan.checks.probes.fields import MOST_KEYS, RESERVED, FieldFacts, fields_probe
from rftplan.checks.python_keys import KeyRead, Reading, is_used_otherwise, key_reads
from rftplan.checks.python_parts import PART, with_part
from rftplan.checks.python_source import parsed
from rftplan.checks.python_tree import Function
from rftplan.checks.reads import columns_of, item_fields
from rftplan.checks.schema_views import names_at
from rftplan.checks.schemas import NO_FORMAT, NOT_DESCRIBED, NOT_IN_SCHEMA, Format, Lacks, format_of, lacks
from rftplan.checks.templates import SAMPLE_FIELDS
from rftplan.codes import Code, error, warning
from rftplan.config import Declared
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic
from rftplan.kinds.grader import Python
from rftplan.spelling import close_names

KEY_MISSING: Final = error("G169", "Python grader reads a field that rows do not have")
NO_SUCH_PART: Final = error("G172", "Python grader reads what no sample has")
PART_UNKNOWN: Final = warning("G173", "Python grader asks for what no sample has")
KEY_UNKNOWN: Final = warning("G170", "Python grader asks for a field that no row has")


class _Grading(Struct, frozen=True):
    """A Python grader that one job trains with, and the names of its two arguments."""

    job: Declared
    where: Written
    function: Function
    sample: str
    item: str

    def finding(self, code: Code, read: KeyRead, detail: str, *, hint: str | None, of: int = 1) -> Diagnostic:
        """About the first of `of` places."""
        return self.where.source_finding(code, read.line, detail, hint=hint, more=of - 1)


def key_probes(preflight: Preflight) -> Iterator[tuple[Address, Probe]]:
    """Which keys there are in the rows that a Python grader sees."""
    jobs = {grading.job.address for grading in _gradings(preflight)}
    for use in uses(preflight):
        if use.job.address in jobs:
            yield use.file.address, fields_probe(item_fields(preflight, use.file))


def missing_keys(preflight: Preflight) -> Iterable[Diagnostic]:
    """`item["x"]` where rows have no x: each such row is an error and 0, whatever the answer is."""
    done: set[tuple[str, str]] = set()
    for grading in _gradings(preflight):
        seen = _seen(preflight, grading.job)
        if not seen:
            continue
        told = [one for one in _told(grading, seen) if (grading.where.of, one.read.key) not in done]
        done.update((grading.where.of, one.read.key) for one in told)
        for at, one in enumerate(told[:_MOST_TOLD], 1):
            rest = len(told) - at if at == _MOST_TOLD else 0
            more = f" (and {rest:,} more such fields)" if rest else ""
            yield grading.finding(one.code, one.read, one.detail + more, hint=_hint(one.read.key, one.known), of=one.of)


_MOST_TOLD: Final = 5


class _Missed(Struct, frozen=True):
    """What is told of one key: `of` places read it, the first of them is `read`, and `known` keys there are."""

    code: Code
    read: KeyRead
    detail: str
    known: frozenset[str]
    of: int


def _told(grading: _Grading, seen: list[tuple[Use, FieldFacts]]) -> Iterator[_Missed]:
    """By the first line that reads each key: one that rows do not have, or that nobody knows."""
    reads: dict[str, list[KeyRead]] = {}
    for read in key_reads(grading.function, grading.item):
        reads.setdefault(read.key, []).append(read)
    known = frozenset(key for _, facts in seen for key in facts.keys if key not in RESERVED)
    at_home = bool(reads.keys() & known) or is_used_otherwise(grading.function, grading.item)
    free = sorted(known - reads.keys())
    for key, places in reads.items():
        always = [read for read in places if read.reading is Reading.ALWAYS]
        missing = _missing(key, seen) if always else None
        if missing is not None:
            said, keys = missing
            yield _Missed(KEY_MISSING, always[0], said, keys, len(always))
        elif key not in known and key not in RESERVED and not (at_home and not _close(key, free, cutoff=0.8)):
            yield _Missed(KEY_UNKNOWN, places[0], _never(grading, places[0]), known, len(places))


def _missing(key: str, seen: list[tuple[Use, FieldFacts]]) -> tuple[str, frozenset[str]] | None:
    """Of the files that have rows without it: what to say, and the keys that there are in the first."""
    lacking = [
        (f"{without:,} of {facts.rows:,} rows of {use.file.address}", facts)
        for use, facts in seen
        if (without := facts.rows - (0 if key in RESERVED else facts.keys.get(key, 0)))
    ]
    if not lacking:
        return None
    said = f'item["{key}"] is missing in {" and in ".join(dict(lacking))}'
    known = frozenset(one for one in lacking[0][1].keys if one not in RESERVED)
    return f"{said}, and there the grader fails with a score of 0", known


def _never(grading: _Grading, read: KeyRead) -> str:
    """Of a key that some calls read, or that may be missing: where it is misspelt, or all of them are unknown."""
    asked = f', so {grading.item}.get("{read.key}") is None in every row' if read.reading is Reading.ASKED else ""
    return f'no row that it sees has "{read.key}"{asked}'


def _close(key: str, known: Iterable[str], *, cutoff: float) -> list[str]:
    return close_names(key, known, cutoff=cutoff)


def _hint(key: str, known: Iterable[str]) -> str:
    if key in RESERVED:
        return f"{key} is the prompt and no field of item; put what the grader needs into a field of its own"
    names = sorted(known)
    close = _close(key, names, cutoff=0.6)
    if key in names:
        return "give it to every row, or write item.get with what a missing one stands for"
    return f'did you mean "{close[0]}"?' if close else f"rows have {', '.join(names[:20]) or 'no field but the prompt'}"


def unknown_parts(preflight: Preflight) -> Iterable[Diagnostic]:
    """`sample["text"]`: the answer is in `output_text`."""
    done: set[tuple[str, str, int]] = set()
    for grading in _gradings(preflight):
        for read in key_reads(grading.function, grading.sample):
            if read.key in SAMPLE_FIELDS or (grading.where.of, read.key, read.line) in done:
                continue
            done.add((grading.where.of, read.key, read.line))
            always = read.reading is Reading.ALWAYS
            detail = f'a sample has no "{read.key}"' + ("; this is an error, and a score of 0" if always else "")
            close = _close(read.key, SAMPLE_FIELDS, cutoff=0.6) or ["output_text"]
            hint = f'did you mean "{close[0]}"? There are {", ".join(SAMPLE_FIELDS)}'
            yield grading.finding(NO_SUCH_PART if always else PART_UNKNOWN, read, detail, hint=hint)


def json_without_format(preflight: Preflight) -> Iterable[Diagnostic]:
    """`sample["output_json"]` is None unless the job has a response format; a grader may look at the text then."""
    for grading in _gradings(preflight):
        written = grading.job.spec.reinforcement.response_format
        if written is not None and written.get("type") != "text":
            continue
        reads = key_reads(grading.function, grading.sample)
        alone = {read.key for read in reads} == {"output_json"}
        otherwise = is_used_otherwise(grading.function, grading.sample)
        for read in reads:
            sure = (read.reading is Reading.ALWAYS and read.opened) or (alone and not otherwise)
            if read.key == "output_json" and sure:
                detail = (
                    f'{grading.job.address} has no response_format, so sample["output_json"] has no value in any row'
                )
                hint = 'give the job a response_format of type json_schema, or read sample["output_text"]'
                yield grading.finding(NO_FORMAT, read, detail, hint=hint)
                break


def not_in_schema(preflight: Preflight) -> Iterable[Diagnostic]:
    """`sample["output_json"]["urgancy"]` where answers have `urgency`: an error in every row, or None."""
    done: set[tuple[str, str, int]] = set()
    for grading in _gradings(preflight):
        form = format_of(grading.job)
        for read in key_reads(with_part(grading.function, grading.sample, "output_json"), PART) if form else ():
            found = _not_in_schema(grading, form, read) if form else None
            if found is not None and (grading.where.of, read.key, read.line) not in done:
                done.add((grading.where.of, read.key, read.line))
                yield found


def _not_in_schema(grading: _Grading, form: Format, read: KeyRead) -> Diagnostic | None:
    lacking = lacks(form, (read.key,))
    always = read.reading is Reading.ALWAYS
    if lacking is None or (lacking is Lacks.MAYBE and not always):
        return None
    names = names_at(form.schema, (), form.schema)
    close = close_names(read.key, names)
    hint = f'did you mean "{close[0]}"?' if close else f"it has {', '.join(names[:20])}" if names else None
    said = (
        "forbids it in every answer"
        if lacking is Lacks.SURELY
        else "does not describe it, and answers need not have it"
    )
    if lacking is Lacks.SURELY:
        said += ", so this is always None" if read.reading is Reading.ASKED else ", and there the grader fails with 0"
    code = NOT_IN_SCHEMA if always and lacking is Lacks.SURELY else NOT_DESCRIBED
    return grading.finding(code, read, f'sample["output_json"]["{read.key}"]: {form.named} {said}', hint=hint)


def _gradings(preflight: Preflight) -> Iterator[_Grading]:
    for job in preflight.of_kind("job"):
        grader = grader_of(preflight, job)
        for where, scorer in scorers(*grader) if grader else ():
            tree = parsed(scorer) if isinstance(scorer, Python) else None
            function = python_tree.function_named(tree, "grade") if tree else None
            arguments = [*function.args.posonlyargs, *function.args.args] if function else []
            if isinstance(function, ast.FunctionDef) and len(arguments) >= 2:
                yield _Grading(job, where, function, arguments[0].arg, arguments[1].arg)


def _seen(preflight: Preflight, job: Declared) -> list[tuple[Use, FieldFacts]]:
    """The files of the job with the keys of their rows; none if one of them could not be looked at whole."""
    seen = [(use, columns_of(preflight, use.file)) for use in uses(preflight) if use.job is job]
    known = [(use, facts) for use, facts in seen if facts is not None and facts.rows and len(facts.keys) < MOST_KEYS]
    return known if len(known) == len(seen) else []


RULES: Final = (missing_keys, unknown_parts, json_without_format, not_in_schema)
PROBES: Final = (key_probes,)
