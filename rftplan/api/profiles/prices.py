"""What a provider charges, each price with the day it was read and by whom. Data: adds nothing up, asks nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

OWN: Final = "policy.prices"
"""The source of a price that the specs give."""


class HourPrice(Struct, frozen=True):
    """US dollars an hour of training, billed by the second. `read` is the day or month on which `source` had it,
    as ISO 8601 writes it; None for a price of the specs."""

    usd: float
    read: str | None
    source: str


class TokenPrice(Struct, frozen=True):
    """US dollars a million tokens; `read` and `source` as in HourPrice."""

    input: float
    output: float
    read: str | None
    source: str


class PriceTable(Struct, frozen=True):
    """Prices by the name of a snapshot: `training` of reinforcement an hour, `tokens` of the models that judge. What is
    not in it is not known, which is not the same as free."""

    training: Mapping[str, HourPrice] = field(default_factory=dict)
    tokens: Mapping[str, TokenPrice] = field(default_factory=dict)

    def with_own(self, training: Mapping[str, float], tokens: Mapping[str, tuple[float, float]]) -> PriceTable:
        """The table with what the specs say in place of what it said: dollars an hour, and dollars a million tokens
        read and written."""
        hours = {model: HourPrice(usd, None, OWN) for model, usd in training.items()}
        millions = {model: TokenPrice(read, written, None, OWN) for model, (read, written) in tokens.items()}
        return replace(self, training={**self.training, **hours}, tokens={**self.tokens, **millions})


NO_PRICES: Final = PriceTable()


class Cap(Struct, frozen=True):
    """What ends a run that becomes too dear: `usd` at the latest, or None if nobody promises a figure; `said` says who
    does what."""

    usd: float | None
    said: str


NOT_KNOWN: Final = Cap(None, "what would end a run that becomes too dear is not known of this host")
