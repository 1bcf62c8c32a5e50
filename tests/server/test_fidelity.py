"""The table of what is proven and what is policy."""

from __future__ import annotations

from pathlib import Path

from rftplan.cli.service import fidelity_page
from rftplan.server.fidelity import PROVEN, Source
from rftplan.server.fidelity_own import BEHAVIOURS

PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"


def test_every_behaviour_is_listed_once_under_one_area() -> None:
    keys = [(behaviour.area, behaviour.what) for behaviour in BEHAVIOURS]
    assert len(keys) == len(set(keys))


def test_a_policy_or_a_report_is_no_proof() -> None:
    assert Source.POLICY not in PROVEN
    assert Source.REPORTED not in PROVEN
    assert {behaviour.proven for behaviour in BEHAVIOURS} == {True, False}


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == fidelity_page(), "make it: rftplan serve --fidelity > docs/fidelity.md"


def test_the_page_has_every_behaviour_with_what_its_source_is_worth() -> None:
    rows = [line for line in fidelity_page().splitlines() if line.startswith("| ")]
    policies = [behaviour for behaviour in BEHAVIOURS if behaviour.source is Source.POLICY]
    assert sum(row.endswith(f"| {Source.POLICY} | policy |") for row in rows) == len(policies)
    assert sum(row.endswith(f"| {Source.REPORTED} | reported |") for row in rows) > 0
    for behaviour in BEHAVIOURS:
        assert f"| {behaviour.what} | {behaviour.source} | " in "\n".join(rows)
