"""Models that grade: which of them reason, and which names are aliases that move. Data, as of 2026-11-22."""

from __future__ import annotations

import re
from typing import Final

_REASONING: Final = ("o1", "o3", "o4", "gpt-5")
_PLAIN: Final = ("gpt-3.5", "gpt-4", "gpt-5-chat")
"""Families by the beginning of a name; of two that fit, the longer one holds."""

SNAPSHOTS: Final = (
    "gpt-4o-2024-08-06",
    "gpt-4o-mini-2024-07-18",
    "gpt-4.1-2025-04-14",
    "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano-2025-04-14",
    "o1-2024-12-17",
    "o3-2025-04-16",
    "o3-mini-2025-01-31",
    "o4-mini-2025-04-16",
)
"""The grader models that the vendor lists (FACTS §3.7)."""

_DATED: Final = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{4})(?:-preview)?$")


def _family(model: str) -> str | None:
    fitting = [name for name in (*_REASONING, *_PLAIN) if re.match(rf"{re.escape(name)}(?![0-9])", model)]
    return max(fitting, key=len, default=None)


def reasons(model: str) -> bool | None:
    """Whether a model reasons before it answers; None for one that is not in the table."""
    family = _family(model)
    return None if family is None else family in _REASONING


def is_alias(model: str) -> bool:
    """Whether this is the name of a known family without a date: the model behind it may change."""
    return _family(model) is not None and not _DATED.search(model)


def snapshot_of(alias: str) -> str | None:
    """The listed snapshot that an alias is likely to mean."""
    return next((name for name in SNAPSHOTS if _DATED.sub("", name) == alias), None)
