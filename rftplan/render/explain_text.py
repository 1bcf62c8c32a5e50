"""What a finding means, as text: its page, or all codes. The pages are our own Markdown, and no other is understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from rftplan.render.escape import visible
from rftplan.render.look import Look, Tone, joined
from rftplan.render.shapes import CodeDocument, CodesDocument, ExplainDocument
from rftplan.render.table import fitted
from rftplan.render.text import SEVERITY_TONES

_STRONG: Final = re.compile(r"\*\*(.+?)\*\*")
_GLUE: Final = "\N{NO-BREAK SPACE}"
"""Stands for a space that no line may be broken at, so that what is strong is painted on one line."""


def codes_text(document: CodesDocument, look: Look) -> str:
    """One line a code, a gap between families."""
    lines: list[str] = []
    for _, family in groupby(document["codes"], key=lambda code: code["code"][0]):
        rows = [[visible(code["code"]), code["severity"], visible(code["summary"])] for code in family]
        lines += [*fitted(rows, look, head=2), ""]
    return joined([*lines, f"Next: {look.program} explain CODE"])


def explain_text(document: ExplainDocument, look: Look) -> str:
    """The head of a finding, and the page below it."""
    return joined([_head(document, look), "", *_page(document["page"], look)])


def _head(document: CodeDocument | ExplainDocument, look: Look) -> str:
    label = f"{document['severity']}[{visible(document['code'])}]"
    painted = look.paint(SEVERITY_TONES.get(document["severity"], Tone.STRONG), label)
    return f"{painted}: {visible(document['summary'])}"


def _page(page: str, look: Look) -> Iterator[str]:
    for number, paragraph in enumerate(page.strip().split("\n\n")):
        if number:
            yield ""
        for line in _lines(paragraph, look):
            yield _STRONG.sub(lambda strong: look.paint(Tone.STRONG, strong[1]), line).replace(_GLUE, " ")


def _lines(paragraph: str, look: Look) -> list[str]:
    """Filled to the look's width, each item of a list apart; as they are written where it has none."""
    lines = [visible(line) for line in paragraph.split("\n")]
    if look.width is None:
        return lines
    starts = [number for number, line in enumerate(lines) if not number or line.startswith("- ")]
    pieces = [" ".join(lines[at:end]) for at, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    return [line for piece in pieces for line in _filled(piece, look)]


def _filled(piece: str, look: Look) -> list[str]:
    return look.prose(_STRONG.sub(_glued, piece), indent=0, hang=2 if piece.startswith("- ") else 0)


def _glued(strong: re.Match[str]) -> str:
    return strong[0].replace(" ", _GLUE)
