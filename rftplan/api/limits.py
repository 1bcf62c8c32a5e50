"""Which limit of a service a 429 tells of, and when it is worth asking again. Pure; waits for nothing.

Only the daily limit's code was seen (FACTS §3.3). Of the others the words are known, and no code: they are told by
their words, and what says nothing of the kind is a matter of seconds.
"""

from __future__ import annotations

import re
from typing import Final

from rftplan.errors import Limit

NO_CREDIT: Final = frozenset({"insufficient_quota", "billing_not_active"})
"""Codes of a 429 that no waiting helps: somebody has to pay first."""

_DAILY: Final = "daily_rate_limit_exceeded"
_PER_DAY: Final = re.compile(r"\bper day\b|\bdaily\b", re.IGNORECASE)
_SPENDING: Final = re.compile(r"\bspend(ing)?[ _-]limit|\bbilling[ _]hard[ _]limit", re.IGNORECASE)
_AT_ONCE: Final = re.compile(r"\b(simultaneous|concurrent)(ly)?\b", re.IGNORECASE)
_JOBS: Final = re.compile(r"\b(runs?|jobs?|fine-tun\w+|trainings?)\b", re.IGNORECASE)

NO_CREDIT_HINT: Final = "add credit or raise the plan at the provider, then run this again: waiting does not help"


def limit_of(code: str | None, message: str) -> Limit:
    """Which limit this is, by its code or, where the code says nothing, by its words."""
    said = f"{code or ''} {message}"
    if code == _DAILY or (_PER_DAY.search(message) and "request" in message):
        return Limit.DAILY
    if _SPENDING.search(said):
        return Limit.SPENDING
    if _AT_ONCE.search(said) and _JOBS.search(said):
        return Limit.JOBS
    return Limit.RATE


def limit_hint(limit: Limit, retry_after: float | None) -> str:
    """When to come again."""
    when = None if retry_after is None else f"in {span(retry_after)}"
    match limit:
        case Limit.DAILY:
            return f"the limit counts by the day: come again {when or 'tomorrow'}"
        case Limit.SPENDING:
            return f"come again {when or 'when the limit is reset'}, or raise it at the provider"
        case Limit.JOBS:
            return "come again when a job has ended"
        case Limit.RATE:
            return f"come again {when or 'in a minute'}"


def span(seconds: float) -> str:
    """`20 s`, `5 min`, `3 h 20 min`: rounded up, for whoever comes too early comes in vain."""
    whole = -int(-seconds // 1)
    if whole < 120:
        return f"{whole} s"
    minutes = -(-whole // 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
