"""Two values of one field, so that a reader sees where they differ. Knows no documents and no colours of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rftplan.canonical import Json
from rftplan.render.escape import shortened, shown_value, visible
from rftplan.render.look import Look, Tone

_WHOLE: Final = 1_000_000
"""Characters: no value is cut at this width."""
_CONTEXT: Final = 32
"""Characters shown on either side of what differs."""
_MOST_LINES: Final = 20
_MOST_COMPARED: Final = 250_000
"""Lines of the one text times lines of the other: beyond it they are shown as replaced, not matched up."""
_DEFAULT_WIDTH: Final = 120

_Edit = tuple[int, Sequence[str], Sequence[str]]
"""Where it starts, as a line number from 1; the lines before and after."""


def field_lines(path: str, before: Json, after: Json, look: Look, *, indent: int) -> list[str]:
    """`path: before → after`; what is too long for that on lines of its own, cut to where the two differ."""
    margin, width = " " * indent, look.width or _DEFAULT_WIDTH
    room = max(16, (width - indent - len(path) - 5) // 2)
    old, new = shown_value(before, _WHOLE), shown_value(after, _WHOLE)
    if before is None or after is None or (len(old) <= room and len(new) <= room):
        shown = look.paint(Tone.BAD, shortened(old, room)), look.paint(Tone.GOOD, shortened(new, room))
        return [f"{margin}{path}: {shown[0]} → {shown[1]}"]
    inner = " " * (indent + 2)
    if isinstance(before, str) and isinstance(after, str) and "\n" in before + after:
        return [f"{margin}{path}:", *(inner + line for line in _text_lines(before, after, look, width - indent - 2))]
    return [f"{margin}{path}:", *(inner + line for line in _pair(old, new, look, width - indent - 2))]


def _pair(old: str, new: str, look: Look, width: int) -> list[str]:
    windows = differing(old, new, width - 2)
    return [look.paint(Tone.BAD, f"- {windows[0]}"), look.paint(Tone.GOOD, f"+ {windows[1]}")]


def differing(old: str, new: str, width: int) -> tuple[str, str]:
    """The part of each text where they differ, with a little around it, in at most `width` characters each."""
    if len(old) <= width and len(new) <= width:
        return old, new
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    return _window(old, start, len(old) - end, width), _window(new, start, len(new) - end, width)


def _common(one: str, other: str) -> int:
    """How many characters they begin with alike."""
    shorter = min(len(one), len(other))
    return next((i for i in range(shorter) if one[i] != other[i]), shorter)


def _window(text: str, start: int, end: int, width: int) -> str:
    around = max(0, min(_CONTEXT, (width - 2 - (end - start)) // 2))
    begin, stop = max(0, start - around), min(len(text), end + around)
    head, tail = "…" if begin else "", "…" if stop < len(text) else ""
    return head + shortened(text[begin:stop], max(1, width - len(head) - len(tail))) + tail


def _text_lines(before: str, after: str, look: Look, width: int) -> list[str]:
    """The lines that differ, under the number of the first of them in the old text."""
    lines: list[str] = []
    left = 0
    for number, old, new in _edits([visible(s) for s in before.split("\n")], [visible(s) for s in after.split("\n")]):
        room = max(0, _MOST_LINES - len(lines)) // 2
        if room:
            lines += [f"line {number}", *_edit_lines(old[:room], new[:room], look, width)]
        left += len(old[room:]) + len(new[room:])
    return [*lines, f"and {left} more lines, in full with --json"] if left else lines


def _edit_lines(old: Sequence[str], new: Sequence[str], look: Look, width: int) -> list[str]:
    if len(old) == len(new):
        return [s for a, b in zip(old, new, strict=True) for s in _pair(_marked(a), _marked(b), look, width)]
    gone = [look.paint(Tone.BAD, f"- {shortened(_marked(line), width - 2)}") for line in old]
    return gone + [look.paint(Tone.GOOD, f"+ {shortened(_marked(line), width - 2)}") for line in new]


def _marked(line: str) -> str:
    """In quotes where its end could not be seen."""
    return line if line and not line[-1].isspace() else f'"{line}"'


def _edits(old: Sequence[str], new: Sequence[str]) -> Iterator[_Edit]:
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - head) if old[-1 - i] != new[-1 - i]), shorter - head)
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(old) * len(new) > _MOST_COMPARED:
        yield head + 1, old, new
        return
    from difflib import SequenceMatcher

    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield head + a + 1, old[a:b], new[c:d]
