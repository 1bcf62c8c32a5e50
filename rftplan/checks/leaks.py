"""Rules about text that looks like a key to something and is about to be uploaded. Pure; never tells the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rftplan.address import Address
from rftplan.checks.preflight import Path, Preflight, row_place, uses
from rftplan.checks.probes.leaks import LEAKS_PROBE, kinds_in, leak_facts
from rftplan.codes import finding, warning
from rftplan.config import Declared
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic
from rftplan.kinds.job import fields

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


def secrets_in_specs(preflight: Preflight) -> Iterable[Diagnostic]:
    """A key in a prompt, a source or metadata goes to the service, and whoever may list jobs sees it."""
    for declared in (*preflight.of_kind("grader"), *preflight.of_kind("job")):
        for path, text in _sent_texts(declared):
            if kinds := kinds_in(text.encode("utf-8", "surrogatepass")):
                yield finding(
                    SECRET,
                    f"{', '.join(sorted(kinds))}: it is sent as a part of the {declared.address.kind}",
                    place=declared.where(path),
                    address=str(declared.address),
                    hint="take it out, and revoke it if it is real: nothing that is trained or grades can use it",
                )


def _sent_texts(declared: Declared) -> Iterator[tuple[Path, str]]:
    # Without warnings: a request's spec has the names of its files in the place of their ids.
    written = declared.spec.model_dump(by_alias=True, warnings=False)
    if declared.address.kind == "job":
        written = {key: value for key, value in written.items() if key in (*fields.API, "extra_body")}
    return _texts(written, ())


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))


RULES: Final = (secrets, secrets_in_specs)
PROBES: Final = (leak_probes,)
