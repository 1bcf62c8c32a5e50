"""The table of finding codes."""

import re

from rftplan import codes
from rftplan.codes import CODES, Code, finding
from rftplan.errors import Place, Severity


def test_every_code_has_one_meaning() -> None:
    named = [value for value in vars(codes).values() if isinstance(value, Code)]
    assert len(named) == len({code.code for code in named}) == len(CODES)
    assert len(named) == len({code.summary for code in named})


def test_codes_are_a_family_and_a_number() -> None:
    assert all(re.fullmatch(r"[SDGJMCP][1-9]\d\d", name) for name in CODES)


def test_summaries_are_phrases_without_a_full_stop() -> None:
    assert all(re.fullmatch(r"[A-Z][^{}\n]{4,58}[^.\s]", code.summary) for code in CODES.values())


def test_a_finding_takes_severity_and_summary_from_its_code() -> None:
    found = finding(codes.DATA_HAS_BOM, "why", place=Place("a.jsonl", 1, 1), address="file.a", hint="do")
    assert (found.code, found.severity) == ("D104", Severity.WARNING)
    assert found.summary == codes.DATA_HAS_BOM.summary
    assert (found.detail, found.place, found.address, found.hint) == ("why", Place("a.jsonl", 1, 1), "file.a", "do")
