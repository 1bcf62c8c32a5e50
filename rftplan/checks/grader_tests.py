"""Rules about `tests:`: what can be said of them without grading. Pure; `rftplan test` runs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rftplan.address import Address
from rftplan.checks.preflight import Preflight, Written, scorers
from rftplan.checks.reads import Read, reads
from rftplan.codes import UNKNOWN_REFERENCE, finding, warning
from rftplan.config import Declared
from rftplan.errors import Diagnostic
from rftplan.grading import Sample
from rftplan.grading.templates import Namespace, VariableError
from rftplan.spelling import close_names

ITEM_LACKS_FIELD: Final = warning("G190", "Item of a test lacks a field that its grader reads")

_NO_SAMPLE: Final = Sample("")


def unknown_grader(preflight: Preflight) -> Iterable[Diagnostic]:
    """A test of a grader that is not declared. One that is written inside a job has no name to be tested by."""
    config = preflight.config
    names = [address.name for address in (*config.declared, *config.broken) if address.kind == "grader"]
    for test in config.tests.values():
        if test.spec.grader not in names and "grader" not in config.unread:
            close = close_names(test.spec.grader, names)
            yield finding(
                UNKNOWN_REFERENCE,
                f'grader points to "grader.{test.spec.grader}", which is not declared',
                place=test.where(("grader",)),
                address=str(test.address),
                hint=f'did you mean "{close[0]}"?' if close else "declare it under graders:",
            )


def lacking_item(preflight: Preflight) -> Iterable[Diagnostic]:
    """A variable of the grader that the test's item gives no value: a flag and 0, whatever the answer is."""
    for test in preflight.config.tests.values():
        for read in _item_reads(preflight, test):
            try:
                read.variable.value(_NO_SAMPLE, test.spec.item)
            except VariableError:
                name = str(read.variable.path[0])
                close = close_names(name, test.spec.item)
                yield finding(
                    ITEM_LACKS_FIELD,
                    f"{{{{{read.variable}}}}}, which {read.where.of} reads, has no value in item: the score is 0 with "
                    "an error, whatever the answer is",
                    place=test.where(("item",)),
                    address=str(test.address),
                    hint=f'"{close[0]}" is there; did you mean "{name}"?' if close else f"give item a value for {name}",
                )


def _item_reads(preflight: Preflight, test: Declared) -> Iterator[Read]:
    """What the grader reads of a row, each variable once."""
    grader = preflight.config.declared.get(Address("grader", test.spec.grader))
    if grader is None:
        return
    seen = set()
    for where, scorer in scorers(Written(grader, (), str(grader.address)), grader.spec):
        for read in reads(where, scorer):
            if read.variable.namespace is Namespace.ITEM and read.variable.path not in seen:
                seen.add(read.variable.path)
                yield read


RULES: Final = (unknown_grader, lacking_item)
PROBES: Final = ()
