r"""The canonical bytes of JSON rows, and what is wrong with a row. Reads no files, keeps no state.

Canonical is what `json.dumps(json.loads(row), separators=(",", ":"), ensure_ascii=False)` gives, in UTF-8. Calling
it costs more than parsing, so valid rows are rewritten as bytes, many at once: everything between quotes stays but
for escapes, everything outside loses its whitespace. The tests hold both against each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NoReturn

from rftplan import codes
from rftplan.codes import Code

WHITESPACE: Final = b" \t\r\n"
"""What JSON allows between tokens."""
_ESCAPE: Final = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\/")
_NUMBER: Final = re.compile(rb"-?[0-9][-+.eE0-9]*")
_UNUSUAL_NUMBER: Final = re.compile(rb"[0-9][.eE]|-0")
_BLANK_LINES: Final = re.compile(rb"\n\n+")
_HIDDEN_BACKSLASH: Final = b"\0\0"
_HIDDEN_QUOTE: Final = b"\1\1"
"""Stand-ins for two escapes; valid rows have no control characters."""
_GROUP: Final = 32
"""Rows parsed before they are dropped: few enough that the garbage collector has nothing to look through."""
_MAX_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row, at a 1-based column."""

    code: Code
    column: int
    detail: str
    hint: str | None = None


class UnusualRowsError(Exception):
    """Rows that have to be looked at one by one. Never leaves the modules that read data."""


class _NumberError(ValueError):
    """A number that JSON cannot carry."""


def _refuse_constant(name: str) -> NoReturn:
    raise _NumberError(f"{name} is no JSON number")


_decoder: Final[Any] = json.JSONDecoder(parse_constant=_refuse_constant)
_scan: Final[Callable[[str, int], tuple[Any, int]]] = _decoder.scan_once
"""Documented for subclasses only, but the one way to parse a line without copying it; missing in the type stubs."""


def canonical_rows(block: bytes) -> tuple[int, bytes]:
    r"""How many rows the lines hold, and their canonical bytes, each ended by `\n`.

    UnusualRowsError if any of them has a fault or begins or ends with a space.
    """
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    try:
        lines = [line for line in block.decode().split("\n") if line]
        pairs = sum(
            _count_pairs([_whole_object(line) for line in lines[start : start + _GROUP]])
            for start in range(0, len(lines), _GROUP)
        )
        return len(lines), _compact(block, pairs=pairs)
    except (ValueError, StopIteration, RecursionError) as error:
        raise UnusualRowsError from error


def _whole_object(line: str) -> dict[str, Any]:
    row, end = _scan(line, 0)
    if end != len(line) or type(row) is not dict:
        raise UnusualRowsError
    return row


def _count_pairs(rows: Sequence[Any]) -> int:
    """How many key-value pairs the rows hold at all levels; level by level, as a call a row would be slow."""
    count = 0
    level = rows
    while level:
        objects = [value for value in level if type(value) is dict]
        count += sum(map(len, objects))
        inner = [value for row in objects for value in row.values() if type(value) is dict or type(value) is list]
        inner += [
            value
            for items in level
            if type(items) is list
            for value in items
            if type(value) is dict or type(value) is list
        ]
        level = inner
    return count


def _compact(block: bytes, *, pairs: int) -> bytes:
    """Canonical bytes of lines that are valid JSON. ValueError if they hold more key-value pairs than `pairs`."""
    escaped = b"\\" in block
    if escaped:
        block = block.replace(b"\\\\", _HIDDEN_BACKSLASH).replace(b'\\"', _HIDDEN_QUOTE)
        if b"\\u" in block or b"\\/" in block:
            block = _ESCAPE.sub(_unescaped, block)
    pieces = block.split(b'"')
    outside = b'"'.join(pieces[::2])
    if outside.count(b":") != pairs:
        raise ValueError("a key is there twice")
    if _UNUSUAL_NUMBER.search(outside):
        outside = _with_canonical_numbers(outside)
    outside = outside.translate(None, b" \t\r")
    if b"\n\n" in outside:
        outside = _BLANK_LINES.sub(b"\n", outside)
    pieces[::2] = outside.split(b'"')
    compact = b'"'.join(pieces).strip(b"\n")
    if escaped:
        compact = compact.replace(_HIDDEN_BACKSLASH, b"\\\\").replace(_HIDDEN_QUOTE, b'\\"')
    return compact + b"\n" if compact else b""


