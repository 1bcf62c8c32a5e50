"""Rules about held-out rows: those of a gate, and those that never leave this machine. Pure; evaluates nothing.

What is judged on rows, or by a grader, that training has used says how well a model learned them by heart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from rftplan.address import Address
from rftplan.checks.compared import (
    common_rows,
    counted_rows,
    listed,
    repeats_in,
    rows_of,
    share,
    what_is_compared,
)
from rftplan.checks.preflight import Method, Preflight, Role, Use, grader_of, row_place, uses
from rftplan.checks.probes.repeats import MOST_ROWS
from rftplan.checks.row_sets import NOT_COMPARED
from rftplan.codes import Code, error, finding, info, warning
from rftplan.config import Declared
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic
from rftplan.judging import FEWEST_ROWS
from rftplan.kinds.gates import Gate
from rftplan.kinds.grader import identity_of
from rftplan.kinds.selectors import Pick

HELD_OUT_OVERLAP: Final = warning("D230", "Held-out rows are used by a job")
SAME_GRADER: Final = info("J113", "Held-out rows are scored by the grader of the training")
FEW_HELD_OUT: Final = warning("J114", "Few held-out rows")
VALIDATES_TOO: Final = warning("J115", "Held-out file is the validation file")
UPLOADED_TOO: Final = error("J116", "Held-out rows are uploaded under another name")

FEWEST_HELD_OUT: Final = FEWEST_ROWS


class _Judged(Struct, frozen=True):
    """One gate on held-out rows, with what it names as far as that is declared."""

    deployment: Declared
    number: int
    gate: Gate
    job: Declared | None
    file: Declared | None
    grader: Declared | None

    def finding(self, code: Code, detail: str, *path: str, hint: str) -> Diagnostic:
        place = self.deployment.where(("gates", self.number, "held_out", *path))
        return finding(code, detail, place=place, address=str(self.deployment.address), hint=hint)


def _judged(preflight: Preflight) -> Iterator[_Judged]:
    known = preflight.config.declared
    for deployment in preflight.of_kind("deployment"):
        job = known.get(Address("job", deployment.spec.job))
        for number, gate in enumerate(deployment.spec.gates):
            if (of := gate.held_out) is not None:
                file, grader = known.get(Address("file", of.file)), known.get(Address("grader", of.grader))
                yield _Judged(deployment, number, gate, job, file, grader)


def same_grader(preflight: Preflight) -> Iterable[Diagnostic]:
    """What was optimised cannot judge independently; where answers are right or wrong, it may be all there is."""
    for one in _judged(preflight):
        trained = grader_of(preflight, one.job) if one.job else None
        if one.grader is None or trained is None:
            continue
        where, spec = trained
        if identity_of(one.grader.spec) == identity_of(spec):
            aside = "" if where.of == str(one.grader.address) else ", names aside,"
            detail = (
                f"{one.grader.address} is{aside} the grader that job.{one.deployment.spec.job} is trained to please"
            )
            hint = "let another grader score held-out rows, or read some of the answers yourself"
            yield one.finding(SAME_GRADER, f"{detail}: what it overlooks stays unseen", "grader", hint=hint)


def few_rows(preflight: Preflight) -> Iterable[Diagnostic]:
    """A mean over a handful of rows moves by chance."""
    for one in _judged(preflight):
        facts = preflight.facts.get(one.file.address) if one.file else None
        if one.file is not None and facts is not None and 0 < facts.rows < FEWEST_HELD_OUT:
            said = f"{one.file.address} has {counted_rows(facts.rows)}, too few to promote by"
            detail = f"{said}: one row moves the mean score by up to {1 / facts.rows:.2f}"
            yield one.finding(FEW_HELD_OUT, detail, "file", hint=f"use {FEWEST_HELD_OUT} or more")


def validation_file(preflight: Preflight) -> Iterable[Diagnostic]:
    """What chose the checkpoint flatters it."""
    for one in _judged(preflight):
        for use in _uses_of(preflight, one.job):
            if use.role is Role.VALIDATION and use.file is one.file:
                best = one.deployment.spec.checkpoint is Pick.BEST
                why = (
                    "the best checkpoint is chosen by it" if best else "it is what people look at while the job trains"
                )
                detail = f"{use.file.address} is the validation file of {use.job.address}: {why}"
                yield one.finding(VALIDATES_TOO, detail, "file", hint="hold out a file that the job does not have")


def uploaded_too(preflight: Preflight) -> Iterable[Diagnostic]:
    """Never uploaded is said of a name; the rows are the same under every name."""
    for file, use in _pairs(preflight):
        if file.spec.stays_here and not use.file.spec.stays_here and _same_rows(preflight, file, use.file):
            detail = f"it has upload: never, and {use.file.address}, which {use.job.address} {_does(use)}, has its rows"
            hint = f"hold out other rows, or let the job name another file than {use.file.address}"
            yield finding(UPLOADED_TOO, detail, place=file.where(("upload",)), address=str(file.address), hint=hint)


def _same_rows(preflight: Preflight, one: Declared, other: Declared) -> bool:
    facts = [preflight.facts.get(file.address) for file in (one, other)]
    digests = {known.rows_digest if known and known.rows else None for known in facts}
    return len(digests) == 1 and None not in digests


def overlap(preflight: Preflight) -> Iterable[Diagnostic]:
    """Held-out rows that a job trains on, or that its checkpoints are chosen by. Where all of them are, and should
    not even be at the service, that is said alone."""
    yield from _same_files(preflight)
    for file, use in _pairs(preflight):
        if file.spec.stays_here and _same_rows(preflight, file, use.file):
            continue
        held, used = rows_of(preflight, file, use.method), rows_of(preflight, use.file, use.method)
        pairs = common_rows(used, held) if held and used else None
        if held and pairs and pairs.count:
            said = f"{share(pairs.count, held.rows)} have {what_is_compared(use.method)} of a row of {use.file.address}"
            detail = f"{said}, which {use.job.address} {_does(use)}, but for spaces and case: {listed(pairs)}"
            place = row_place(file, pairs.shown[0][0])
            hint = f"take them out of {use.file.address}, or out of {file.address}"
            yield finding(HELD_OUT_OVERLAP, detail, place=place, address=str(file.address), hint=hint)


def _does(use: Use) -> str:
    return "trains on" if use.role is Role.TRAINING else "validates with"


def _same_files(preflight: Preflight) -> Iterator[Diagnostic]:
    for one in _judged(preflight):
        for use in _uses_of(preflight, one.job):
            if use.role is Role.TRAINING and use.file is one.file:
                detail = f"{use.file.address} is what {use.job.address} trains on"
                hint = "hold out a file that the job does not have"
                yield one.finding(HELD_OUT_OVERLAP, detail, "file", hint=hint)


def not_compared(preflight: Preflight) -> Iterable[Diagnostic]:
    """Held-out rows beyond those that are compared may be used by a job, and nobody says so."""
    files = {(file.address, use.method): (file, use.method) for file, use in _pairs(preflight)}
    for file, method in files.values():
        held = rows_of(preflight, file, method)
        if held is not None and held.rows > MOST_ROWS and not _is_used(preflight, file, method):
            detail = f"the first {MOST_ROWS:,} of {held.rows:,} held-out rows are compared with others"
            yield finding(NOT_COMPARED, detail, place=row_place(file, 0), address=str(file.address))


def _is_used(preflight: Preflight, file: Declared, method: Method) -> bool:
    return any(use.file is file and use.method is method for use in uses(preflight))


def probes(preflight: Preflight) -> Iterator[tuple[Address, Probe]]:
    """Held-out rows, by what the method of the job compares."""
    for file, use in _pairs(preflight):
        yield file.address, repeats_in(preflight, file, use.method)


def _pairs(preflight: Preflight) -> Iterator[tuple[Declared, Use]]:
    """Each held-out file with every other that it should have no row of: those of the job whose gates name it, of
    every job where no gate does."""
    gated = [(one.file, use) for one in _judged(preflight) if one.file for use in _uses_of(preflight, one.job)]
    named = {one.file.address for one in _judged(preflight) if one.file}
    here = (file for file in preflight.of_kind("file") if file.spec.stays_here and file.address not in named)
    unnamed = [(file, use) for file in here for use in uses(preflight)]
    found = {(file.address, use.file.address, use.method): (file, use) for file, use in [*gated, *unnamed]}
    return (pair for pair in found.values() if pair[0] is not pair[1].file)


def _uses_of(preflight: Preflight, job: Declared | None) -> Iterator[Use]:
    return (use for use in uses(preflight) if use.job is job)


RULES: Final = (same_grader, few_rows, validation_file, uploaded_too, overlap, not_compared)
PROBES: Final = (probes,)
