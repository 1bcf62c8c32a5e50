"""What a launch will probably cost, and what of that is not known. Values: works nothing out and knows no provider."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

FEWEST_RUNS: Final = 3
"""Fewer comparable runs say nothing about the next one."""
CHARACTERS_PER_TOKEN: Final = 4
"""An assumption, and said to be one: it fits English prose; code, tables and other languages take more tokens."""


class Range(Struct, frozen=True):
    """From the least to the most, both of which occur."""

    low: float
    high: float

    def times(self, factor: float) -> Range:
        return Range(self.low * factor, self.high * factor)


class JudgeEstimate(Struct, frozen=True):
    """What 1,000 calls of one judge cost in US dollars.

    `prompt_usd` is of the prompt without the answer in it, for a mean row and for the longest; `output_usd` is what the
    judge's own answers cost at most. None: not known. `unknown` names what is in neither.
    """

    grader: str
    model: str
    prompt_usd: Range | None
    output_usd: float | None
    unknown: tuple[str, ...]
    read: str | None
    source: str | None


class Estimate(Struct, frozen=True):
    """What one launch will probably cost. None is "not known", and never free.

    `hour_usd` is the price of an hour of training, as `source` had it on `read`; `hours` how long `runs` comparable
    runs took, None if there are too few of them. By its rows this one may take `growth` times as long as the largest
    of them, or only the part `shrinkage` of any; `training_usd` is the price of those hours. The judges' tokens come
    on top. `cap_usd` is where the provider ends a run that becomes too dear, `cap` who does what about that.
    """

    hour_usd: float | None
    read: str | None
    source: str | None
    runs: int
    hours: Range | None
    growth: float | None
    training_usd: Range | None
    judges: tuple[JudgeEstimate, ...]
    cap_usd: float | None
    cap: str
    shrinkage: float = 1.0


def dollars(amount: float) -> str:
    """`$0.42`, `$100`, `$1,250`: cents only where they count."""
    if amount and amount < 0.01:
        return "under $0.01"
    return f"${amount:,.2f}" if amount < 10 and amount != int(amount) else f"${amount:,.0f}"
