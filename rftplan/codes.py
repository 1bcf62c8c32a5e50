"""The table of finding codes: one code, one severity, one summary. Knows neither specs nor rules.

`S1xx` files and their text, whoever reads them in · `S2xx` what specs say: structure, fields, references, and what
the provider cannot do · `D1xx` the rows of a data file. The other families of DESIGN §8 come with their rules. A code
that was released is never given a second meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rftplan.errors import Diagnostic, Place, Severity


@dataclass(frozen=True, slots=True, order=True)
class Code:
    """A kind of finding. `summary` is a short phrase that names nothing of the user's."""

    code: str
    severity: Severity
    summary: str


def _error(code: str, summary: str) -> Code:
    return Code(code, Severity.ERROR, summary)


def _warning(code: str, summary: str) -> Code:
    return Code(code, Severity.WARNING, summary)


def _info(code: str, summary: str) -> Code:
    return Code(code, Severity.INFO, summary)


NO_SPECS: Final = _error("S101", "No specs to read")
WRONG_EXTENSION: Final = _error("S102", "Spec file with another ending than .yaml")
HIDDEN_SPEC: Final = _warning("S103", "Hidden spec file is not read")
PATH_REFUSED: Final = _error("S104", "Path may not be used")
UNREADABLE: Final = _error("S105", "File cannot be read")
TOO_LARGE: Final = _error("S106", "File is too large")
NOT_UTF8: Final = _error("S107", "File is not UTF-8 text")
CONTROL_CHARACTER: Final = _error("S108", "Control character in a text file")
YAML_SYNTAX: Final = _error("S110", "Not valid YAML")
SEVERAL_DOCUMENTS: Final = _error("S111", "Several YAML documents in one file")
DUPLICATE_KEY: Final = _error("S112", "Duplicate key")
KEY_NOT_STRING: Final = _error("S113", "Key is not a string")
TAG_REFUSED: Final = _error("S114", "YAML tags are not used here")
MERGE_KEY_REFUSED: Final = _error("S115", "YAML merge keys are not used here")
BAD_ALIAS: Final = _error("S116", "Alias cannot be resolved")
TOO_MANY_VALUES: Final = _error("S117", "Too many values in one file")
TOO_DEEP: Final = _error("S118", "Nested too deeply")
NOT_A_JSON_NUMBER: Final = _error("S119", "Number that JSON cannot carry")
UNQUOTED_TEMPLATE: Final = _error("S120", "Template without quotes")
BROKEN_CHARACTER: Final = _error("S121", "Half of a character")
KEY_EXPOSED: Final = _warning("S122", "Key file can be read by others")

TOP_LEVEL: Final = _error("S201", "Spec file is not a mapping of sections")
UNKNOWN_KEY: Final = _error("S202", "Unknown key")
MISSING_KEY: Final = _error("S203", "Required key is missing")
WRONG_VALUE: Final = _error("S204", "Value is not allowed here")
BAD_NAME: Final = _error("S205", "Not a name")
DECLARED_TWICE: Final = _error("S206", "Name is declared twice")
UNKNOWN_REFERENCE: Final = _error("S207", "Unknown reference")
REFERENCE_CYCLE: Final = _error("S208", "References form a cycle")
NOT_BUILT: Final = _error("S209", "Not built yet")
NO_PROJECT: Final = _error("S210", "No project is declared")
FILE_NOT_LOADED: Final = _error("S211", "File named in a spec cannot be used")
DATA_MISSING: Final = _error("S212", "Data file cannot be used")
DATA_ABSENT: Final = _info("S213", "Data file is absent, but known")
UNSUPPORTED: Final = _error("S214", "Provider cannot do this")
MOVED_NOWHERE: Final = _error("S215", "Move or removal does not fit what is declared")
PACKAGE_MISSING: Final = _warning("S216", "Package is not installed")
METRIC_UNKNOWN: Final = _warning("S217", "Metric is not known")

ROW_NOT_JSON: Final = _error("D101", "Row is not JSON")
ROW_NOT_OBJECT: Final = _error("D102", "Row is not a JSON object")
ROW_NOT_UTF8: Final = _error("D103", "Row is not UTF-8 text")
DATA_HAS_BOM: Final = _warning("D104", "Data file starts with a byte order mark")
DATA_EMPTY: Final = _error("D105", "Data file is empty")
DATA_WITHOUT_ROWS: Final = _error("D106", "Data file has no rows")
DATA_IS_LFS_POINTER: Final = _error("D107", "Data file is a Git LFS pointer")
ROW_TOO_LONG: Final = _error("D108", "Row is too long")
ROW_DUPLICATE_KEY: Final = _error("D109", "Row has a key twice")
ROW_NUMBER: Final = _error("D110", "Row has a number that JSON cannot carry")
ROW_TOO_DEEP: Final = _error("D111", "Row is nested too deeply")

CODES: Final[Mapping[str, Code]] = {
    code.code: code for code in sorted(value for value in globals().values() if isinstance(value, Code))
}
"""Every code by its name."""


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
