"""SARIF: the log is what the standard says, whatever is in specs, and says what the findings say."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import jsonschema
from hypothesis import given

from rftplan.checks import CODES
from rftplan.checks.explain import page
from rftplan.codes import DATA_ABSENT, UNKNOWN_KEY, finding
from rftplan.errors import Diagnostic, Place
from rftplan.render.documents import check_document, dumped
from rftplan.render.explain_documents import explain_document
from rftplan.render.sarif import sarif_document
from tests.render.findings import FINDINGS

LEVEL: Final = {"enum": ["none", "note", "warning", "error"]}
WHOLE: Final = {"type": "integer", "minimum": 1}
TEXT: Final = {"type": "string"}


def strict(required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


RULE = strict(
    "id",
    id=TEXT,
    shortDescription=strict("text", text=TEXT),
    help=strict("text", text=TEXT, markdown=TEXT),
    defaultConfiguration=strict("level", level=LEVEL),
)
LOCATION = strict(
    "",
    physicalLocation=strict(
        "artifactLocation",
        artifactLocation=strict("uri", uri={"type": "string", "minLength": 1}, uriBaseId=TEXT),
        region=strict("startLine", startLine=WHOLE, startColumn=WHOLE),
    ),
    logicalLocations={"type": "array", "items": strict("", fullyQualifiedName=TEXT)},
)
RESULT = strict(
    "message",
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=strict("text", text={"type": "string"}),
    locations={"type": "array", "items": LOCATION},
)
RUN = strict(
    "tool",
    tool=strict("driver", driver=strict("name", name=TEXT, version=TEXT, rules={"type": "array", "items": RULE})),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": RESULT},
)
SARIF = jsonschema.Draft202012Validator(
    strict("version runs", **{"$schema": TEXT, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": RUN}})
)
"""What we use of the standard's schema, and nothing else allowed."""


def log_of(*found: Diagnostic, base: str = "") -> Any:
    explained = [explain_document(CODES[code], page(CODES[code])) for code in {one.code for one in found}]
    log = sarif_document(check_document(found), explained, version="1.2.3", base=base)
    return json.loads(dumped(log))


def test_a_finding_is_a_result_with_the_page_of_its_rule() -> None:
    found = finding(UNKNOWN_KEY, "why", place=Place("specs/a b.yaml", 3, 5), address="job.x", hint="do")
    (run,) = log_of(found, finding(DATA_ABSENT, "gone"), base="p")["runs"]
    first, second = run["results"]
    assert first == {
        "ruleId": "S202",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "why\nhint: do"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "p/specs/a%20b.yaml", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 3, "startColumn": 5},
                },
                "logicalLocations": [{"fullyQualifiedName": "job.x"}],
            }
        ],
    }
    assert (second["level"], "locations" in second) == ("note", False)
    rule = run["tool"]["driver"]["rules"][first["ruleIndex"]]
    assert (rule["id"], rule["help"]["markdown"]) == ("S202", page(UNKNOWN_KEY))
    assert "**" not in rule["help"]["text"]


def test_nothing_found_is_a_log_without_results() -> None:
    (run,) = log_of()["runs"]
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])


def test_a_link_in_a_spec_is_no_link_in_the_log() -> None:
    (run,) = log_of(finding(UNKNOWN_KEY, "[log in](https://example.com)"))["runs"]
    assert run["results"][0]["message"]["text"] == "[log in] (https://example.com)"


@given(FINDINGS)
def test_whatever_specs_say_the_log_is_valid_and_paths_are_no_addresses(found: Diagnostic) -> None:
    log = log_of(found)
    SARIF.validate(log)
    (result,) = log["runs"][0]["results"]
    if found.place is not None:
        uri = urlsplit(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        assert (uri.scheme, uri.netloc, uri.query, uri.fragment) == ("", "", "", "")
        assert unquote(uri.path) == found.place.path.encode(errors="replace").decode()
