"""The table of finding codes."""

import re

from rftplan import codes
from rftplan.checks import CODES, FAMILIES
from rftplan.codes import Code, finding
from rftplan.errors import Place, Severity


def every_code() -> set[Code]:
    """Those of the table, and those beside the rules; each is one value, however many modules import it."""
    return {value for home in (codes, *FAMILIES) for value in vars(home).values() if isinstance(value, Code)}


def test_every_code_has_one_meaning() -> None:
    assert len(every_code()) == len({code.code for code in every_code()}) == len(CODES)
    assert len(every_code()) == len({code.summary for code in every_code()})


def test_codes_are_a_family_and_a_number() -> None:
    assert all(re.fullmatch(r"[SDGJMCP][1-9]\d\d", code.code) for code in every_code())


def test_summaries_are_phrases_without_a_full_stop() -> None:
    odd = [code for code in every_code() if not re.fullmatch(r"[A-Z][^{}\n]{4,58}[^.\s]", code.summary)]
    assert odd == []


def test_a_finding_takes_severity_and_summary_from_its_code() -> None:
    found = finding(codes.DATA_HAS_BOM, "why", place=Place("a.jsonl", 1, 1), address="file.a", hint="do")
    assert (found.code, found.severity) == ("D104", Severity.WARNING)
    assert found.summary == codes.DATA_HAS_BOM.summary
    assert (found.detail, found.place, found.address, found.hint) == ("why", Place("a.jsonl", 1, 1), "file.a", "do")
