"""How many tokens a simulated answer takes. Counts no real ones: there is no model whose they could be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rftplan.grading.candidates import Kind

CHARACTERS_PER_TOKEN: Final = 4
REASONING: Final[Mapping[str, int]] = {"low": 400, "medium": 1_500, "high": 5_000}
"""Of a right answer, by reasoning effort."""

_EFFORT_OF_KIND: Final = {
    Kind.RIGHT: 1.0,
    Kind.NEAR: 0.9,
    Kind.WRONG: 0.8,
    Kind.MALFORMED: 1.6,
    Kind.CONSTANT: 0.3,
    Kind.VERBOSE: 1.5,
    Kind.RECORDED: 1.0,
}


def reasoning_of(kind: Kind, right: float) -> int:
    """Of an answer of this kind, where a right one takes `right`."""
    return round(right * _EFFORT_OF_KIND[kind])


def text_tokens(text: str) -> int:
    """At least one: even an empty answer has to be ended."""
    return len(text) // CHARACTERS_PER_TOKEN + 1
