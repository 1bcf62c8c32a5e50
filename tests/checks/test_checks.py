"""The list of rules: every family in it, every code with one meaning, every probe once a file."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from importlib import import_module
from pathlib import Path

from rftplan import checks
from rftplan.address import Address
from rftplan.api.profiles import profile
from rftplan.checks import CODES, FAMILIES, PROBES, RULES, Preflight, choose_probes
from rftplan.codes import Code
from rftplan.config import read_config
from rftplan.source.root import Root
from tests.world import Small


def test_every_module_with_rules_is_a_family() -> None:
    names = [path.stem for path in Path(checks.__file__).parent.glob("*.py") if path.stem != "__init__"]
    modules = [import_module(f"rftplan.checks.{name}") for name in names]
    assert {module for module in modules if hasattr(module, "RULES")} == set(FAMILIES)
    assert set(RULES) == {rule for family in FAMILIES for rule in family.RULES}


def test_no_code_has_two_meanings() -> None:
    named = {id(value): value for family in FAMILIES for value in vars(family).values() if isinstance(value, Code)}
    assert [code for code, times in Counter(value.code for value in named.values()).items() if times > 1] == []
    assert len({code.summary for code in CODES.values()}) == len(CODES)
    assert all(re.fullmatch(r"[SDGJMCP][1-9]\d\d", name) for name in CODES)
    assert all(re.fullmatch(r"[A-Z][^{}\n]{4,58}[^.\s]", code.summary) for code in CODES.values())


def test_probes_of_one_key_are_one_probe(small: Small) -> None:
    config, _ = read_config(Root(small.root), "specs")
    chosen = choose_probes(Preflight(config, profile("local"), date(2026, 11, 22)))
    assert set(chosen) <= {Address("file", "train"), Address("file", "test")}
    for probes in chosen.values():
        assert len({probe.key for probe in probes}) == len(probes) <= len(PROBES)
