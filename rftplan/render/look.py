"""How text looks: tones, width, the program's name. Tones only underline what the words say already."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Final

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
        width = max(self.width, indent + 20)
        lines = textwrap.wrap(
            self._kept_whole(text, width - indent - hang), width, initial_indent=margin,
            subsequent_indent=margin + " " * hang, break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        return [line.replace(_KEPT, " ") for line in lines] or [margin]

    def _kept_whole(self, text: str, room: int) -> str:
        """A command is copied, so it is not broken where a line has room for it."""
        command = re.compile(rf"{re.escape(self.program)} [a-z]+(?: (?:{_OPTION}|{_ADDRESS}))*")
        return command.sub(lambda found: found[0].replace(" ", _KEPT) if len(found[0]) < room else found[0], text)


_KEPT: Final = "\x00"
"""A blank that is no place to break: text that was escaped has none of it."""
_OPTION: Final = r"--(?:(?:allow|replace|target|exclude|specs|lock|out|provider) [^\s;]+[^\s;,.]|[a-z-]+)"
_ADDRESS: Final = r"(?:job|file|grader|deployment)\.[a-z0-9._-]*[a-z0-9]"


def joined(lines: Iterable[str]) -> str:
    """Lines as one text with a newline at its end; nothing for no lines. No line is a command to a CI."""
    return "".join(inert(line).rstrip() + "\n" for line in lines)
