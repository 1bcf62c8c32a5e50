"""Rules about whole data files: how many rows, how large, what is there twice, what both files of a job have. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rftplan.address import Address
from rftplan.checks.compared import (
    common_rows,
    counted_rows,
    listed,
    references,
    repeats_in,
    rows_of,
    share,
    what_is_compared,
)
from rftplan.checks.preflight import Method, Preflight, Role, Use, row_place, uses, view
from rftplan.checks.probes.repeats import MOST_ROWS, Pairs, RepeatFacts
from rftplan.checks.probes.sizes import SIZES_PROBE, size_facts
from rftplan.codes import DATA_IS_LFS_POINTER, ROW_NOT_UTF8, Code, error, finding, info, warning
from rftplan.config import Declared
from rftplan.data import DataFacts
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic

TOO_FEW_ROWS: Final = error("D221", "Too few rows")
TOO_MANY_ROWS: Final = error("D222", "Too many rows")
DATA_TOO_LARGE: Final = error("D223", "Data file is too large")
FEW_VALIDATION_ROWS: Final = warning("D224", "Few validation rows")
BLANK_LINES: Final = info("D225", "Data file has blank lines")
REPEATED_ROWS: Final = warning("D226", "Rows are there twice")
SEVERAL_REFERENCES: Final = warning("D227", "One prompt with different references")
OVERLAP: Final = warning("D228", "Validation rows are training rows")
NOT_COMPARED: Final = info("D229", "More rows than are compared")
FAR_LARGER: Final = warning("D232", "Row is far larger than the others")
MORE_VALIDATION: Final = warning("D233", "Far more validation than training rows")

FEWEST_VALIDATION: Final = 50
"""With fewer, one row moves the mean reward by more than 0.02: about what checkpoints are told apart by."""
_ENOUGH_VALIDATION: Final = 2 * FEWEST_VALIDATION
_TIMES_LARGER: Final = 100
_FEWEST_OTHERS: Final = 10


def repeat_probes(preflight: Preflight) -> Iterator[tuple[Address, Probe]]:
    """Every row by what the method compares."""
    for use in uses(preflight):
        yield use.file.address, repeats_in(preflight, use.file, use.method)


def size_probes(preflight: Preflight) -> Iterator[tuple[Address, Probe]]:
    """Every file that a job uses."""
    for use in uses(preflight):
        yield use.file.address, SIZES_PROBE


def row_counts(preflight: Preflight) -> Iterable[Diagnostic]:
    """Fewer or more rows than the service takes; it says so only after the upload, when the job starts."""
    limits = preflight.profile.rows
    for use, facts in _used(preflight):
        training = use.role is Role.TRAINING
        fewest = limits.fewest_training.get(use.method, 1) if training else 1
        most = (limits.most_training if training else limits.most_validation).get(use.method)
        name = f"{use.file.address} has {counted_rows(facts.rows)}"
        if 0 < facts.rows < fewest:
            detail = f"{name}; the method {use.method} needs {fewest} for training"
            yield _about_use(TOO_FEW_ROWS, use, detail, hint=f"add {counted_rows(fewest - facts.rows)}")
        if most is not None and facts.rows > most:
            detail = f"{name}; at most {most:,} are taken for {'training' if training else 'validation'}"
            yield _about_use(TOO_MANY_ROWS, use, detail, hint=f"leave out {counted_rows(facts.rows - most)}")


def few_validation_rows(preflight: Preflight) -> Iterable[Diagnostic]:
    """A reward over a handful of rows moves by chance, and checkpoints are chosen by it."""
    for use, facts in _used(preflight):
        if use.role is Role.VALIDATION and use.method is Method.REINFORCEMENT and 0 < facts.rows < FEWEST_VALIDATION:
            said = f"{use.file.address} has {counted_rows(facts.rows)}"
            detail = f"{said}, so one row moves the mean reward by up to {1 / facts.rows:.2f}"
            yield _about_use(FEW_VALIDATION_ROWS, use, detail, hint=f"use {FEWEST_VALIDATION} or more")


def more_validation_rows(preflight: Preflight) -> Iterable[Diagnostic]:
    """The two names are easily swapped, and the run then learns from the small file."""
    used = list(_used(preflight))
    training = {use.job.address: (use, facts) for use, facts in used if use.role is Role.TRAINING}
    for use, facts in used:
        trained = training.get(use.job.address)
        if use.role is not Role.VALIDATION or trained is None or facts.rows <= _ENOUGH_VALIDATION:
            continue
        if trained[1].rows and facts.rows >= 2 * trained[1].rows:
            of_training = f"{trained[0].file.address}, which trains, has {trained[1].rows:,}"
            detail = f"{use.file.address} has {counted_rows(facts.rows)}, and {of_training}; are they swapped?"
            hint = "swap training_file and validation_file, or train on more of the rows: validation is paid for, too"
            yield _about_use(MORE_VALIDATION, use, detail, hint=hint)


def large_files(preflight: Preflight) -> Iterable[Diagnostic]:
    """More bytes than the service takes in one file."""
    most = preflight.profile.largest_file
    for use, facts in _files(preflight):
        if facts.size > most:
            detail = f"it has {facts.size:,} bytes; provider {preflight.profile.type} takes {most:,}"
            yield _about_file(DATA_TOO_LARGE, use.file, 0, detail, hint="leave out rows, or fields that nothing reads")


def far_larger_rows(preflight: Preflight) -> Iterable[Diagnostic]:
    """A text that no model reads whole, among others that are short: rows that ran together, or a whole document."""
    for use, facts in _files(preflight):
        sizes = size_facts(facts.found)
        if sizes is None or sizes.rows <= _FEWEST_OTHERS:
            continue
        found = [(line, size) for line, size in sizes.large if size > _TIMES_LARGER * sizes.median]
        if found and len(found) <= sizes.rows / _FEWEST_OTHERS:
            line, size = found[0]
            others = f", and so have {len(found) - 1:,} more" if len(found) > 1 else ""
            detail = f"its messages have {size:,} characters{others}; half of the rows have less than {sizes.median:,}"
            hint = "look whether rows ran together here; a text longer than what the model reads is cut, or refused"
            yield _about_file(FAR_LARGER, use.file, line, detail, hint=hint)


def blank_lines(preflight: Preflight) -> Iterable[Diagnostic]:
    """They do not count as rows, but the line numbers of other tools may differ."""
    for use, facts in _files(preflight):
        if facts.blank_lines and facts.rows:
            said = "1 line is blank" if facts.blank_lines == 1 else f"{facts.blank_lines:,} lines are blank"
            detail = f"{said} and {'counts' if facts.blank_lines == 1 else 'count'} as no row"
            yield _about_file(BLANK_LINES, use.file, facts.first_blank, detail, hint="remove what is blank")


def repeated_rows(preflight: Preflight) -> Iterable[Diagnostic]:
    """A row that is there twice counts twice, in training and in every figure."""
    for use, facts in _compared(preflight):
        if facts.repeats.count:
            same = "prompt and references" if use.method is Method.REINFORCEMENT else "text"
            detail = (
                f"{share(facts.repeats.count, facts.rows)} have {same} of an earlier row, but for spaces and case: "
            )
            yield _about_pairs(REPEATED_ROWS, use.file, facts.repeats, detail, hint="keep one of each")


def several_references(preflight: Preflight) -> Iterable[Diagnostic]:
    """Whatever the model answers to such a prompt, the grader calls it wrong in one row."""
    for use, facts in _compared(preflight):
        if facts.conflicts.count and references(preflight).get(use.file.address):
            said = f"{share(facts.conflicts.count, facts.rows)} have the prompt of an earlier row"
            detail = f"{said} and differ in what the grader reads: "
            hint = "decide which is right, or say in the prompt what tells them apart"
            yield _about_pairs(SEVERAL_REFERENCES, use.file, facts.conflicts, detail, hint=hint)


def overlap(preflight: Preflight) -> Iterable[Diagnostic]:
    """Validation rows that are trained on: their figures say how well rows are remembered."""
    compared = {(use.file.address, use.method): facts for use, facts in _compared(preflight)}
    training = {use.job.address: use for use in uses(preflight) if use.role is Role.TRAINING}
    done: set[tuple[Address, Address, Method]] = set()
    for use in uses(preflight):
        base = training.get(use.job.address)
        if base is None or use.role is Role.TRAINING or (base.file.address, use.file.address, use.method) in done:
            continue
        done.add((base.file.address, use.file.address, use.method))
        if base.file is use.file:
            detail = f"{use.file.address} is what the job trains on; a validation file has other rows"
            yield _about_use(OVERLAP, use, detail, hint="keep rows of their own for validation")
            continue
        trained = compared.get((base.file.address, use.method))
        validated = compared.get((use.file.address, use.method))
        if trained and validated:
            yield from _overlap(base, use, trained=trained, validated=validated)


def _overlap(base: Use, use: Use, *, trained: RepeatFacts, validated: RepeatFacts) -> Iterator[Diagnostic]:
    pairs = common_rows(trained, validated)
    if pairs.count:
        what = what_is_compared(use.method)
        said = f"{share(pairs.count, validated.rows)} have {what} of a row of {base.file.address}"
        hint = "take them out of one of the two files"
        yield _about_pairs(OVERLAP, use.file, pairs, f"{said}, but for spaces and case: ", hint=hint)


def not_compared(preflight: Preflight) -> Iterable[Diagnostic]:
    """Rows beyond those that are compared may be there twice, and nobody says so."""
    for use, facts in _compared(preflight):
        if facts.rows > MOST_ROWS:
            detail = f"the first {MOST_ROWS:,} of {facts.rows:,} rows are compared with others; the rest may be repeats"
            yield _about_file(NOT_COMPARED, use.file, 0, detail)


@view
def _compared(preflight: Preflight) -> tuple[tuple[Use, RepeatFacts], ...]:
    """Each file once a method, with what was found of rows that are there twice."""
    return tuple(_each_compared(preflight))


def _each_compared(preflight: Preflight) -> Iterator[tuple[Use, RepeatFacts]]:
    first = {(use.file.address, use.method): use for use in reversed(uses(preflight))}
    for use in first.values():
        facts = rows_of(preflight, use.file, use.method)
        if facts is not None:
            yield use, facts


def _used(preflight: Preflight) -> Iterator[tuple[Use, DataFacts]]:
    """Every use of a file whose rows could be counted."""
    for use in uses(preflight):
        facts = preflight.facts.get(use.file.address)
        if facts is not None and not _is_unread(facts):
            yield use, facts


def _is_unread(facts: DataFacts) -> bool:
    """Whether the file stands for one row because nothing in it could be read: in another encoding, or packed."""
    return facts.rows == 1 and any(one.code in (ROW_NOT_UTF8, DATA_IS_LFS_POINTER) for one in facts.problems)


def _files(preflight: Preflight) -> Iterator[tuple[Use, DataFacts]]:
    """Each file that a job uses, once."""
    return iter({use.file.address: (use, facts) for use, facts in _used(preflight)}.values())


def _about_use(code: Code, use: Use, detail: str, *, hint: str) -> Diagnostic:
    return finding(code, detail, place=use.job.where((use.role,)), address=str(use.job.address), hint=hint)


def _about_file(code: Code, file: Declared, line: int, detail: str, *, hint: str | None = None) -> Diagnostic:
    return finding(code, detail, place=row_place(file, line), address=str(file.address), hint=hint)


def _about_pairs(code: Code, file: Declared, pairs: Pairs, detail: str, *, hint: str) -> Diagnostic:
    return _about_file(code, file, pairs.shown[0][0], detail + listed(pairs), hint=hint)


RULES: Final = (
    row_counts,
    few_validation_rows,
    more_validation_rows,
    large_files,
    far_larger_rows,
    blank_lines,
    repeated_rows,
    several_references,
    overlap,
    not_compared,
)
PROBES: Final = (repeat_probes, size_probes)
