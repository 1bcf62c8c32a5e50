"""Which day and which moment it is: the same for everybody, wherever a command runs. Knows no date that matters."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime


def day_of(seconds: float) -> date:
    """The day by UTC, so that no finding depends on where it is looked for. `seconds` are those since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).date()


def today() -> date:
    """The day by this machine's clock."""
    return day_of(time.time())


def moment_of(seconds: float) -> str:
    """Day and time by UTC, to the second: `2026-11-23 06:51:47`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
