"""Rows of JSON: their bytes for the digest, and what is wrong with them. Reads no files.

Whole blocks of good rows go through the short loop of `rows_of`; `row_of` explains the others one by one.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from rftplan import codes
from rftplan.codes import Code
from rftplan.data.row_bytes import bytes_of_all, row_bytes
from rftplan.reading import CONFLICT_MARKS, DECIDE_CONFLICT, SAVE_AS_UTF8
from rftplan.typed_json import NumberError, finite, refuse_constant

WHITESPACE: Final = b" \t\r\n"
"""What JSON allows between tokens."""
MAX_PROBLEMS: Final = 5
"""Listed for each code; the last one says how many more there are."""
_MAX_SHOWN: Final = 40


class Fault(Struct, frozen=True):
    """What is wrong with one row, at a 1-based column."""

    code: Code
    column: int
    detail: str
    hint: str | None = None


class DataProblem(Struct, frozen=True):
    """Something wrong with a data file at a 1-based line and column; 0 means the file as a whole."""

    line: int
    column: int
    code: Code
    detail: str
    hint: str | None = None


class Problems:
    """What was found so far: the first of each code, and how many there are of it."""

    def __init__(self) -> None:
        self._first: list[DataProblem] = []
        self._counts: Counter[Code] = Counter()

    def add(self, code: Code, line: int, column: int, detail: str, hint: str | None = None) -> None:
        self._counts[code] += 1
        if self._counts[code] <= _most_listed(code):
            self._first.append(DataProblem(line, column, code, detail, hint))

    def listed(self) -> tuple[DataProblem, ...]:
        """In the order they were added; the last one listed of a code says how many more there are.

        A file that is one JSON text over many lines has one thing wrong with it, not one a line.
        """
        problems = self._spread_out() or list(self._first)
        for index in {problem.code: index for index, problem in enumerate(problems)}.values():
            more = self._counts[problems[index].code] - _most_listed(problems[index].code)
            if more > 0:
                problems[index] = replace(problems[index], detail=f"{problems[index].detail} (and {more:,} more)")
        return tuple(problems)

    def _spread_out(self) -> list[DataProblem] | None:
        first = next(iter(self._first), None)
        if first is None or first.line != 1 or first.hint not in _WHOLE_FILES:
            return None
        lines = sum(self._counts[code] for code in _OF_A_SPREAD_TEXT)
        if any(problem.hint == _REPORT for problem in self._first):
            first = replace(first, hint=_REPORT)
        detail = _WHOLE_FILES[str(first.hint)].format(lines=lines)
        rest = [problem for problem in self._first if problem.code not in _OF_A_SPREAD_TEXT]
        self._counts = Counter({code: n for code, n in self._counts.items() if code not in _OF_A_SPREAD_TEXT})
        return [replace(first, detail=detail), *rest]


def _most_listed(code: Code) -> int:
    """A file in another encoding has that wrong with it, however many of its lines show it."""
    return 1 if code is codes.ROW_NOT_UTF8 else MAX_PROBLEMS


class UnusualRowsError(Exception):
    """Rows that have to be looked at one by one. Never leaves the modules that read data."""


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


_decoder: Final[Any] = json.JSONDecoder(
    object_pairs_hook=_without_repeats, parse_float=finite, parse_constant=refuse_constant
)
_scan: Final[Callable[[str, int], tuple[Any, int]]] = _decoder.scan_once
"""Documented for subclasses only, but the one way to parse a line without copying it; missing in the type stubs."""


def rows_of(lines: Iterable[bytes]) -> tuple[list[dict[str, Any]], bytes]:
    """The rows of the lines, blank lines left out, and their bytes for the digest one after the other.

    UnusualRowsError if any of them has a fault or begins or ends with a space.
    """
    try:
        rows = [_whole_object(line.decode()) for line in lines if line]
        digested = bytes_of_all(rows)
        if b"\xed" in digested and _HALF_WRITTEN.search(digested):
            raise UnusualRowsError
    except (ValueError, StopIteration, RecursionError) as error:
        raise UnusualRowsError from error
    return rows, digested


def _whole_object(line: str) -> dict[str, Any]:
    row, end = _scan(line, 0)
    if end == len(line) and isinstance(row, dict):
        return row
    raise UnusualRowsError


def row_of(line: bytes) -> tuple[dict[str, Any] | None, bytes, Fault | None]:
    """The row of one line that is not blank, its bytes for the digest, and the first thing wrong with it.

    A row with a fault is None and stands for itself: its text without the spaces around it. One that has half of a
    character can be read all the same.
    """
    try:
        row = _checked(line)
        return row, row_bytes(row), _half_character(line, row)
    except _FaultError as error:
        fault = error.fault
    except (ValueError, RecursionError):
        fault = _TOO_DEEP
    return None, b"!" + line.strip(WHITESPACE) + b"\n", fault


_HALF_WRITTEN: Final = re.compile(rb"\xed[\xa0-\xbf]")
"""In the bytes for the digest. Lengths and numbers may look like it, too; a whole character never does."""
_ESCAPE: Final = re.compile(r"\\(?:u([dD][89abAB]..)\\u[dD][c-fC-F]..|u([dD][89a-fA-F]..)|.)")
"""A whole surrogate pair, one half, or anything else that a backslash begins."""


def _half_character(line: bytes, row: dict[str, Any]) -> Fault | None:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        half = next(found for found in _ESCAPE.finditer(line.decode()) if found[2])
        detail = f"{half[0]} is one half of a surrogate pair, and the other is not beside it"
        return Fault(codes.ROW_HALF_CHARACTER, half.start() + 1, detail, _WHOLE_CHARACTER)
    return None


_WHOLE_CHARACTER: Final = "write the whole character, or both halves; a text that was cut at a length ends like this"
_RECODE: Final = f"{SAVE_AS_UTF8}; if it is Latin-1: iconv -f latin1 -t utf8 FILE > NEW"
_NUMBER_HINT: Final = "write null, a smaller number, or text in quotes"


_TOO_DEEP: Final = Fault(codes.ROW_TOO_DEEP, 1, "lists and objects are nested hundreds of levels deep")


class _FaultError(Exception):
    def __init__(self, code: Code, column: int, detail: str, hint: str | None) -> None:
        super().__init__(detail)
        self.fault = Fault(code, column, detail, hint)


def _checked(line: bytes) -> dict[str, Any]:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        column = len(line[: error.start].decode()) + 1
        detail = f"the byte 0x{line[error.start]:02x} is not UTF-8"
        raise _FaultError(codes.ROW_NOT_UTF8, column, detail, _RECODE) from error
    row = _parsed(text)
    if isinstance(row, dict):
        return row
    detail = f"the row is {_TYPE_NAMES[type(row)]}, and training reads objects"
    raise _FaultError(codes.ROW_NOT_OBJECT, 1, detail, "write one {…} a line")


def _parsed(text: str) -> Any:
    try:
        return _decoder.decode(text)
    except _RepeatError as error:
        detail = f'the key "{_shown(str(error))}" is there twice, and readers disagree which one counts'
        raise _FaultError(codes.ROW_DUPLICATE_KEY, 1, detail, "remove one of them") from error
    except json.JSONDecodeError as error:
        said = _NEVER_ENDS if error.msg.startswith("Unterminated") else error.msg
        raise _FaultError(codes.ROW_NOT_JSON, error.pos + 1, said, _syntax_hint(text, error.pos)) from error
    except ValueError as error:
        detail = str(error) if isinstance(error, NumberError) else "a number has thousands of digits"
        raise _FaultError(codes.ROW_NUMBER, 1, detail, _NUMBER_HINT) from error


_NEVER_ENDS: Final = "the text that starts here never ends; the row may have been cut off"
_TYPE_NAMES: Final[dict[type, str]] = {
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


_SPREAD_LIST: Final = "write one object a line: jq -c '.[]' FILE"
_SPREAD_OBJECTS: Final = "write one object a line: jq -c . FILE"
_REPORT: Final = "rftplan grade --out FILE writes what was answered, with its row, one object a line"
_CSV: Final = "this looks like CSV; write one JSON object a line"
_WHOLE_FILES: Final = {
    _SPREAD_LIST: "the file is one JSON array over many lines, and not one object a line",
    _SPREAD_OBJECTS: "the file is JSON over many lines, and not one object a line",
    _REPORT: "the file is what a command of rftplan's printed with --json, and holds no rows",
    _CSV: "this and what follows are {lines:,} lines without JSON",
}
"""What is wrong with a whole file whose first line has this hint."""
_COLUMNS: Final = r"[^{}\[\]:]+[,;\t][^{}\[\]:]*"
_OF_A_SPREAD_TEXT: Final = (codes.ROW_NOT_JSON, codes.ROW_NOT_OBJECT)


def _syntax_hint(text: str, position: int) -> str:
    start = text.strip()
    if start.startswith("{") and text[position:].strip() == ",":
        return "remove the comma at the end"
    if re.fullmatch(_COLUMNS, start):
        return _CSV
    if start.startswith("["):
        return _SPREAD_LIST
    if start.startswith('"format": "rftplan.'):
        return _REPORT
    if start == "{" or start.startswith('"'):
        return _SPREAD_OBJECTS
    if start.startswith(CONFLICT_MARKS):
        return f"git left a merge conflict here: {DECIDE_CONFLICT}"
    if "\r" in start:
        return "end the lines with \\n; a lone \\r ends no line"
    if start.startswith(("{'", "{u'")):
        return "write double quotes: this is Python's notation, not JSON"
    return "write one JSON object a line"


def _shown(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
