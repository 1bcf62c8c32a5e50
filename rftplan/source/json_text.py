"""JSON text as values with places, judged by JSON's own rules. Knows nothing of what the values are for.

YAML reads most JSON, but not as JSON: it takes comments, lone words and trailing commas, and refuses tabs.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from typing import Final, NoReturn

from rftplan import codes
from rftplan.codes import Code, finding
from rftplan.errors import Diagnostic, Place
from rftplan.reading import BOM, CONFLICT_MARKS, DECIDE_CONFLICT, NotTextError, decode_text
from rftplan.source.document import Document, Node, written_out
from rftplan.source.scalars import MAX_NUMBER_LENGTH
from rftplan.source.yaml_text import is_whole

MAX_DEPTH: Final = 64
"""Levels of lists and objects."""
MAX_VALUES: Final = 100_000
"""Values and keys of one text."""
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?(?![\w.])")
_WORD: Final = re.compile(r"[-+.\w$]+")
_WORDS: Final = {"true": True, "false": False, "null": None}
_NOT_FINITE: Final = frozenset({"NaN", "Infinity", "-Infinity"})
_MEANT: Final = {"True": "true", "False": "false", "None": "null", "undefined": "null"}
_MAX_SHOWN: Final = 40
_STRINGS: Final = json.JSONDecoder()


def parse_json_text(data: bytes, path: str) -> tuple[Document | None, list[Diagnostic]]:
    """The values of one JSON text with their places, and findings; never raises.

    After a syntax error there is no document; a key that is written twice comes with one, of its last value.
    """
    try:
        text = decode_text(data)
    except NotTextError as error:
        place = Place(path, error.line, error.column)
        return None, [finding(error.code, f"the file {error.message}", place=place, hint=error.hint)]
    reader = _Reader(text, path)
    if data.startswith(BOM):
        detail = "it does not count here, but a service that is sent the file as it is may refuse it"
        reader.report(codes.JSON_HAS_BOM, detail, 0, "save the file as UTF-8 without byte order mark")
    try:
        return written_out(reader.whole(), path), reader.findings
    except _StopError:
        return None, reader.findings


class _StopError(Exception):
    """Nothing after this point can be read; the finding is among the others."""


class _Reader:
    """Recursive descent with a place for every value. Stops at the first thing that is no JSON."""

    def __init__(self, text: str, path: str) -> None:
        self.findings: list[Diagnostic] = []
        self._text = text
        self._path = path
        self._at = 0
        self._count = 0
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def report(self, code: Code, detail: str, at: int, hint: str | None) -> None:
        self.findings.append(finding(code, detail, place=self._place(at), hint=hint))

    def whole(self) -> Node:
        """The only value of the text."""
        if not self._skip():
            self._wrong("the file is empty", None)
        top = self._value(1)
        self._skip()
        if self._at < len(self._text):
            self._wrong("more follows after the end of the value", "a JSON file has one value: check the brackets")
        return top

    def _place(self, at: int) -> Place:
        line = bisect_right(self._lines, at)
        return Place(self._path, line, at - self._lines[line - 1] + 1)

    def _stop(self, code: Code, detail: str, hint: str | None) -> NoReturn:
        self.report(code, detail, min(self._at, len(self._text)), hint)
        raise _StopError

    def _wrong(self, detail: str, hint: str | None) -> NoReturn:
        for number, line in enumerate(self._text.split("\n")):
            if line.startswith(CONFLICT_MARKS):
                self._at = self._lines[number]
                self._stop(codes.JSON_SYNTAX, "git left a merge conflict here", DECIDE_CONFLICT)
        self._stop(codes.JSON_SYNTAX, detail, hint)

    def _skip(self) -> str:
        """Over white space; the character that follows, or nothing at the end."""
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _value(self, depth: int) -> Node:
        start = self._skip()
        self._count += 1
        if self._count > MAX_VALUES:
            self._stop(codes.TOO_MANY_VALUES, f"the file has more than {MAX_VALUES:,} values", None)
        if depth > MAX_DEPTH:
            detail = f"lists and objects are nested more than {MAX_DEPTH} levels deep"
            self._stop(codes.TOO_DEEP, detail, None)
        place = self._place(self._at)
        if start == "{":
            return self._object(place, depth)
        if start == "[":
            return self._list(place, depth)
        return Node(self._string() if start == '"' else self._scalar(start), place)

    def _list(self, place: Place, depth: int) -> Node:
        self._at += 1
        items: list[Node] = []
        if self._skip() == "]":
            self._at += 1
            return Node.of_list(items, place)
        while True:
            items.append(self._value(depth + 1))
            if self._ends(place, "]"):
                return Node.of_list(items, place)

    def _object(self, place: Place, depth: int) -> Node:
        self._at += 1
        values: dict[str, Node] = {}
        key_places: dict[str, Place] = {}
        if self._skip() == "}":
            self._at += 1
            return Node.of_dict(values, place, key_places)
        while True:
            key = self._key(place, key_places)
            values[key] = self._value(depth + 1)
            if self._ends(place, "}"):
                return Node.of_dict(values, place, key_places)

    def _key(self, opened: Place, known: dict[str, Place]) -> str:
        """A key with its colon; its place is noted."""
        start = self._skip()
        if not start:
            self._unclosed(opened, "}")
        if start != '"':
            self._wrong(f"a key in double quotes must stand here, not {self._shown()}", self._hint(start))
        at = self._at
        key = self._string()
        self._count += 1
        if key in known:
            detail = f'"{key[:_MAX_SHOWN]}" is already written at {known[key]}, and one of the two would be lost'
            self.report(codes.DUPLICATE_KEY, detail, at, "remove or rename one of them")
        known[key] = self._place(at)
        if self._skip() != ":":
            self._wrong(f'":" must stand after a key, not {self._shown()}', "write the value after a colon")
        self._at += 1
        return key

    def _ends(self, opened: Place, bracket: str) -> bool:
        """Whether the bracket closes here, or a comma leads on to the next."""
        start = self._skip()
        if not start:
            self._unclosed(opened, bracket)
        if start not in (bracket, ","):
            begins_value = start in '"{[-0123456789'
            hint = f'put a comma before it, or "{bracket}"' if begins_value else self._hint(start)
            self._wrong(f'"," or "{bracket}" must stand here, not {self._shown()}', hint)
        comma = self._at
        self._at += 1
        if start == bracket:
            return True
        if self._skip() == bracket:
            self._at = comma
            self._wrong(f'a comma stands before "{bracket}", and nothing follows it', "take the comma away")
        return False

    def _unclosed(self, opened: Place, bracket: str) -> NoReturn:
        kind = "object" if bracket == "}" else "list"
        detail = f"the text ends inside of the {kind} that starts in line {opened.line}"
        self._wrong(detail, f'close it with "{bracket}"; if a download was cut off, fetch it again')

    def _string(self) -> str:
        started = self._at
        try:
            value, self._at = _STRINGS.raw_decode(self._text, started)
        except json.JSONDecodeError as error:
            self._at = started if error.msg.startswith("Unterminated") else error.pos
            self._wrong(*_of_string(error.msg, self._text[self._at : self._at + 2]))
        text = str(value)
        if not is_whole(text):
            detail = "the text has one half of a surrogate pair, which no file can carry"
            self.report(codes.BROKEN_CHARACTER, detail, started, "write the whole character")
            text = text.encode("utf-8", "replace").decode()
        return text

    def _scalar(self, start: str) -> None | bool | int | float:
        match = _NUMBER.match(self._text, self._at)
        if match is None:
            return self._word(start)
        written = match.group()
        if len(written) > MAX_NUMBER_LENGTH:
            self._stop(codes.NOT_A_JSON_NUMBER, f"a number of {len(written)} characters", "put quotes around it")
        number = float(written) if match.group(1) or match.group(2) else int(written)
        if isinstance(number, float) and not math.isfinite(number):
            detail = f"{written[:_MAX_SHOWN]} is larger than any floating-point number"
            self._stop(codes.NOT_A_JSON_NUMBER, detail, None)
        self._at = match.end()
        return number

    def _word(self, start: str) -> bool | None:
        match = _WORD.match(self._text, self._at)
        word = match.group() if match else ""
        if word in _NOT_FINITE:
            self._stop(codes.NOT_A_JSON_NUMBER, f"{word} is no JSON number", "write a number, or null")
        if word not in _WORDS:
            self._wrong(f"a value must stand here, not {self._shown()}", self._hint(start))
        self._at += len(word)
        return _WORDS[word]

    def _shown(self) -> str:
        """What stands here, for a message."""
        match = _WORD.match(self._text, self._at)
        piece = match.group()[:_MAX_SHOWN] if match else self._text[self._at : self._at + 1]
        if not piece:
            return "the end of the text"
        return f'"{piece}"' if piece.isprintable() and piece not in ('"', "\xa0") else f"U+{ord(piece):04X}"

    def _hint(self, start: str) -> str | None:
        word = self._shown().strip('"')
        if start in "'\u201c\u201d\u2018\u2019" and start:
            return 'JSON has plain double quotes: "…"'
        if start in "/#" and start:
            return "JSON has no comments: take it out"
        if word in _MEANT:
            return f"write {_MEANT[word]}"
        if start in "-+.0123456789" and start:
            return "JSON numbers look like 12, -0.5 or 1e-3"
        return "put double quotes around it" if start.isalpha() else None


def _of_string(message: str, piece: str) -> tuple[str, str]:
    """What the decoder says of a string, in our words, with what to do."""
    if message.startswith("Unterminated"):
        return "the text that starts here has no end", 'close it with "'
    if "control character" in message:
        name = {"\t": "tab", "\n": "line break"}.get(piece[:1], f"character U+{ord(piece[:1] or ' '):04X}")
        escape = {"\t": "\\t", "\n": "\\n"}.get(piece[:1], f"\\u{ord(piece[:1] or ' '):04x}")
        return f"a {name} stands inside of a text", f'write {escape} for it, or close the text with "'
    return (
        f"{piece} is no escape of JSON",
        "write each backslash twice",
    )
