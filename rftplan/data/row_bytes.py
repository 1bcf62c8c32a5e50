"""One row of JSON as bytes for its digest: same values, same bytes, whatever Python runs. Checks nothing.

Digests of these bytes stand in locks, so the format may never change. It is that of marshal's version 2, because
that is written seven times faster than JSON text, but it is defined here: where marshal should ever write anything
else, `row_bytes` is the slow function below.

N null · T F booleans · i 4 bytes · l count of 15-bit digits, negative for negative numbers, and the digits, for
other integers · g 8 bytes of a double · u length, UTF-8 (lone surrogates passed) · [ length, items · { keys and
values, 0. All numbers little-endian, lengths in 4 bytes, keys in the order of the row.
"""

from __future__ import annotations

import marshal
import struct
from collections.abc import Callable
from typing import Any, Final

_DIGIT_BITS: Final = 15
_VERSION: Final = 2
_LIST_HEAD: Final = 5
_SAMPLE: Final = {
    "a": [None, True, False, 0, -1, 2**31 - 1, -(2**31), 2**31, -(2**70) + 1, 10**40],
    "ключ": {"a": "a", "\ud800": "😀\0", "": {}},
    "f": [0.0, -0.0, 1.5, 1e300, 5e-324],
    "\u2028": [[], "a" * 300],
}
"""Every branch of the format, text that Python interns and text that it does not."""


def defined_bytes(value: Any) -> bytes:
    """The format, spelled out."""
    if value is None or value is True or value is False:
        return {None: b"N", True: b"T", False: b"F"}[value]
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return b"g" + struct.pack("<d", value)
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
        return b"u" + struct.pack("<i", len(text)) + text
    if isinstance(value, list):
        return b"[" + struct.pack("<i", len(value)) + b"".join(map(defined_bytes, value))
    pairs = (defined_bytes(key) + defined_bytes(inner) for key, inner in value.items())
    return b"{" + b"".join(pairs) + b"0"


def _integer(value: int) -> bytes:
    if -(2**31) <= value < 2**31:
        return b"i" + struct.pack("<i", value)
    rest, digits = abs(value), []
    while rest:
        digits.append(rest & (2**_DIGIT_BITS - 1))
        rest >>= _DIGIT_BITS
    count = len(digits) if value > 0 else -len(digits)
    return b"l" + struct.pack(f"<i{len(digits)}H", count, *digits)


def _marshalled(value: Any) -> bytes:
    return marshal.dumps(value, _VERSION)


def _all_marshalled(values: list[Any]) -> bytes:
    """One call for all: what it writes is the list's head, and then the values one after the other."""
    return marshal.dumps(values, _VERSION)[_LIST_HEAD:]


def _all_defined(values: list[Any]) -> bytes:
    return b"".join(map(defined_bytes, values))


def _agrees(fast: Callable[[Any], bytes]) -> bool:
    try:
        return fast(_SAMPLE) == defined_bytes(_SAMPLE)
    except ValueError:
        return False


_FAST: Final = _agrees(_marshalled)
row_bytes: Final[Callable[[Any], bytes]] = _marshalled if _FAST else defined_bytes
"""The bytes of a parsed row. ValueError or RecursionError if it is nested too deeply."""
bytes_of_all: Final[Callable[[list[Any]], bytes]] = _all_marshalled if _FAST else _all_defined
"""The bytes of parsed rows one after the other; errors as of `row_bytes`."""