def _with_canonical_numbers(outside: bytes) -> bytes:
    numbers = {text for text in _NUMBER.findall(outside) if not text.isdigit()}
    if all(_canonical_number(text) == text for text in numbers):
        return outside
    return _NUMBER.sub(lambda match: _canonical_number(match[0]), outside)


def _canonical_number(text: bytes) -> bytes:
    if text.isdigit():
        return text
    if text.removeprefix(b"-").isdigit():
        return b"0" if text == b"-0" else text
    canonical = repr(float(text))
    if canonical.endswith("inf"):
        raise _NumberError(f"{_shown(text.decode())} is larger than any floating-point number")
    return canonical.encode()


def _unescaped(match: re.Match[bytes]) -> bytes:
    return _character(match[0])


@lru_cache(maxsize=4096)
def _character(escape: bytes) -> bytes:
    character = json.loads(b'"%b"' % escape)
    written = json.dumps(character, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
    return written.replace(b"\\\\", _HIDDEN_BACKSLASH).replace(b'\\"', _HIDDEN_QUOTE)


def canonical_row(line: bytes) -> tuple[bytes, Fault | None]:
    r"""One line that is not blank: its canonical bytes without `\n`, and the first thing wrong with it.

    A row with a fault is its own canonical form, stripped.
    """
    raw = line.strip(WHITESPACE)
    fault = _fault(line)
    if fault:
        return raw, fault
    try:
        return _compact(raw.replace(b"\r", b" "), pairs=_count_pairs([json.loads(raw)]))[:-1], None
    except _NumberError as error:
        return raw, Fault(codes.ROW_NUMBER, 1, str(error), _NUMBER_HINT)


_NUMBER_HINT: Final = "write null, a smaller number, or text in quotes"


def _fault(line: bytes) -> Fault | None:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        column = len(line[: error.start].decode()) + 1
        detail = f"the byte 0x{line[error.start]:02x} is not UTF-8"
        return Fault(codes.ROW_NOT_UTF8, column, detail, "save the file as UTF-8")
    try:
        row = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_repeats)
    except _RepeatError as error:
        detail = f'the key "{_shown(str(error))}" is there twice, and readers disagree which one counts'
        return Fault(codes.ROW_DUPLICATE_KEY, 1, detail, "remove one of them")
    except json.JSONDecodeError as error:
        return Fault(codes.ROW_NOT_JSON, error.pos + 1, f"{error.msg}", _syntax_hint(text))
    except ValueError as error:
        detail = str(error) if isinstance(error, _NumberError) else "a number has thousands of digits"
        return Fault(codes.ROW_NUMBER, 1, detail, _NUMBER_HINT)
    except RecursionError:
        return Fault(codes.ROW_TOO_DEEP, 1, "lists and objects are nested hundreds of levels deep")
    if type(row) is dict:
        return None
    detail = f"the row is {_TYPE_NAMES[type(row)]}, and training reads objects"
    return Fault(codes.ROW_NOT_OBJECT, 1, detail, "write one {…} a line")


_TYPE_NAMES: Final[dict[type, str]] = {
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


class _RepeatError(ValueError):
    """A key that an object has twice."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) == len(pairs):
        return row
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _RepeatError(key)
        seen.add(key)
    return row


def _syntax_hint(text: str) -> str:
    start = text.strip()
    if start in ("[", "{", "[{") or start.startswith(("[{", '"')):
        return "the file must have one object a line, not one JSON text over many lines"
    if "\r" in start:
        return "end the lines with \\n; a lone \\r ends no line"
    if start.startswith(("{'", "{u'")):
        return "write double quotes: this is Python's notation, not JSON"
    return "write one JSON object a line"


def _shown(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
