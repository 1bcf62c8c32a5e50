"""The pre-flight rules, one module a family, one explicit list. Each is pure: a preflight in, findings out.

A family has `RULES`, `PROBES` for what its rules need to know of rows, and the codes of its findings.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from rftplan import codes
from rftplan.address import Address
from rftplan.checks import (
    answers,
    copied,
    cost,
    formulas,
    gates,
    grader_sense,
    grader_tests,
    guesses,
    held_out,
    installed,
    jobs,
    leaks,
    messages,
    models,
    policy,
    provider,
    python_names,
    python_reads,
    python_runs,
    python_source,
    python_surroundings,
    recorded,
    row_sets,
    schemas,
    sharing,
    strict_schemas,
    templates,
    variables,
)
from rftplan.checks.preflight import Preflight, Told
from rftplan.codes import Code
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic

__all__ = [
    "CODES",
    "FAMILIES",
    "PROBES",
    "RULES",
    "Preflight",
    "Told",
    "choose_probes",
    "replace_told",
    "run_rules",
    "without_dated",
    "without_told",
]

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
    copied,
    schemas,
    strict_schemas,
    grader_sense,
    formulas,
    python_names,
    python_source,
    python_surroundings,
    python_reads,
    python_runs,
    jobs,
    gates,
    held_out,
    recorded,
    grader_tests,
    models,
    answers,
    cost,
    sharing,
    policy,
)
RULES: Final[tuple[Rule, ...]] = tuple(rule for family in FAMILIES for rule in family.RULES)
PROBES: Final[tuple[ProbeChoice, ...]] = tuple(choice for family in FAMILIES for choice in family.PROBES)
CODES: Final[Mapping[str, Code]] = {
    **codes.CODES,
    **{value.code: value for family in FAMILIES for value in vars(family).values() if isinstance(value, Code)},
}
"""Every code that a finding may have, by its name."""


_TOLD: Final = (models, answers)
"""Families that look at what the service says of itself."""
_TOLD_CODES: Final = frozenset(
    value.code for family in _TOLD for value in vars(family).values() if isinstance(value, Code)
)
_DATED: Final = frozenset({models.BASE_GONE.code, models.GRADER_GONE.code})
"""Errors that go by our table's dates; a service may name a later one."""


def choose_probes(preflight: Preflight) -> dict[Address, tuple[Probe, ...]]:
    """What has to be looked for in the rows of each file, so that the rules can say what they have to say."""
    chosen: dict[Address, dict[str, Probe]] = {}
    for choice in PROBES:
        for address, probe in choice(preflight):
            chosen.setdefault(address, {})[probe.key] = probe
    return {address: tuple(probes.values()) for address, probes in chosen.items()}


def replace_told(preflight: Preflight, found: Iterable[Diagnostic], told: Told) -> list[Diagnostic]:
    """The findings of a whole run, with what the service said where only tables were looked at."""
    asked = dataclasses.replace(preflight, told=told)
    return [*without_told(found), *(one for family in _TOLD for rule in family.RULES for one in rule(asked))]


def without_told(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings that no service can say anything about."""
    return [one for one in found if one.code not in _TOLD_CODES]


def without_dated(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings but for errors that a service may take back, by naming a later day for a model."""
    return [one for one in found if one.code not in _DATED]


def run_rules(preflight: Preflight) -> list[Diagnostic]:
    """Every finding of every rule."""
    return [found for rule in RULES for found in rule(preflight)]
