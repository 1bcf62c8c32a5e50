"""The pre-flight rules, one module a family, one explicit list. Each is pure: a preflight in, findings out.

A family has `RULES`, `PROBES` for what its rules need to know of rows, and the codes of its findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from rftplan import codes
from rftplan.address import Address
from rftplan.checks import (
    cost,
    formulas,
    gates,
    grader_sense,
    guesses,
    installed,
    jobs,
    leaks,
    messages,
    models,
    provider,
    python_runs,
    python_source,
    python_surroundings,
    row_sets,
    schemas,
    strict_schemas,
    templates,
    variables,
)
from rftplan.checks.preflight import Preflight
from rftplan.codes import Code
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic

__all__ = ["CODES", "FAMILIES", "PROBES", "RULES", "Preflight", "choose_probes", "run_rules"]

ProbeChoice = Callable[[Preflight], Iterable[tuple[Address, Probe]]]
Rule = Callable[[Preflight], Iterable[Diagnostic]]

FAMILIES: Final = (
    provider,
    installed,
    messages,
    row_sets,
    leaks,
    templates,
    variables,
    guesses,
    schemas,
    strict_schemas,
    grader_sense,
    formulas,
    python_source,
    python_surroundings,
    python_runs,
    jobs,
    gates,
    models,
    cost,
)
RULES: Final[tuple[Rule, ...]] = tuple(rule for family in FAMILIES for rule in family.RULES)
PROBES: Final[tuple[ProbeChoice, ...]] = tuple(choice for family in FAMILIES for choice in family.PROBES)
CODES: Final[Mapping[str, Code]] = {
    **codes.CODES,
    **{value.code: value for family in FAMILIES for value in vars(family).values() if isinstance(value, Code)},
}
"""Every code that a finding may have, by its name."""


def choose_probes(preflight: Preflight) -> dict[Address, tuple[Probe, ...]]:
    """What has to be looked for in the rows of each file, so that the rules can say what they have to say."""
    chosen: dict[Address, dict[str, Probe]] = {}
    for choice in PROBES:
        for address, probe in choice(preflight):
            chosen.setdefault(address, {})[probe.key] = probe
    return {address: tuple(probes.values()) for address, probes in chosen.items()}


def run_rules(preflight: Preflight) -> list[Diagnostic]:
    """Every finding of every rule."""
    return [found for rule in RULES for found in rule(preflight)]
