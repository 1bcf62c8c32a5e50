"""How text looks: tones, width, the program's name. Tones only underline what the words say already."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from msgspec import Struct

from rftplan.render.escape import inert


class Tone(Enum):
    """What a piece of text means; the value is the SGR parameter of a terminal that has colours."""

    GOOD = "32"
    BAD = "31"
    CAUTION = "33"
    CHANGED = "36"
    STRONG = "1"
    FAINT = "2"


Paint = Callable[[Tone, str], str]


def plain(_tone: Tone, text: str) -> str:
    """No colours."""
    return text


def ansi(tone: Tone, text: str) -> str:
    """Colours by SGR sequences. `text` must have been through `visible`."""
    return f"\x1b[{tone.value}m{text}\x1b[0m"


class Look(Struct, frozen=True):
    """Prose is wrapped to `width` columns (None: not at all); `program` starts every command shown."""

    paint: Paint = plain
    width: int | None = None
    program: str = "rftplan"

    def prose(self, text: str, *, indent: int, hang: int = 0) -> list[str]:
        """`text` (already escaped) as indented lines, those after the first by `hang` more."""
        import textwrap

        margin = " " * indent
        if self.width is None:
            return [margin + text]
        lines = textwrap.wrap(
            text, max(self.width, indent + 20), initial_indent=margin, subsequent_indent=margin + " " * hang,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        return lines or [margin]


def joined(lines: Iterable[str]) -> str:
    """Lines as one text with a newline at its end; nothing for no lines. No line is a command to a CI."""
    return "".join(inert(line).rstrip() + "\n" for line in lines)
