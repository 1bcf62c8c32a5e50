"""The scalars of YAML 1.2's core schema: what an unquoted word means. Knows nothing of where it stands.

`yes`, `no`, `on`, `off` and dates are text; `1e-5` is a number; there are no underscores and no base 60.
"""

from __future__ import annotations

import math
import re
from typing import Final

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INT: Final = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL: Final = re.compile(r"0o[0-7]+\Z")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_FIRST_OF_NUMBERS: Final = frozenset("+-.0123456789")
MAX_NUMBER_LENGTH: Final = 400
"""Characters. Longer than any number that a spec needs, and short enough that arithmetic on it stays cheap."""

Scalar = None | bool | int | float | str


def plain_value(text: str) -> Scalar:
    """The value of an unquoted scalar. ValueError, with a sentence, for a number that JSON cannot carry."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    return _number_or_text(text) if text[0] in _FIRST_OF_NUMBERS else text


def _number_or_text(text: str) -> int | float | str:
    if _NOT_FINITE.match(text):
        raise ValueError(f"{text} is no JSON number")
    for pattern, base in ((_INT, 10), (_OCTAL, 8), (_HEX, 16)):
        if pattern.match(text):
            _require_short(text)
            return int(text if base == 10 else text[2:], base)
    if _FLOAT.match(text):
        _require_short(text)
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(f"{text} is larger than any floating-point number")
        return number
    return text


def _require_short(text: str) -> None:
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError(f"a number of {len(text)} characters")
