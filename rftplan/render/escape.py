"""Makes text from specs, data, services and models harmless for a terminal. Knows no layout and no colour."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rftplan.canonical import Json

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Compiled by `re` at their first use: `rftplan version` imports this module and uses none.
_CI_ANYWHERE: Final = r"##(?=\[|vso\[)"
_CI_AT_START: Final = r"^(\s*)(?=::)"
_ELLIPSIS: Final = "…"
_DIGEST: Final = r"((?:v[0-9]+:|sha256:)?[0-9a-f]{12})[0-9a-f]{52}"


def visible(text: str) -> str:
    """The text on one line, with nothing in it that a terminal or a CI log would obey.

    Control and format characters (ANSI escapes, bidi overrides, zero widths), line separators and lone
    surrogates become escapes such as `\\x1b`. Text without them comes back as it is.
    """
    if text.isascii() and text.isprintable():
        return re.sub(_CI_ANYWHERE, r"#\\#", text)
    return re.sub(_CI_ANYWHERE, r"#\\#", "".join(map(_visible_character, text)))


def _visible_character(character: str) -> str:
    if character.isprintable() or character == " ":
        return character
    if character in _SHORT:
        return _SHORT[character]
    if unicodedata.category(character) == "Zs":
        return " "
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def inert(line: str) -> str:
    """A finished line that no CI takes for a command: a leading `::` is preceded by a backslash."""
    return re.sub(_CI_AT_START, r"\1\\", line)


def shortened(text: str, width: int) -> str:
    """At most `width` characters, the middle left out: both ends tell values apart."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 3
    return text[: width - 1 - tail] + _ELLIPSIS + (text[-tail:] if tail else "")


def shown_value(value: Json, width: int) -> str:
    """A JSON value for a reader: `(none)` for absent, texts in quotes, long ones cut, digests by their start."""
    if value is None:
        return "(none)"
    if isinstance(value, str) and (digest := re.fullmatch(_DIGEST, value)):
        return digest[1] + _ELLIPSIS
    import json

    return shortened(visible(json.dumps(value, ensure_ascii=False)), width)
