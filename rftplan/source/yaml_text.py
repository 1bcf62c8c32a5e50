"""Make text fit for a parser of YAML 1.1: characters that it refuses or misreads. Does not parse.

YAML 1.1 ends lines at NEL, LS and PS; YAML 1.2, JSON and every editor do not. They are swapped for private
characters while the text is parsed, so that values and line numbers come out right.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from msgspec import Struct

from rftplan.codes import CONTROL_CHARACTER, YAML_SYNTAX, finding
from rftplan.errors import Diagnostic, Place
from rftplan.reading import CONFLICT_MARKS, DECIDE_CONFLICT

_BREAKS: Final = "\x85\u2028\u2029"
_PRIVATE: Final = range(0x10FF00, 0x10FFFE)
_UNFIT: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
"""What is refused, not what is allowed turned round: the same characters, and each is told in fewer steps."""
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_MAX_CONTROL_FINDINGS: Final = 10
_MAX_MARK: Final = 60
_MAX_DIRECTIVES: Final = 100
"""libyaml compares each `%TAG` with all before it."""


class FitText(Struct, frozen=True):
    """Text for the parser. `original` undoes the swap in any piece of it."""

    text: str
    swapped: tuple[tuple[str, str], ...] = ()

    def original(self, piece: str) -> str:
        for character, stand_in in self.swapped:
            piece = piece.replace(stand_in, character)
        return piece


def fit(text: str) -> FitText:
    """Swap the line ends that only YAML 1.1 knows."""
    present = [character for character in _BREAKS if character in text]
    if not present:
        return FitText(text)
    unused = (chr(number) for number in _PRIVATE if chr(number) not in text)
    swapped = tuple(zip(present, unused, strict=False))
    for character, stand_in in swapped:
        text = text.replace(character, stand_in)
    return FitText(text, swapped)


def has_surrogate_escapes(text: str) -> bool:
    r"""Whether a `\ud83d` occurs: JSON writes characters beyond U+FFFF as two of them."""
    return _SURROGATE_ESCAPE.search(text) is not None


def unfit(text: str, path: str) -> list[Diagnostic]:
    """Findings about characters that YAML does not allow, the first few of them."""
    findings = [_control_finding(text, match, path) for match in islice(_UNFIT.finditer(text), _MAX_CONTROL_FINDINGS)]
    if text.count("\n%TAG") + text.startswith("%TAG") > _MAX_DIRECTIVES:
        findings.append(finding(YAML_SYNTAX, "the file is full of %TAG directives", place=Place(path, 1, 1)))
    return findings


def conflict(text: str, path: str) -> Diagnostic | None:
    """What git leaves where two branches changed the same lines: it breaks the YAML in a dozen ways."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(CONFLICT_MARKS):
            detail = f'git left a merge conflict here: "{line.strip()[:_MAX_MARK]}"'
            return finding(YAML_SYNTAX, detail, place=Place(path, number, 1), hint=DECIDE_CONFLICT)
    return None


def _control_finding(text: str, match: re.Match[str], path: str) -> Diagnostic:
    number = ord(match.group())
    line_start = text.rfind("\n", 0, match.start()) + 1
    place = Place(path, text.count("\n", 0, line_start) + 1, match.start() - line_start + 1)
    detail = f"the character U+{number:04X} cannot be seen and is not allowed in YAML"
    hint = f'remove it, or write it as "\\u{number:04x}" in double quotes'
    return finding(CONTROL_CHARACTER, detail, place=place, hint=hint)


def is_whole(text: str) -> bool:
    """Whether the text can be written as UTF-8: it has no half of a surrogate pair."""
    return text.isascii() or _encodes(text)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def join_surrogates(text: str) -> str:
    """Two halves that stand side by side become the character that they mean."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
