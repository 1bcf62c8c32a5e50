"""Which rows are compared with each other, by what, and how pairs of them are told. Finds nothing itself."""

from __future__ import annotations

from typing import Final

from rftplan.address import Address
from rftplan.checks.preflight import Method, Preflight, grader_of, scorers, uses, view
from rftplan.checks.probes.repeats import (
    MOST_PAIRS,
    Fields,
    Pairs,
    RepeatFacts,
    repeat_facts,
    repeats_probe,
)
from rftplan.checks.reads import job_reads
from rftplan.config import Declared
from rftplan.data.probes import Probe
from rftplan.grading.templates import Namespace
from rftplan.kinds.grader import Python

_NONE: Final[Fields] = frozenset()


@view
def references(preflight: Preflight) -> dict[Address, Fields | None]:
    """The fields that graders read in each file of a reinforcement job; None if code reads them, for it is not run
    to find out."""
    read: dict[Address, Fields | None] = {}
    for use in uses(preflight):
        grader = grader_of(preflight, use.job)
        if grader is not None:
            known, fields = read.get(use.file.address, _NONE), _fields_read(preflight, use.job)
            coded = any(isinstance(scorer, Python) for _, scorer in scorers(*grader))
            read[use.file.address] = None if coded or known is None else known | fields
    return read


def _fields_read(preflight: Preflight, job: Declared) -> Fields:
    found = (read.variable for read in job_reads(preflight, job))
    return frozenset(variable.path for variable in found if variable.namespace is Namespace.ITEM)


def repeats_in(preflight: Preflight, file: Declared, method: Method) -> Probe:
    """What has to be looked for in a file, so that its rows can be compared as the method does."""
    return repeats_probe(method, references(preflight).get(file.address, _NONE))


def rows_of(preflight: Preflight, file: Declared, method: Method) -> RepeatFacts | None:
    """What was found so; None where nobody could look."""
    known = preflight.facts.get(file.address)
    fields = references(preflight).get(file.address, _NONE)
    return repeat_facts(known.found, method, fields) if known else None


def common_rows(base: RepeatFacts, other: RepeatFacts) -> Pairs:
    """The rows of `other` that are rows of `base`, too: each line with the first one there."""
    first = {prompt: lines[0] for prompt, lines in base.lines_by_prompt().items()}
    theirs = other.lines_by_prompt().items()
    pairs = sorted((line, first[prompt]) for prompt, lines in theirs if prompt in first for line in lines)
    return Pairs(len(pairs), tuple(pairs[:MOST_PAIRS]))


def what_is_compared(method: Method) -> str:
    return "the prompt" if method is Method.REINFORCEMENT else "the text"


def share(count: int, rows: int) -> str:
    return f"{count:,} of {counted_rows(rows)}"


def counted_rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def listed(pairs: Pairs) -> str:
    """`line 3 that of line 1, …`."""
    shown = ", ".join(f"line {line} that of line {other}" for line, other in pairs.shown)
    return shown + (", …" if pairs.count > len(pairs.shown) else "")
