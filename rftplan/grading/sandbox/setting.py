"""What both ends of the worker's pipes agree on before it starts. Does nothing, and imports nothing of the system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SCRATCH: Final = "/scratch"
"""Where a confined row is and may write."""

INSIDE: Final = 1000
"""The user and group that a confined row has inside."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the worker is told. Sizes in bytes; `readable` are real paths, and links of the system's own."""

    readable: Sequence[str]
    memory: int
    disk: int
    processes: int
