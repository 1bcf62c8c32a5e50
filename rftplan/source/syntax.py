"""What to do about text that is not YAML, in plain words. Knows the parser's messages, not the parser."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

_TAB_INDENT: Final = re.compile(r" *\t")
_BARE_TEMPLATE: Final = re.compile(r"(?:[:\-,\[]\s+|[\[,]|^\s*)\{\{")
_NO_SPACE: Final = re.compile(r"\s*(?:- +)*[\w.-]+:[^\s:/]")
_TWO_COLONS: Final = re.compile(r"\s*(?:- +)*[^\s\"'][^:]*:\s+[^\"'|>\s].*:(?:\s|$)")

QUOTE_TEMPLATE: Final = 'put quotes around the whole text, as in "{{item.answer}}"'
_SPACE_AFTER_COLON: Final = "put a space after the colon"
_BY_PROBLEM: Final[Sequence[tuple[str, str]]] = (
    ("mapping values are not allowed", "check the indentation, and quote text that contains a colon"),
    ("could not find expected ':'", "every line of a mapping is `key: value`"),
    ("did not find expected key", "check the indentation, and quote text that contains , { } [ ] or :"),
    ("did not find expected '-'", "do not mix `- item` and `key: value` lines at one indentation"),
    ("block sequence entries are not allowed", "start the list on a line of its own"),
    ("did not find expected ',' or ']'", "close the list with ]"),
    ("did not find expected ',' or '}'", "close the mapping with }"),
    ("found unexpected end of stream", "close the quotes"),
    ("cannot start any token", "put quotes around the text"),
    ("alphabetic or numeric character", "put quotes around text that starts with * or &"),
    ("unknown escape", "use single quotes, or write each backslash twice"),
    ("invalid Unicode character", "write the character itself instead of its escapes"),
    ("expected <document start>", "check the indentation: every top-level key starts in the first column"),
)


class Trouble(Struct, frozen=True):
    """What the parser said: its message, the line with the problem and the line where the construct began.

    Lines are 0-based indices into `lines`; `began` is None if the parser named no beginning.
    """

    problem: str
    lines: Sequence[str]
    at: int
    began: int | None

    def line(self, index: int) -> str:
        return self.lines[index] if 0 <= index < len(self.lines) else ""


def syntax_hint(trouble: Trouble) -> str | None:
    """The most likely repair, or None where nothing better than the message is known."""
    line = trouble.line(trouble.at)
    if _TAB_INDENT.match(line):
        return "indent with spaces: YAML does not allow tabs here"
    if _BARE_TEMPLATE.search(line):
        return QUOTE_TEMPLATE
    if (number := _line_without_space(trouble)) is not None:
        return f"{_SPACE_AFTER_COLON} in line {number + 1}"
    if "mapping values" in trouble.problem and _TWO_COLONS.match(line):
        return "put quotes around text that contains a colon"
    return next((hint for part, hint in _BY_PROBLEM if part in trouble.problem), None)


def _line_without_space(trouble: Trouble) -> int | None:
    if not any(part in trouble.problem for part in ("mapping values", "expected ':'")):
        return None
    suspects = (trouble.at if trouble.began is None else trouble.began, trouble.at - 1)
    return next((index for index in suspects if _NO_SPACE.match(trouble.line(index))), None)
