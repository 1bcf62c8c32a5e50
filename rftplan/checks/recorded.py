"""Rules about recorded samples that a simulation is to draw from. Pure; grades and draws nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rftplan.address import Address
from rftplan.checks.preflight import Preflight, recorded_files, row_place, uses
from rftplan.checks.probes.recorded import ROWS_PROBE, SAMPLES_PROBE, Recorded, recorded, row_keys
from rftplan.codes import SAMPLE_SHAPE, finding, warning
from rftplan.config import Declared
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic

OF_NO_ROW: Final = warning("D302", "Recorded sample belongs to no row")
_SHOWN: Final = 3


def sample_shapes(preflight: Preflight) -> Iterable[Diagnostic]:
    """Entries that are no samples: the job would fail when it starts."""
    for file in {file.address: file for _, file in recorded_files(preflight)}.values():
        if (known := _recorded(preflight, file)) is None:
            continue
        for number, (line, said, hint) in enumerate(known.misfits, start=1):
            more = known.wrong - len(known.misfits) if number == len(known.misfits) else 0
            detail = f"{said} (and {more:,} more)" if more else said
            yield finding(
                SAMPLE_SHAPE, detail, place=row_place(file, line), address=str(file.address), hint=_hint(hint)
            )


def of_no_row(preflight: Preflight) -> Iterable[Diagnostic]:
    """Samples that no row of the job would ever be answered with."""
    for job, file in recorded_files(preflight):
        known, keys = _recorded(preflight, file), _row_keys(preflight, job)
        if known is None or keys is None:
            continue
        strangers = list(known.strangers(keys))
        if strangers:
            shown = ", ".join(map(str, strangers[:_SHOWN])) + (", …" if len(strangers) > _SHOWN else "")
            lines = f"line{'' if len(strangers) == 1 else 's'} {shown}"
            said = f"{len(strangers):,} of {len(known.keys):,} samples belong to no row of {job.address} ({lines})"
            detail = f"{said}: they are never drawn"
            hint = "record the row's messages or its item with each sample, as they are in the file now"
            yield finding(OF_NO_ROW, detail, place=row_place(file, strangers[0]), address=str(file.address), hint=hint)


def _hint(hint: str) -> str:
    """Where rows were given in place of samples, `grade` would make answers from them; a simulation does, too."""
    return "take simulate: out, and answers are made from the rows" if "--samples" in hint else hint


def _recorded(preflight: Preflight, file: Declared) -> Recorded | None:
    facts = preflight.facts.get(file.address)
    return recorded(facts.found) if facts else None


def _row_keys(preflight: Preflight, job: Declared) -> frozenset[int] | None:
    """Of all files of the job; None where one of them could not be looked at."""
    found = [preflight.facts.get(use.file.address) for use in uses(preflight) if use.job is job]
    keys = [row_keys(facts.found) if facts else None for facts in found]
    known = [one for one in keys if one is not None]
    return frozenset().union(*known) if known and len(known) == len(keys) else None


def probes(preflight: Preflight) -> Iterator[tuple[Address, Probe]]:
    """Digests of the samples, and of the rows of the jobs that draw from them."""
    for job, file in recorded_files(preflight):
        yield file.address, SAMPLES_PROBE
        yield from ((use.file.address, ROWS_PROBE) for use in uses(preflight) if use.job is job)


RULES: Final = (sample_shapes, of_no_row)
PROBES: Final = (probes,)
