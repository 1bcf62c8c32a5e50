"""Who runs the code of a `python` grader: the seam. Runs nothing itself.

Without a runner handed in, such a grader refuses: nothing from a spec is executed unless somebody asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from msgspec import Struct

from rftplan.grading.result import Flag

Row = tuple[Mapping[str, Any], Mapping[str, Any]]
"""What a Python grader is called with: the sample, the item."""


class PythonFailure(Struct, frozen=True):
    """Why there is no score: one of the two python_grader flags, and what happened."""

    flag: Flag
    details: str


class PythonRunner(Protocol):
    """Calls `grade(sample, item)` of a source. May be used by several threads."""

    @property
    def refusal(self) -> str | None:
        """Why it cannot run anything here, as a message for a person; None if it can."""
        ...

    def score(self, source: str, sample: Mapping[str, Any], item: Mapping[str, Any]) -> float | PythonFailure:
        """A finite score. Whatever the code does is a failure, not an exception.

        Raises RuntimeError if there is a refusal.
        """
        ...

    def scores(self, source: str, rows: Iterable[Row]) -> Iterator[float | PythonFailure]:
        """The same of each row, in order. Others may be served between two of them."""
        ...
