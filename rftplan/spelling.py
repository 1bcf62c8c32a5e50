"""Which known names somebody may have meant. Knows no messages, and makes no name up."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

_LONGEST: Final = 100
"""Characters of a name that is compared: the time for two grows with the product of their lengths."""
_MOST: Final = 1_000
"""Names that are compared."""


def close_names(written: str, known: Iterable[str], *, cutoff: float = 0.6) -> list[str]:
    """Up to three known names that are like the one that was written, the closest first. `cutoff` is how much two must
    have in common, from 0 to 1. Of very long names and very many, none."""
    from difflib import get_close_matches

    if len(written) > _LONGEST:
        return []
    return get_close_matches(written, islice((name for name in known if len(name) <= _LONGEST), _MOST), cutoff=cutoff)
