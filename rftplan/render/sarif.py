"""Findings as a SARIF 2.1.0 log, which code scanners show beside the lines of a change. Reads nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from rftplan.render.escape import visible
from rftplan.render.github import located
from rftplan.render.shapes import CheckDocument, ExplainDocument, FindingDocument

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
_ROOT: Final = "%SRCROOT%"
"""The word that scanners take for the root of the checked-out repository."""

SarifDocument = Mapping[str, Any]
"""The standard's shape, not ours: it has no type here, and a test holds it against the standard's schema."""


def sarif_document(
    document: CheckDocument, explained: Iterable[ExplainDocument], *, version: str, base: str = ""
) -> SarifDocument:
    """One run. `explained` has the page of every code that occurs; `base` is the project's root from where paths
    shall start, with `/`."""
    rules = sorted(explained, key=lambda rule: rule["code"])
    numbers = {rule["code"]: number for number, rule in enumerate(rules)}
    results = [_result(finding, numbers, base) for finding in document["diagnostics"]]
    driver = {"name": "rftplan", "version": version, "rules": [_rule(rule) for rule in rules]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: ExplainDocument) -> dict[str, Any]:
    return {
        "id": rule["code"],
        "shortDescription": {"text": rule["summary"]},
        "help": {"text": rule["page"].replace("**", ""), "markdown": rule["page"]},
        "defaultConfiguration": {"level": _LEVELS.get(rule["severity"], "error")},
    }


def _result(finding: FindingDocument, numbers: Mapping[str, int], base: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding["code"],
        "level": _LEVELS.get(finding["severity"], "error"),
        "message": {"text": _message(finding)},
    }
    if finding["code"] in numbers:
        result["ruleIndex"] = numbers[finding["code"]]
    if locations := _locations(finding, base):
        result["locations"] = locations
    return result


def _message(finding: FindingDocument) -> str:
    parts = [finding["detail"], *([f"hint: {finding['hint']}"] if finding["hint"] else [])]
    # `[text](target)` would be a link, and a spec could name the target.
    return "\n".join(visible(part) for part in parts).replace("](", "] (")


def _locations(finding: FindingDocument, base: str) -> Sequence[dict[str, Any]]:
    location: dict[str, Any] = {}
    if finding["path"] is not None:
        # With the colon quoted, no name of a file can look like the scheme of an address.
        uri = quote(located(finding["path"], base), safe="/", errors="replace")
        at = {"uri": f"file://{uri}"} if uri.startswith("/") else {"uri": uri, "uriBaseId": _ROOT}
        location["physicalLocation"] = {"artifactLocation": at}
        if finding["line"] is not None:
            location["physicalLocation"]["region"] = _region(finding["line"], finding["column"])
    if finding["address"] is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": visible(finding["address"])}]
    return [location] if location else []


def _region(line: int, column: int | None) -> dict[str, int]:
    return {"startLine": line} if column is None else {"startLine": line, "startColumn": column}
