"""What string_checks compare: a part of the answer with a field of the rows, and its values. Finds nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from msgspec import Struct

from rftplan.checks.preflight import Path, Preflight, Scorer, Use, Written
from rftplan.checks.probes.fields import Column
from rftplan.checks.reads import columns_of
from rftplan.grading.metrics import Operation, check_strings
from rftplan.grading.templates import Namespace, Reference, TemplateError, parse_template
from rftplan.kinds.grader import StringCheck


class Join(Struct, frozen=True):
    """A string_check of one variable of the sample with one of the item, neither with any text around it."""

    where: Written
    check: StringCheck
    answer: Reference
    field: Reference
    answer_key: str
    field_key: str

    def matches(self, answer: str, value: str) -> bool:
        """Whether this answer scores 1 in a row with this value."""
        given, expected = (answer, value) if self.answer_key == "input" else (value, answer)
        return check_strings(Operation(self.check.operation), given, expected)

    def matched(self, counts: Mapping[str, int]) -> dict[str, int]:
        """For each value as the answer to all rows: how many rows it scores 1 in, of those that have a value."""
        if self.check.operation == "eq":
            return dict(counts)
        return {answer: sum(n for value, n in counts.items() if self.matches(answer, value)) for answer in counts}


def join_of(where: Written, scorer: Scorer) -> Join | None:
    """How a grader joins answer and row, if it does no more than that."""
    if not isinstance(scorer, StringCheck):
        return None
    given, expected = sole_variable(scorer.input), sole_variable(scorer.reference)
    if given is None or expected is None or given.namespace is expected.namespace:
        return None
    if given.namespace is Namespace.SAMPLE:
        return Join(where, scorer, given, expected, "input", "reference")
    return Join(where, scorer, expected, given, "reference", "input")


def sole_variable(text: str) -> Reference | None:
    """The variable that a text consists of, if it is one and nothing else."""
    try:
        parts = parse_template(text).parts
    except TemplateError:
        return None
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Reference) else None


def column(preflight: Preflight, use: Use, path: Path) -> Column | None:
    """What the rows of a file have at a path that a grader of one of its jobs reads; None if nobody could look."""
    facts = columns_of(preflight, use.file)
    return facts.columns.get(path) if facts else None


def texts(column: Column) -> Iterator[tuple[str, int]]:
    """The different texts of a column and how many rows have each; none of a field with too many to count."""
    for written, count in column.values.items():
        value = json.loads(written)
        if isinstance(value, str):
            yield value, count
