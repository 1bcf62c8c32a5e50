"""Rules about text that looks like a key to something and is about to be uploaded. Pure; never tells the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rftplan.address import Address
from rftplan.checks.preflight import Preflight, row_place, uses
from rftplan.checks.probes.leaks import LEAKS_PROBE, leak_facts
from rftplan.codes import finding, warning
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic

SECRET: Final = warning("D231", "Text looks like a secret")


def leak_probes(preflight: Preflight) -> Iterator[tuple[Address, Probe]]:
    """Every file that a job uses, for those are uploaded."""
    for use in uses(preflight):
        yield use.file.address, LEAKS_PROBE


def secrets(preflight: Preflight) -> Iterable[Diagnostic]:
    """A key in a row goes to the service, and a model may learn to say it."""
    for file in {use.file.address: use.file for use in uses(preflight)}.values():
        known = preflight.facts.get(file.address)
        facts = leak_facts(known.found) if known else None
        if facts and facts.all.count:
            yield finding(
                SECRET,
                f"{facts.all.share(facts.rows)}: {', '.join(sorted(facts.kinds))}",
                place=row_place(file, facts.all.lines[0]),
                address=str(file.address),
                hint="take it out of the rows, and revoke it if it is real",
            )


RULES: Final = (secrets,)
PROBES: Final = (leak_probes,)
