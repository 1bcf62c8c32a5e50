"""The table of finding codes: one code, one severity, one summary. Knows neither specs nor rules.

`S1xx` files and their text, whoever reads them in · `S2xx` what specs say: structure, fields, references, and what
the provider cannot do · `D1xx` the rows of a data file. The codes of the rules stand beside the rules, in `checks`. A
code that was released is never given a second meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from rftplan.errors import Diagnostic, Place, Severity


class Code(Struct, frozen=True, order=True):
    """A kind of finding. `summary` is a short phrase that names nothing of the user's."""

    code: str
    severity: Severity
    summary: str


def error(code: str, summary: str) -> Code:
    """What stops a plan."""
    return Code(code, Severity.ERROR, summary)


def warning(code: str, summary: str) -> Code:
    """What is probably not meant."""
    return Code(code, Severity.WARNING, summary)


def info(code: str, summary: str) -> Code:
    """What is good to know."""
    return Code(code, Severity.INFO, summary)


NO_SPECS: Final = error("S101", "No specs to read")
WRONG_EXTENSION: Final = error("S102", "Spec file with another ending than .yaml")
HIDDEN_SPEC: Final = warning("S103", "Hidden spec file is not read")
PATH_REFUSED: Final = error("S104", "Path may not be used")
UNREADABLE: Final = error("S105", "File cannot be read")
TOO_LARGE: Final = error("S106", "File is too large")
NOT_UTF8: Final = error("S107", "File is not UTF-8 text")
CONTROL_CHARACTER: Final = error("S108", "Control character in a text file")
YAML_SYNTAX: Final = error("S110", "Not valid YAML")
SEVERAL_DOCUMENTS: Final = error("S111", "Several YAML documents in one file")
DUPLICATE_KEY: Final = error("S112", "Duplicate key")
KEY_NOT_STRING: Final = error("S113", "Key is not a string")
TAG_REFUSED: Final = error("S114", "YAML tags are not used here")
MERGE_KEY_REFUSED: Final = error("S115", "YAML merge keys are not used here")
BAD_ALIAS: Final = error("S116", "Alias cannot be resolved")
TOO_MANY_VALUES: Final = error("S117", "Too many values in one file")
TOO_DEEP: Final = error("S118", "Nested too deeply")
NOT_A_JSON_NUMBER: Final = error("S119", "Number that JSON cannot carry")
UNQUOTED_TEMPLATE: Final = error("S120", "Template without quotes")
BROKEN_CHARACTER: Final = error("S121", "Half of a character")
KEY_EXPOSED: Final = warning("S122", "Key file can be read by others")
JSON_SYNTAX: Final = error("S123", "Not valid JSON")
JSON_HAS_BOM: Final = warning("S124", "JSON file starts with a byte order mark")

TOP_LEVEL: Final = error("S201", "Spec file is not a mapping of sections")
UNKNOWN_KEY: Final = error("S202", "Unknown key")
MISSING_KEY: Final = error("S203", "Required key is missing")
WRONG_VALUE: Final = error("S204", "Value is not allowed here")
BAD_NAME: Final = error("S205", "Not a name")
DECLARED_TWICE: Final = error("S206", "Name is declared twice")
UNKNOWN_REFERENCE: Final = error("S207", "Unknown reference")
REFERENCE_CYCLE: Final = error("S208", "References form a cycle")
NOT_BUILT: Final = error("S209", "Not built yet")
NO_PROJECT: Final = error("S210", "No project is declared")
FILE_NOT_LOADED: Final = error("S211", "File named in a spec cannot be used")
DATA_MISSING: Final = error("S212", "Data file cannot be used")
DATA_ABSENT: Final = info("S213", "Data file is absent, but known")
UNSUPPORTED: Final = error("S214", "Provider cannot do this")
MOVED_NOWHERE: Final = error("S215", "Move or removal does not fit what is declared")
PACKAGE_MISSING: Final = warning("S216", "Package is not installed")
NOT_A_REQUEST: Final = error("S217", "Not the body of a request")
DATA_NOT_NAMED: Final = error("S218", "Data that the request leaves out")
PYTHON_UNKEPT: Final = warning("S219", "Python grader cannot be kept in here")
NOT_ASKED: Final = error("S220", "Provider could not be asked")
DATES_UNKNOWN: Final = warning("S221", "Provider did not say when models shut down")
OTHER_BYTES: Final = warning("S222", "File at the service has our name and other bytes")
NOT_IGNORABLE: Final = error("S224", "Rule that is none, or is never ignored")
FINDINGS_IGNORED: Final = info("S225", "Findings are ignored")

ROW_NOT_JSON: Final = error("D101", "Row is not JSON")
ROW_NOT_OBJECT: Final = error("D102", "Row is not a JSON object")
ROW_NOT_UTF8: Final = error("D103", "Row is not UTF-8 text")
DATA_HAS_BOM: Final = warning("D104", "Data file starts with a byte order mark")
DATA_EMPTY: Final = error("D105", "Data file is empty")
DATA_WITHOUT_ROWS: Final = error("D106", "Data file has no rows")
DATA_IS_LFS_POINTER: Final = error("D107", "Data file is a Git LFS pointer")
ROW_TOO_LONG: Final = error("D108", "Row is too long")
ROW_DUPLICATE_KEY: Final = error("D109", "Row has a key twice")
ROW_NUMBER: Final = error("D110", "Row has a number that JSON cannot carry")
ROW_TOO_DEEP: Final = error("D111", "Row is nested too deeply")
ROW_HALF_CHARACTER: Final = error("D112", "Row has half of a character")

SAMPLE_SHAPE: Final = error("D301", "Sample is not of the shape that is graded")

CODES: Final[Mapping[str, Code]] = {
    code.code: code for code in sorted(value for value in globals().values() if isinstance(value, Code))
}
"""Every code of this table by its name; `checks.CODES` has those of the rules, too."""


def finding(
    code: Code,
    detail: str,
    *,
    place: Place | None = None,
    address: str | None = None,
    hint: str | None = None,
) -> Diagnostic:
    """A finding of this code. `detail` says what exactly and why it matters, `hint` what to do next.

    What looks like a key is in neither: findings go to logs, and keys end up in the strangest places.
    """
    said, advice = without_keys(detail), None if hint is None else without_keys(hint)
    return Diagnostic(code.code, code.summary, said, code.severity, place, address, advice)


def without_keys(text: str) -> str:
    return re.sub(r"\bsk-[\w-]{16,}", "sk-***", text) if "sk-" in text else text
